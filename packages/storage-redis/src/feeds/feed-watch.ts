import { clearInterval, setInterval } from "node:timers";
import { WakeListeners } from "@pawl/storage/adapter";
import { newClient } from "../connection/connection.js";
import type { RedisOptions } from "../options.js";
import type { Servers } from "../connection/servers.js";

/** How often the subscription is checked, in ms: a lost one may go unnoticed that long. */
const checkInterval = 500;

/** How many checks apart listeners wake in any case, because pub/sub promises no delivery. */
const checksBetweenWakes = 10;

/**
 * Wakes listeners when a feed has grown, which the scripts publish: on one channel, which a cluster carries to all
 * its nodes. A message only wakes; what happened is read from the feeds. Listeners that may have missed one (the
 * subscription is new, came back or does not answer) wake too. It keeps no process alive, and a connection only while there is
 * a listener.
 */
export class FeedWatch {
  readonly #servers: Servers;
  readonly #options: RedisOptions;
  readonly #channel: string;
  readonly listeners = new WakeListeners({
    begin: () => {
      this.#timer = setInterval(() => this.#check(), checkInterval).unref();
      this.#subscribe();
    },
    end: () => {
      clearInterval(this.#timer);
      this.#client?.destroy();
      this.#client = undefined;
    },
  });
  #client: ReturnType<typeof newClient> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isAnswering = false;
  #checks = 0;

  constructor(servers: Servers, options: RedisOptions, channel: string) {
    this.#servers = servers;
    this.#options = options;
    this.#channel = channel;
  }

  #subscribe(): void {
    this.#client?.destroy();
    this.#client = undefined;
    const { masters } = this.#servers;
    const master = masters[Math.floor(Math.random() * masters.length)];
    if (master === undefined) return;
    const client = newClient(master.address, this.#options);
    this.#client = client;
    this.#isAnswering = true;
    client.on("error", () => undefined);
    // Comes after it has subscribed again by itself.
    client.on("ready", () => this.listeners.wake());
    void (async () => {
      await client.connect();
      client.unref();
      await client.subscribe(this.#channel, () => this.listeners.wake());
      this.listeners.wake();
    })().catch(() => undefined);
  }

  #check(): void {
    this.#checks += 1;
    const client = this.#client;
    if (client?.isReady !== true || !this.#isAnswering) {
      this.#subscribe();
      this.listeners.wake();
      return;
    }
    this.#isAnswering = false;
    client.sendCommand(["PING"]).then(
      () => (this.#isAnswering = true),
      () => undefined,
    );
    if (this.#checks % checksBetweenWakes === 0) this.listeners.wake();
  }
}
