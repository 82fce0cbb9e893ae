import type { VerifyInput, VerifyOutcome } from "../session.js";
import { antiCsrfTokenMatches } from "../tokens/anti-csrf.js";

/** What a verifier says of a token that may be another system's: then the session's own may stand in a cookie. */
const FOREIGN: readonly string[] = ["malformed", "unsupported_header", "unknown_key", "incomplete"];

export const isForeign = (outcome: VerifyOutcome): boolean =>
  outcome.kind === "try_refresh" && FOREIGN.includes(outcome.why);

/** What came of an access token. */
export interface Verified {
  readonly accessToken: string;
  readonly outcome: VerifyOutcome;
}

/**
 * Of several access tokens in one request (a changed cookie leaves such behind) a valid one counts whose anti-CSRF token came
 * along, which no planted cookie brings; then the valid one issued last, then one that a refresh may replace, then one whose
 * session has ended, and last what is no token of ours.
 */
export const verifyBest = async (
  verifier: { verify(input: VerifyInput): VerifyOutcome | Promise<VerifyOutcome> },
  inputs: readonly VerifyInput[],
  antiCsrfToken?: string,
): Promise<Verified> => {
  const all = await Promise.all(
    inputs.map(async (input) => ({ accessToken: input.accessToken, outcome: await verifier.verify(input) })),
  );
  return all.reduce((best, one) => (isBetter(one.outcome, best.outcome, antiCsrfToken) ? one : best));
};

const isBetter = (one: VerifyOutcome, other: VerifyOutcome, antiCsrfToken: string | undefined): boolean => {
  if (one.kind !== "valid" || other.kind !== "valid") return rank(one) < rank(other);
  const [isShown, isOtherShown] = [one, other].map(({ claims }) =>
    antiCsrfTokenMatches(claims.antiCsrfToken, antiCsrfToken),
  );
  return isShown === isOtherShown ? one.claims.issuedAt > other.claims.issuedAt : isShown === true;
};

const rank = (outcome: VerifyOutcome): number => {
  if (outcome.kind === "valid") return 0;
  if (outcome.kind === "unauthorised") return 2;
  return ["expired", "outdated", "wrong_audience", "anti_csrf", "unknown_key"].includes(outcome.why) ? 1 : 3;
};
