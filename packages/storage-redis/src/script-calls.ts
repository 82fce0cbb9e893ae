import { type Clock, type Millis, millis, StorageError } from "@pawl/storage";
import type { Connection } from "./connection.js";
import { asStorageError, judge } from "./failure.js";
import { storeTag, type Tag } from "./key-space.js";
import { readScript, type Script } from "./lua.js";
import { ServerClock } from "./server-clock.js";
import type { Servers } from "./servers.js";

/** A script to be run on the server that has the keys of a tag. */
export interface ScriptCall {
  readonly tag: Tag;
  readonly script: Script;
  readonly keys: readonly string[];
  /** From ARGV[3] on. */
  readonly args?: readonly (string | number)[];
}

export interface ScriptAnswer {
  /** The time of the server that ran it. */
  readonly now: Millis;
  readonly values: readonly unknown[];
}

interface CallOptions {
  /** For how many milliseconds a call waits for its answer. */
  readonly timeout: number;
  /** Takes the place of the servers' time. */
  readonly clock: Clock | undefined;
  /** A key of the store's own tag. */
  readonly storeKey: string;
}

/** How long to wait before a call is tried again that was not done, in ms. */
const retryDelay = 20;

/** A server that is silent for less, in ms, is not taken for gone, however short the time-out is. */
const leastSilence = 1000;

const tellTime = readScript("return { ARGV[1], now }");

const tooSlow = "the server did not answer in time: whether the call was done is not known";

/**
 * Runs scripts where their keys are. A call that certainly was not done (its slot is elsewhere, is being moved, has no
 * master for the moment) is tried again until its time is over; one that was sent and not answered never is.
 */
export class ScriptCalls {
  readonly clock: ServerClock;
  readonly servers: Servers;
  readonly #options: CallOptions;
  #number = 0;

  constructor(servers: Servers, options: CallOptions) {
    this.servers = servers;
    this.#options = options;
    this.clock = new ServerClock(options.clock, () => void this.tellTime().catch(() => undefined));
  }

  run(call: ScriptCall): Promise<ScriptAnswer> {
    return new Promise((resolve, reject) => {
      const number = String((this.#number += 1));
      const { keys, args = [] } = call;
      const rest = [String(keys.length), ...keys, number, this.clock.argument, ...args.map(String)];
      let reason = tooSlow;
      let last: Connection | undefined;
      let isOver = false;
      const end = (): boolean => {
        if (isOver) return false;
        isOver = true;
        clearTimeout(timer);
        return true;
      };
      const fail = (error: unknown): void => {
        if (end()) reject(error);
      };
      const timer = setTimeout(() => {
        last?.replaceIfSilent(Math.max(this.#options.timeout, leastSilence));
        fail(new StorageError("unavailable", reason));
      }, this.#options.timeout);

      const later = (message: string): void => {
        reason = message;
        void this.servers.refresh().catch(() => undefined);
        setTimeout(attempt, retryDelay);
      };

      const send = (
        connection: Connection,
        how: { readonly asking?: boolean; readonly isNew?: boolean } = {},
      ): void => {
        const { script } = call;
        const [name, body] = how.isNew === true ? ["EVAL", script.source] : ["EVALSHA", script.sha];
        const sent = performance.now();
        last = connection;
        reason = tooSlow;
        connection.send([name, body, ...rest], { writes: script.writes, asking: how.asking ?? false }).then(
          (reply) => {
            if (!end()) return;
            const [echo, now, ...values] = reply as readonly [string, number, ...unknown[]];
            if (echo !== number) {
              connection.replace();
              reject(new StorageError("unavailable", "the server gave the answer to another call"));
              return;
            }
            if (call.tag === storeTag) this.clock.note(now, sent, performance.now());
            resolve({ now: millis(now), values });
          },
          (error: unknown) => {
            if (isOver) return;
            const verdict = judge(error);
            switch (verdict.kind) {
              case "moved":
                this.servers.moved(call.tag, verdict.address, connection);
                return attempt();
              case "ask":
                return sendWhenReady(this.servers.at(verdict.address, connection), { ...how, asking: true });
              case "no_script":
                return send(connection, { ...how, isNew: true });
              case "later":
                return later(verdict.message);
              case "failed":
                void this.servers.refresh().catch(() => undefined);
                return fail(verdict.error);
            }
          },
        );
      };

      /** To a node that was perhaps not known before. */
      const sendWhenReady = (
        connection: Connection,
        how: { readonly asking: boolean; readonly isNew?: boolean },
      ): void => {
        if (isOver) return;
        if (connection.isReady) send(connection, how);
        else setTimeout(() => sendWhenReady(connection, how), retryDelay / 4);
      };

      const attempt = (): void => {
        if (isOver) return;
        const connection = this.servers.of(call.tag);
        if (connection?.isReady === true) return send(connection);
        if (connection?.trouble === undefined || this.servers.mayRecover)
          return later("the server cannot be reached: does it run, and are host and port right?");
        fail(asStorageError(connection.trouble));
      };
      attempt();
    });
  }

  /** Asks for the time of the server that holds the store's own keys. */
  async tellTime(): Promise<void> {
    await this.run({ tag: storeTag, script: tellTime, keys: [this.#options.storeKey] });
  }
}
