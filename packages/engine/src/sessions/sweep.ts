import { type Millis, millis, type OnEndedByTime, type Storage } from "@pawl/storage";
import type { Counts } from "../counts/counts.js";
import type { Policy } from "../policy.js";

/** Rows deleted in one statement: few, so that no other call waits long behind it. */
const BATCH = 100;
/** Batches in one round and kind; what is left waits for the next round. */
const BATCHES = 500;

/** What a round of deleting removed. */
export interface Swept {
  readonly sessions: number;
  readonly revocations: number;
  readonly changes: number;
  readonly events: number;
  readonly counts: number;
  /** Events that could not be delivered. */
  readonly deadOutbox: number;
}

/** Deletes what is over, in small batches, at most fifty thousand rows of a kind; safe to run on every node at once. */
export const sweep = async (storage: Storage, policy: Policy, counts: Pick<Counts, "addEnds">): Promise<Swept> => {
  const now = storage.now();
  // A verifier that was cut off re-reads one access token lifetime; the second is for clocks and running statements.
  const unread = ago(now, millis(2 * policy.accessTokenValidity));
  const count: OnEndedByTime = (ended) => {
    for (const session of ended) counts.addEnds([session], session.reason);
  };
  const kept = ago(now, policy.eventRetention);
  return {
    sessions: await inBatches((limit) => storage.deleteExpired(now, limit, count)),
    revocations: await inBatches((limit) => storage.deleteRevocations(unread, limit)),
    changes: await inBatches((limit) => storage.deleteChanges(unread, limit)),
    events: await inBatches((limit) => storage.deleteEvents(kept, limit)),
    counts: await inBatches((limit) => storage.deleteCounts(kept, limit)),
    deadOutbox: await inBatches((limit) => storage.deleteDeadOutbox(kept, limit)),
  };
};

const ago = (now: Millis, duration: Millis): Millis => millis(now - duration);

const inBatches = async (deleteSome: (limit: number) => Promise<number>): Promise<number> => {
  let total = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const deleted = await deleteSome(BATCH);
    total += deleted;
    if (deleted < BATCH) break;
  }
  return total;
};
