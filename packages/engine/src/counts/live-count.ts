import { type Millis, millis, nextTurn, type Storage } from "@pawl/storage";
import { replaceFact } from "../fact.js";

export const HOUR = 3_600_000;

const FACT = "live_sessions";
/** How long a count is good for: what a killed process did not add, and sessions that are over by idleness, are missing. */
const GOOD_FOR = HOUR;
/** A node that counts and is not done by then has stopped. */
const LEASE = HOUR;
const PAGE = 500;
/** Pages read in one round of maintenance: half a second of work. */
const PAGES = 100;

/** How many sessions are live. */
export interface LiveSessions {
  readonly count: number;
  /** When they were counted last; since then logins and ends have moved the number. */
  readonly countedAt: Millis;
}

interface Kept {
  readonly count: number;
  /** Absent until they were counted once. */
  readonly countedAt?: Millis | undefined;
  /** Until when a node counts them anew. */
  readonly counting?: Millis | undefined;
}

/** The number of live sessions: read from a fact of the store, which logins and ends move, and which is counted anew each hour. */
export interface LiveCount {
  /** Moves the number. */
  move(by: number): Promise<void>;
  /** @returns undefined until they were counted once. */
  read(): Promise<LiveSessions | undefined>;
  /** Goes on counting where it is due and no other node does: fifty thousand sessions in a round. */
  countSome(): Promise<void>;
}

/** A count on its way, in this process. */
interface Walk {
  /** The number when it began. */
  readonly start: number;
  readonly counting: Millis;
  found: number;
  after: string | undefined;
}

const NONE = JSON.stringify({ count: 0 } satisfies Kept);

type CountStore = Pick<Storage, "now" | "claimMeta" | "replaceMeta" | "listSessionReferences">;

export const createLiveCount = (storage: CountStore): LiveCount => {
  let walk: Walk | undefined;

  const read = async (): Promise<Kept> => JSON.parse((await storage.claimMeta(FACT)) ?? NONE) as Kept;

  const change = (kept: (before: Kept) => Kept): Promise<string> =>
    replaceFact(storage, FACT, {
      initial: NONE,
      change: (before) => JSON.stringify(kept(JSON.parse(before) as Kept)),
    });

  /** @returns undefined where nothing has to be counted, or another node does it. */
  const begin = async (): Promise<Walk | undefined> => {
    const now = storage.now();
    let begun: Walk | undefined;
    await change((before) => {
      const { count, countedAt = 0, counting = 0 } = before;
      // Asked at each attempt: another node may just have begun, or be done.
      const isDue = now >= countedAt + GOOD_FOR && now >= counting;
      begun = isDue ? { start: count, counting: millis(now + LEASE), found: 0, after: undefined } : undefined;
      return begun === undefined ? before : { ...before, counting: begun.counting };
    });
    return begun;
  };

  return {
    async move(by) {
      await change((before) => ({ ...before, count: before.count + by }));
    },

    async read() {
      const { count, countedAt } = await read();
      return countedAt === undefined ? undefined : { count: Math.max(0, count), countedAt };
    },

    async countSome() {
      const going = (walk ??= await begin());
      if (going === undefined) return;
      for (let page = 0; page < PAGES; page += 1) {
        const { items, next } = await storage.listSessionReferences({}, { limit: PAGE, after: going.after });
        going.found += items.length;
        going.after = next;
        if (next === undefined) break;
        await nextTurn();
      }
      if (going.after !== undefined) return;
      walk = undefined;
      const countedAt = storage.now();
      await change((before) =>
        before.counting !== going.counting
          ? before
          : // Of what began or ended meanwhile, anywhere among the ids, half was seen.
            { count: going.found + Math.round((before.count - going.start) / 2), countedAt },
      );
    },
  };
};
