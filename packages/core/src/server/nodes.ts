import { hostname } from "node:os";
import { replaceFact, type SessionEngine } from "@pawl/engine";
import type { Millis } from "@pawl/storage";

/** What was not heard of for so long is forgotten, ms. */
const FORGOTTEN_AFTER = 3_600_000;
const FACT = "nodes";

/** A core of a store, as it said itself. Times are the store's. */
interface Node {
  readonly id: string;
  /** Name of its machine, and its port. */
  readonly host: string;
  readonly version: string;
  readonly startedAt: Millis;
  /** When it said this. */
  readonly seenAt: Millis;
  /** Until when it knew of all revocations and changes. */
  readonly feedReadAt: Millis;
  /** How far the clock of its machine was ahead of the store's, ms. */
  readonly clockAhead: number;
}

/** The cores of a store: each says every 20 s that it is there. */
export interface Nodes {
  /** Says that this one listens on a port, and from then on that it is there. @throws StorageError */
  join(port: number): Promise<void>;
  /** Those that were heard of within the last hour, newest first. */
  list(): Promise<readonly Node[]>;
  /** Says goodbye. Never throws. */
  leave(): Promise<void>;
}

type KeptNodes = Readonly<Record<string, Omit<Node, "id">>>;

interface NodesOptions {
  readonly version: string;
  /** Called with what went wrong; it is tried again with the next word. */
  readonly onError: (error: unknown) => void;
  /** Calls a function every 20 s. Returns stop. Timers that do not keep the process alive, unless given. */
  readonly repeat?: ((run: () => void) => () => void) | undefined;
}

const everyTwentySeconds = (run: () => void): (() => void) => {
  const timer = setInterval(run, 20_000).unref();
  return () => clearInterval(timer);
};

export const createNodes = (
  { storage, revocations }: Pick<SessionEngine, "storage" | "revocations">,
  { version, onError, repeat = everyTwentySeconds }: NodesOptions,
): Nodes => {
  const id = crypto.randomUUID();
  const startedAt = storage.now();
  let host = "";
  let stop: (() => void) | undefined;
  let saying: Promise<void> | undefined;

  const change = (edit: (others: KeptNodes) => KeptNodes): Promise<string> =>
    replaceFact(storage, FACT, {
      initial: "{}",
      change: (before) => {
        const horizon = storage.now() - FORGOTTEN_AFTER;
        const others = Object.entries(JSON.parse(before) as KeptNodes).filter(
          ([other, { seenAt }]) => other !== id && seenAt > horizon,
        );
        return JSON.stringify(edit(Object.fromEntries(others)));
      },
    });
  const say = async (): Promise<void> => {
    const seenAt = storage.now();
    const clockAhead = Date.now() - seenAt;
    const self = { host, version, startedAt, seenAt, feedReadAt: revocations.readAt, clockAhead };
    await change((others) => ({ ...others, [id]: self }));
  };
  const sayAgain = (): void => {
    saying ??= say()
      .catch(onError)
      .finally(() => (saying = undefined));
  };

  return {
    async join(port) {
      host = `${hostname()}:${port}`;
      await say();
      stop = repeat(sayAgain);
    },
    async list() {
      const kept = JSON.parse((await storage.claimMeta(FACT)) ?? "{}") as KeptNodes;
      return Object.entries(kept)
        .map(([id, node]) => ({ id, ...node }))
        .toSorted((left, right) => right.startedAt - left.startedAt);
    },
    async leave() {
      stop?.();
      await saying;
      // A store that is down keeps nobody from stopping.
      await change((others) => others).catch(() => undefined);
    },
  };
};
