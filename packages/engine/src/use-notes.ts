import type { UseReport } from "./session-engine.js";
import type { AccessTokenClaims } from "./session.js";
import { createTwoGenerations } from "./two-generations.js";

/** Sessions remembered as told, in each of two generations. */
const MOST_REMEMBERED = 50_000;

/** What a verified token tells of its use. */
export type SeenUse = Pick<AccessTokenClaims, "handle" | "seq" | "issuedAt" | "parentSeq">;

/** What was told of a session. */
interface Told {
  readonly seq: number;
  readonly confirmed: boolean;
  readonly at: number;
}

const isOlder = (age: number, window: number): boolean => age > window || window === 0;

/**
 * Decides which uses of access tokens are worth a report: the first one of an unconfirmed token that is older than the reuse
 * window (it brings a theft to light early), and each session's activity once per activity interval.
 * @returns a function that says what to report of a verified token; undefined when there is nothing new. Times are ms.
 */
export const createUseNotes = (): ((
  use: SeenUse,
  now: number,
  rules: { readonly reuseWindow: number; readonly activityInterval: number },
) => UseReport | undefined) => {
  const known = createTwoGenerations<string, Told>({ most: MOST_REMEMBERED });
  return ({ handle, seq, issuedAt, parentSeq }, now, { reuseWindow, activityInterval }) => {
    const age = now - issuedAt;
    const toConfirm = parentSeq !== undefined && isOlder(age, reuseWindow);
    // Right after login or refresh there is nothing to tell: the row knows that much.
    if (!toConfirm && age < activityInterval) return undefined;
    const told = known.get(handle);
    const isTold = told !== undefined && now - told.at < activityInterval;
    if (isTold && (!toConfirm || (told.confirmed && told.seq >= seq))) return undefined;
    known.set(handle, { seq, confirmed: toConfirm, at: now });
    return { handle, seq, issuedAt };
  };
};
