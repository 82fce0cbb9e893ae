import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";
import { WakeListeners } from "@pawl/storage/adapter";
import { Client } from "pg";
import { configOf, Sockets, type TimedQuery } from "./connection/connection.js";
import { channelOf, type Database } from "./connection/database.js";
import { changes, revocations } from "./feeds.js";
import type { Address } from "./options.js";

/** How often the feeds are asked while nothing can be listened to, in ms: at most this late does a watcher wake. */
const pollInterval = 250;

/** How often a connection that says nothing is asked whether it is still there, in ms. */
const probeInterval = 10_000;

/** For how many ms it may keep the answer. */
const patience = 5000;

const listen = (channel: string): TimedQuery => ({ text: `LISTEN "${channel}"`, query_timeout: patience });
const probe: TimedQuery = { text: "SELECT 1", query_timeout: patience };

const hasGrown = ({ table }: { readonly table: string }): string => `EXISTS (
      SELECT FROM {schema}.${table}
      WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)
    )`;

/** Whether anything was committed to a feed since a snapshot, and the snapshot of the answer. */
const pollFeeds = {
  text: `SELECT pg_current_snapshot()::text AS snapshot,
    $1::text IS NOT NULL AND (${hasGrown(revocations)} OR ${hasGrown(changes)}) AS fresh`,
};

/**
 * Wakes watchers when lines of a feed were committed by any process: over a connection of its own that listens, and by polling
 * while there is none. Each new connection wakes too, because something may have been said before it listened. Works only
 * while there is a watcher, and keeps no process alive.
 */
export class FeedWatch {
  readonly listeners = new WakeListeners({
    begin: () => {
      this.#timer = setInterval(() => void this.#look(), pollInterval).unref();
      void this.#look();
    },
    end: () => this.#end(),
  });
  readonly #sockets = new Sockets();
  readonly #database: Database;
  readonly #address: Address | undefined;
  #timer: NodeJS.Timeout | undefined;
  #client: Client | undefined;
  #isListening = false;
  #isBusy = false;
  #probed = 0;
  #snapshot: string | null = null;

  /** @param address where to listen; undefined where only polling is possible. */
  constructor(database: Database, address: Address | undefined) {
    this.#database = database;
    this.#address = address;
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#snapshot = null;
    this.#hangUp();
    this.#sockets.destroy();
  }

  /** Keeps the connection, or stands in for it. */
  async #look(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      if (this.#address !== undefined && this.#client === undefined) await this.#listen(this.#address);
      if (!this.#isListening) await this.#poll();
      else if (performance.now() - this.#probed > probeInterval) await this.#probe();
    } catch {
      // The server is away: the next look tries again, and readers of the feeds see the failure.
      this.#hangUp();
    } finally {
      this.#isBusy = false;
    }
  }

  async #listen(address: Address): Promise<void> {
    const client = new Client({
      ...configOf(address, { sockets: this.#sockets, isShared: true }),
      connectionTimeoutMillis: patience,
    });
    this.#client = client;
    const lost = (): void => {
      if (this.#client === client) this.#hangUp();
    };
    client.on("error", lost);
    client.on("end", lost);
    client.on("notification", () => this.listeners.wake());
    await client.connect();
    await client.query(listen(channelOf(this.#database.schema)));
    if (this.#client !== client) return;
    (client as Client & { unref(): void }).unref();
    this.#isListening = true;
    this.#probed = performance.now();
    this.#snapshot = null;
    this.listeners.wake();
  }

  async #probe(): Promise<void> {
    await this.#client?.query(probe);
    this.#probed = performance.now();
  }

  async #poll(): Promise<void> {
    const [answer] = await this.#database.query<{ readonly snapshot: string; readonly fresh: boolean }>(pollFeeds, [
      this.#snapshot,
    ]);
    const isFirst = this.#snapshot === null;
    this.#snapshot = answer?.snapshot ?? null;
    if (isFirst || answer?.fresh === true) this.listeners.wake();
  }

  #hangUp(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#isListening = false;
    void client?.end().catch(() => undefined);
  }
}
