import { type Millis, millis, type Storage } from "@pawl/storage";
import type { Policy } from "../policy.js";

/** Rows deleted in one statement: few, so that no other call waits long behind it. */
const BATCH = 250;
/** Batches in one round and kind; what is left waits for the next round. */
const BATCHES = 200;

/** What a round of deleting removed. */
export interface Swept {
  readonly sessions: number;
  readonly revocations: number;
  readonly changes: number;
  readonly events: number;
}

/** Deletes what is over, in small batches, at most fifty thousand rows of a kind; safe to run on every node at once. */
export const sweep = async (storage: Storage, policy: Policy): Promise<Swept> => {
  const now = storage.now();
  // A verifier that was cut off re-reads one access token lifetime; the second is for clocks and running statements.
  const unread = ago(now, millis(2 * policy.accessTokenValidity));
  return {
    sessions: await inBatches((limit) => storage.deleteExpired(now, limit)),
    revocations: await inBatches((limit) => storage.deleteRevocations(unread, limit)),
    changes: await inBatches((limit) => storage.deleteChanges(unread, limit)),
    events: await inBatches((limit) => storage.deleteEvents(ago(now, policy.eventRetention), limit)),
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
