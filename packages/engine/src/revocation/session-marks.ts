import type { Millis } from "@pawl/storage";
import { type Changed, mergeChanges, SKEW } from "./change-feed.js";
import { createRecentSessions } from "./recent-sessions.js";
import type { AccessTokenClaims, SessionHandle } from "../session.js";

/** What a verifier was told of sessions so lately that access tokens of before may still be within their time. */
export interface SessionMarks {
  markRevoked(handle: SessionHandle, now: Millis): void;
  isRevoked(handle: SessionHandle, now: Millis): boolean;
  markChanged(change: Changed, now: Millis): void;
  /** What stands against a session as a token says it, if anything. */
  objectionTo(told: ToldSession, now: Millis): "revoked" | "outdated" | undefined;
  /** How many sessions it was told of. */
  readonly size: number;
  /** How many announced changes turned out to be lost by the store. */
  readonly versionsLost: number;
}

/** What a token tells of its session that others have changed, maybe. */
export type ToldSession = Pick<AccessTokenClaims, "handle" | "issuedAt" | "payloadVersion">;

/** Both are independent: a change takes no revocation back. */
interface Mark {
  readonly isRevoked: boolean;
  readonly change: Changed | undefined;
}

const NOTHING: Mark = { isRevoked: false, change: undefined };

/**
 * Keeps what it was told for `keepFor` at least and twice that at most.
 * @param onVersionLost is called for each change that turns out to be lost.
 */
export const createSessionMarks = (keepFor: Millis, onVersionLost?: () => void): SessionMarks => {
  const marks = createRecentSessions<Mark>(keepFor);
  let versionsLost = 0;

  /**
   * Beyond the skew of clocks the time decides, within it the version: a store that loses commits gives one version to two
   * changes.
   */
  const isOutdated = ({ issuedAt, payloadVersion }: ToldSession, change: Changed, now: Millis): boolean => {
    const age = issuedAt - change.at;
    if (age < -SKEW) return true;
    if (payloadVersion >= change.payloadVersion) return false;
    if (age <= SKEW) return true;
    // Made long after the change and without it: the store has lost it. Refusing would refuse every token of the session.
    versionsLost += 1;
    onVersionLost?.();
    marks.set(change.handle, { isRevoked: false, change: { ...change, payloadVersion } }, now);
    return false;
  };

  return {
    markRevoked(handle, now) {
      marks.set(handle, { ...(marks.get(handle, now) ?? NOTHING), isRevoked: true }, now);
    },
    isRevoked: (handle, now) => marks.get(handle, now)?.isRevoked === true,
    markChanged(change, now) {
      const mark = marks.get(change.handle, now) ?? NOTHING;
      marks.set(change.handle, { ...mark, change: mark.change ? mergeChanges(mark.change, change) : change }, now);
    },
    objectionTo(told, now) {
      const mark = marks.get(told.handle, now);
      if (mark === undefined) return undefined;
      if (mark.isRevoked) return "revoked";
      return mark.change !== undefined && isOutdated(told, mark.change, now) ? "outdated" : undefined;
    },
    get size() {
      return marks.size;
    },
    get versionsLost() {
      return versionsLost;
    },
  };
};
