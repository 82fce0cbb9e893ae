import type { Millis } from "@pawl/storage";
import type { SessionHandle } from "../session.js";

/** The sessions that were revoked so lately that access tokens of theirs may still be within their time. */
export interface RevokedSessions {
  add(handle: SessionHandle, now: Millis): void;
  has(handle: SessionHandle, now: Millis): boolean;
}

/** Keeps each handle for `keepFor` at least and twice that at most: two generations, so that none is ever searched for. */
export const createRevokedSessions = (keepFor: Millis): RevokedSessions => {
  let young = new Set<SessionHandle>();
  let old = new Set<SessionHandle>();
  let youngSince = Number.NEGATIVE_INFINITY;

  const age = (now: Millis): void => {
    const since = now - youngSince;
    if (since < keepFor) return;
    const isNextTurn = since < 2 * keepFor;
    old = isNextTurn ? young : new Set();
    young = new Set();
    youngSince = isNextTurn ? youngSince + keepFor : now;
  };

  return {
    add(handle, now) {
      age(now);
      young.add(handle);
    },
    has(handle, now) {
      age(now);
      return young.has(handle) || old.has(handle);
    },
  };
};
