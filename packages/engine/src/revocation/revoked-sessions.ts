import type { Millis } from "@pawl/storage";
import type { SessionHandle } from "../session.js";
import { createTwoGenerations } from "../two-generations.js";

/** The sessions that were revoked so lately that access tokens of theirs may still be within their time. */
export interface RevokedSessions {
  add(handle: SessionHandle, now: Millis): void;
  has(handle: SessionHandle, now: Millis): boolean;
}

/** Keeps each handle for `keepFor` at least and twice that at most. */
export const createRevokedSessions = (keepFor: Millis): RevokedSessions => {
  const handles = createTwoGenerations<SessionHandle, true>({ most: Number.POSITIVE_INFINITY });
  let turnedAt = Number.NEGATIVE_INFINITY;

  const age = (now: Millis): void => {
    const since = now - turnedAt;
    if (since < keepFor) return;
    const isNextTurn = since < 2 * keepFor;
    if (isNextTurn) handles.turn();
    else handles.clear();
    turnedAt = isNextTurn ? turnedAt + keepFor : now;
  };

  return {
    add(handle, now) {
      age(now);
      handles.set(handle, true);
    },
    has(handle, now) {
      age(now);
      return handles.has(handle);
    },
  };
};
