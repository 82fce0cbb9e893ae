import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import { type Clock, type Millis, millis, StorageError } from "@pawl/storage";
import { ServerClock } from "@pawl/storage/adapter";
import type { Connection } from "./connection.js";
import { asStorageError, judge } from "./failure.js";
import { storeTag, type Tag } from "../key-space.js";
import { readScript, type Script } from "../scripts/lua.js";
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

/** When the last answer counts as old, in ms. */
const renewalInterval = 10_000;

const tellTime = readScript("return { ARGV[1], now }");

const unreachable = "the server cannot be reached: does it run, and are host and port right?";
const tooSlow = "the server did not answer in time: whether the call was done is not known";

/**
 * Runs scripts where their keys are. Each server of a cluster has a clock of its own: what becomes of a row is decided by that
 * of the server that has it. A call that certainly was not done (its slot is elsewhere, is being moved, has no
 * master for the moment) is tried again until its time is over; one that was sent and not answered never is.
 */
export class ScriptCalls {
  readonly clock: ServerClock;
  readonly servers: Servers;
  readonly timeout: number;
  readonly #storeKey: string;
  #number = 0;
  #renewAt = 0;

  constructor(servers: Servers, options: CallOptions) {
    this.servers = servers;
    this.timeout = options.timeout;
    this.#storeKey = options.storeKey;
    this.clock = new ServerClock(options.clock);
  }

  /** The time of the server that holds the store's own keys; asks for it in the background when the last answer is old. */
  now(): Millis {
    const present = performance.now();
    if (this.clock.injected === undefined && present >= this.#renewAt) {
      this.#renewAt = present + renewalInterval;
      void this.tellTime().catch(() => undefined);
    }
    return this.clock.now();
  }

  /** Notes the time of the server of the store's own keys. */
  noteTime(time: number, sent: number, received: number): void {
    this.clock.note(time, sent, received);
    this.#renewAt = received + renewalInterval;
  }

  run(call: ScriptCall): Promise<ScriptAnswer> {
    return new Promise((resolve, reject) => {
      this.#number += 1;
      new PendingCall(this, call, { number: String(this.#number), resolve, reject }).attempt();
    });
  }

  /** Asks for the time of the server that holds the store's own keys. */
  async tellTime(): Promise<void> {
    await this.run({ tag: storeTag, script: tellTime, keys: [this.#storeKey] });
  }
}

interface Caller {
  /** What the answer has to begin with. */
  readonly number: string;
  readonly resolve: (answer: ScriptAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** One call until it is answered. */
class PendingCall {
  readonly #calls: ScriptCalls;
  readonly #call: ScriptCall;
  readonly #caller: Caller;
  readonly #timer: NodeJS.Timeout;
  #connection: Connection | undefined;
  #sent = 0;
  #isAsking = false;
  #isOver = false;
  /** Why there is no answer yet. */
  #reason = unreachable;

  constructor(calls: ScriptCalls, call: ScriptCall, caller: Caller) {
    this.#calls = calls;
    this.#call = call;
    this.#caller = caller;
    this.#timer = setTimeout(() => this.#expire(), calls.timeout);
  }

  attempt(): void {
    if (this.#isOver) return;
    const { servers } = this.#calls;
    const connection = servers.of(this.#call.tag);
    if (connection?.isReady === true) this.#send(connection, false);
    else if (connection?.trouble === undefined || servers.mayRecover) this.#later(unreachable);
    else this.#fail(asStorageError(connection.trouble));
  }

  #send(connection: Connection, isNew: boolean): void {
    const { script, keys, args } = this.#call;
    const command = isNew ? ["EVAL", script.source, String(keys.length)] : ["EVALSHA", script.sha, String(keys.length)];
    command.push(...keys, this.#caller.number, String(this.#calls.clock.injected?.now() ?? ""));
    for (const arg of args ?? []) command.push(String(arg));
    this.#connection = connection;
    this.#reason = tooSlow;
    this.#sent = performance.now();
    connection.send(command, { writes: script.writes, asking: this.#isAsking }).then(
      (reply) => this.#answer(reply as readonly [string, number, ...unknown[]]),
      (error: unknown) => this.#judge(error),
    );
  }

  #answer(reply: readonly [string, number, ...unknown[]]): void {
    const received = performance.now();
    this.#connection?.noteAnswer(received);
    if (!this.#end()) return;
    const { number, resolve, reject } = this.#caller;
    if (reply[0] !== number) {
      this.#connection?.replace();
      return reject(new StorageError("unavailable", "the server gave the answer to another call"));
    }
    if (this.#call.tag === storeTag) this.#calls.noteTime(reply[1], this.#sent, received);
    resolve({ now: millis(reply[1]), values: reply.slice(2) });
  }

  #judge(error: unknown): void {
    if (this.#isOver) return;
    const connection = this.#connection!;
    const { servers } = this.#calls;
    const verdict = judge(error);
    this.#isAsking &&= verdict.kind === "no_script";
    switch (verdict.kind) {
      case "moved":
        servers.moved(this.#call.tag, verdict.address, connection);
        return this.attempt();
      case "ask":
        return this.#ask(servers.at(verdict.address, connection));
      case "no_script":
        return this.#send(connection, true);
      case "later":
        return this.#later(verdict.message);
      case "failed":
        void servers.refresh().catch(() => undefined);
        return this.#fail(verdict.error);
    }
  }

  /** Sends to a node that does not have the slot yet, and perhaps was not known before. */
  #ask(connection: Connection): void {
    if (this.#isOver) return;
    if (!connection.isReady) return void setTimeout(() => this.#ask(connection), retryDelay / 4);
    this.#isAsking = true;
    this.#send(connection, false);
  }

  #later(reason: string): void {
    this.#reason = reason;
    void this.#calls.servers.refresh().catch(() => undefined);
    setTimeout(() => this.attempt(), retryDelay);
  }

  #expire(): void {
    this.#connection?.replaceIfSilent(Math.max(this.#calls.timeout, leastSilence));
    this.#fail(new StorageError("unavailable", this.#reason));
  }

  #fail(error: unknown): void {
    if (this.#end()) this.#caller.reject(error);
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    return true;
  }
}
