import { singleFlight, StorageError } from "@pawl/storage";
import { withinTime } from "@pawl/storage/adapter";
import { Connection } from "./connection.js";
import { asStorageError } from "./failure.js";
import { storeTag, type Tag, userTags } from "../key-space.js";
import type { Address, RedisOptions } from "../options.js";
import type { Servers } from "./servers.js";

/** CRC-16/XMODEM, which Redis Cluster uses (redis.io, "Redis cluster specification", appendix A). */
const crc16 = (text: string): number => {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
};

const slots: ReadonlyMap<Tag, number> = new Map([...userTags, storeTag].map((tag) => [tag, crc16(tag) % 16_384]));

/** A node as `CLUSTER SLOTS` tells of it. */
type NodeReply = readonly [host: string | null, port: number, ...rest: readonly unknown[]];
type SlotsReply = readonly (readonly [first: number, last: number, ...nodes: readonly NodeReply[]])[];

/** How long a node may take to say which node has what, in ms. */
const refreshTimeout = 500;

const nameOf = ({ host, port }: Address): string => `${host}:${port}`;

const parse = (name: string, from: Connection): Address => {
  const colon = name.lastIndexOf(":");
  // A node that does not know its own name leaves it out.
  return { host: name.slice(0, colon) || from.address.host, port: Number(name.slice(colon + 1)) };
};

/**
 * The masters of a Redis Cluster, which are all that is read and written. The map of the slots is asked for when a node
 * points elsewhere, does not answer, or is gone.
 */
export class Cluster implements Servers {
  readonly mayRecover = true;
  readonly #options: RedisOptions;
  readonly #connections = new Map<string, Connection>();
  readonly #owners = new Map<Tag, string>();
  /** Every node ever seen, masters or not: asked when no master answers. */
  readonly #known: Map<string, Address>;
  #isClosed = false;

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#known = new Map(options.addresses.map((address) => [nameOf(address), address]));
  }

  get masters(): readonly Connection[] {
    return [...new Set(this.#owners.values())].flatMap((name) => this.#connections.get(name) ?? []);
  }

  of(tag: Tag): Connection | undefined {
    return this.#connections.get(this.#owners.get(tag) ?? "");
  }

  at(address: string, from: Connection): Connection {
    return this.#connect(parse(address, from));
  }

  moved(tag: Tag, address: string, from: Connection): void {
    this.#owners.set(tag, nameOf(this.at(address, from).address));
    void this.refresh().catch(() => undefined);
  }

  readonly refresh = singleFlight(() => this.#refresh());

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }

  #connect(address: Address): Connection {
    const name = nameOf(address);
    const present = this.#connections.get(name);
    if (present !== undefined) return present;
    const connection = new Connection(address, this.#options);
    if (this.#isClosed) void connection.close();
    else this.#connections.set(name, connection);
    return connection;
  }

  /** Asks one node after the other, first those that are connected, until one knows. */
  async #refresh(): Promise<void> {
    const ready = [...this.#connections.values()].filter((connection) => connection.isReady);
    const others = [...this.#known.entries()].filter(([name]) => this.#connections.get(name)?.isReady !== true);
    let trouble: unknown;
    for (const connection of shuffled(ready)) {
      try {
        return this.#adopt(await ask(connection), connection);
      } catch (error) {
        trouble = error;
      }
    }
    for (const [name, address] of shuffled(others)) {
      const isNew = !this.#connections.has(name);
      const connection = this.#connect(address);
      try {
        // Which keeps it if it is a master.
        return this.#adopt(await ask(connection), connection);
      } catch (error) {
        trouble = connection.trouble ?? error;
        if (isNew) this.#drop(name);
      }
    }
    throw asStorageError(trouble);
  }

  #adopt(reply: SlotsReply, from: Connection): void {
    if (this.#isClosed) return;
    const addressOf = ([host, port]: NodeReply): Address => ({ host: host || from.address.host, port });
    const masters = new Set<string>();
    for (const [first, last, master, ...replicas] of reply) {
      if (master === undefined) continue;
      const address = addressOf(master);
      for (const node of [address, ...replicas.map(addressOf)]) this.#known.set(nameOf(node), node);
      for (const [tag, slot] of slots)
        if (slot >= first && slot <= last) {
          masters.add(nameOf(address));
          this.#owners.set(tag, nameOf(address));
          this.#connect(address);
        }
    }
    for (const name of this.#connections.keys()) if (!masters.has(name)) this.#drop(name);
  }

  #drop(name: string): void {
    const connection = this.#connections.get(name);
    this.#connections.delete(name);
    void connection?.close();
  }
}

/** Asks a node which node has what; fails when it does not answer soon. */
const ask = async (connection: Connection): Promise<SlotsReply> => {
  await connection.whenReady(refreshTimeout);
  const asked = connection.send(["CLUSTER", "SLOTS"]) as Promise<SlotsReply>;
  const reply = await withinTime(asked, refreshTimeout, "a node of the cluster does not answer");
  if (reply.length === 0) throw new StorageError("unavailable", "the node has no slots yet: is the cluster made?");
  return reply;
};

const shuffled = <T>(items: readonly T[]): readonly T[] => {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
};
