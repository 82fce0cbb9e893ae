import type { Millis } from "@pawl/storage";
import { type Changed, mergeChanges, SKEW } from "./change-feed.js";
import { createTwoGenerations } from "../two-generations.js";
import type { AccessTokenClaims, SessionHandle } from "../session.js";

/** What a verifier was told of sessions so lately that access tokens of before may still be within their time. */
export interface SessionMarks {
  markRevoked(handle: SessionHandle, now: Millis): void;
  isRevoked(handle: SessionHandle, now: Millis): boolean;
  markChanged(change: Changed, now: Millis): void;
  /** What stands against a session as a token says it, if anything. */
  objectionTo(told: ToldSession, now: Millis): "revoked" | "outdated" | undefined;
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

/** Keeps what it was told for `keepFor` at least and twice that at most. */
export const createSessionMarks = (keepFor: Millis): SessionMarks => {
  const marks = createTwoGenerations<SessionHandle, Mark>({ most: Number.POSITIVE_INFINITY });
  let turnedAt = Number.NEGATIVE_INFINITY;
  let versionsLost = 0;

  const age = (now: Millis): void => {
    const since = now - turnedAt;
    if (since < keepFor) return;
    const isNextTurn = since < 2 * keepFor;
    if (isNextTurn) marks.turn();
    else marks.clear();
    turnedAt = isNextTurn ? turnedAt + keepFor : now;
  };
  const markOf = (handle: SessionHandle, now: Millis): Mark | undefined => {
    age(now);
    return marks.peek(handle);
  };

  /**
   * Beyond the skew of clocks the time decides, within it the version: a store that loses commits gives one version to two
   * changes.
   */
  const isOutdated = ({ issuedAt, payloadVersion }: ToldSession, change: Changed): boolean => {
    const age = issuedAt - change.at;
    if (age < -SKEW) return true;
    if (payloadVersion >= change.payloadVersion) return false;
    if (age <= SKEW) return true;
    // Made long after the change and without it: the store has lost it. Refusing would refuse every token of the session.
    versionsLost += 1;
    marks.set(change.handle, { isRevoked: false, change: { ...change, payloadVersion } });
    return false;
  };

  return {
    markRevoked(handle, now) {
      marks.set(handle, { ...(markOf(handle, now) ?? NOTHING), isRevoked: true });
    },
    isRevoked: (handle, now) => markOf(handle, now)?.isRevoked === true,
    markChanged(change, now) {
      const mark = markOf(change.handle, now) ?? NOTHING;
      marks.set(change.handle, { ...mark, change: mark.change ? mergeChanges(mark.change, change) : change });
    },
    objectionTo(told, now) {
      const mark = markOf(told.handle, now);
      if (mark === undefined) return undefined;
      if (mark.isRevoked) return "revoked";
      return mark.change !== undefined && isOutdated(told, mark.change) ? "outdated" : undefined;
    },
    get versionsLost() {
      return versionsLost;
    },
  };
};
