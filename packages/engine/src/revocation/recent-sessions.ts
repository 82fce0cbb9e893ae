import type { Millis } from "@pawl/storage";
import type { SessionHandle } from "../session.js";
import { createTwoGenerations } from "../two-generations.js";

/** Something known of sessions for a while. */
export interface RecentSessions<Known> {
  get(handle: SessionHandle, now: Millis): Known | undefined;
  set(handle: SessionHandle, known: Known, now: Millis): void;
  readonly size: number;
}

/** A map that grows copies all that it holds: with hundreds of thousands of sessions that takes longer than a request may. */
const SEGMENTS = 64;

/** Handles begin with what their user's others begin with; these digits are random. */
const segmentOf = (handle: SessionHandle): number =>
  ((handle.charCodeAt(34) * 7 + handle.charCodeAt(35)) | 0) % SEGMENTS;

/** Keeps what it was told for `keepFor` at least and twice that at most, and forgets without a search. */
export const createRecentSessions = <Known>(keepFor: number): RecentSessions<Known> => {
  const segments = Array.from({ length: SEGMENTS }, () =>
    createTwoGenerations<SessionHandle, Known>({ most: Number.POSITIVE_INFINITY }),
  );
  let turnedAt = Number.NEGATIVE_INFINITY;

  const segmentAt = (handle: SessionHandle, now: Millis) => {
    const since = now - turnedAt;
    if (since >= keepFor) {
      const isNextTurn = since < 2 * keepFor;
      for (const segment of segments) {
        if (isNextTurn) segment.turn();
        else segment.clear();
      }
      turnedAt = isNextTurn ? turnedAt + keepFor : now;
    }
    return segments[segmentOf(handle)];
  };

  return {
    get: (handle, now) => segmentAt(handle, now)?.peek(handle),
    set: (handle, known, now) => segmentAt(handle, now)?.set(handle, known),
    get size() {
      return segments.reduce((sum, { size }) => sum + size, 0);
    },
  };
};
