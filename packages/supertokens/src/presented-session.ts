import { timingSafeEqual } from "node:crypto";
import type { VerifyInput, VerifyOutcome } from "@pawl/engine";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import { type Exchange, REFRESH_TOKEN_START, type TokenTransfer, bearerToken } from "@pawl/node/http";
import type { OpenedPawl } from "./opened-pawl.js";
import type { SessionBackend } from "@pawl/node/backend";

/** What a verifier says of a token that may be another system's: then the session's own may stand in a cookie. */
const FOREIGN: readonly string[] = ["malformed", "unsupported_header", "unknown_key", "incomplete"];

/** The token a request carries in its `Authorization`, where tokens in headers are allowed. */
export const presentedBearer = ({ options }: Pick<OpenedPawl, "options">, exchange: Exchange): string | undefined =>
  options.headerMode === false ? undefined : bearerToken(exchange);

export const isForeign = (outcome: VerifyOutcome): boolean =>
  outcome.kind === "try_refresh" && FOREIGN.includes(outcome.why);

/** The refresh tokens of a request, and the way they came. */
export interface PresentedRefreshTokens {
  readonly tokens: readonly string[];
  readonly transfer: TokenTransfer;
}

/** The refresh tokens of a request. The answer goes the way they came: what was in a cookie is never told to a script. */
export const presentedRefreshTokens = (opened: OpenedPawl, exchange: Exchange): PresentedRefreshTokens => {
  const bearer = presentedBearer(opened, exchange);
  return bearer?.startsWith(REFRESH_TOKEN_START) === true
    ? { tokens: [bearer], transfer: "header" }
    : { tokens: opened.cookies.read(exchange, REFRESH_TOKEN_COOKIE), transfer: "cookie" };
};

/** Whether the cookies of a request show that there may be a session whose access token has ended. */
export const showsSession = ({ cookies }: OpenedPawl, exchange: Exchange): boolean =>
  [ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE].some((cookie) => cookies.read(exchange, cookie).length > 0);

/**
 * Of several access tokens in one request (a changed cookie leaves such behind) a valid one counts whose anti-CSRF token came
 * along, which no planted cookie brings; then the valid one issued last, then one that a refresh may replace, then one whose
 * session has ended, and last what is no token of ours.
 */
export const verifyBest = async (
  backend: SessionBackend,
  inputs: readonly VerifyInput[],
  antiCsrfToken?: string,
): Promise<VerifyOutcome> => {
  const outcomes = await Promise.all(inputs.map(async (input) => backend.verify(input)));
  return outcomes.reduce((best, outcome) => (isBetter(outcome, best, antiCsrfToken) ? outcome : best));
};

const isBetter = (one: VerifyOutcome, other: VerifyOutcome, antiCsrfToken: string | undefined): boolean => {
  if (one.kind !== "valid" || other.kind !== "valid") return rank(one) < rank(other);
  const [isShown, isOtherShown] = [one, other].map(({ claims }) => isSame(claims.antiCsrfToken, antiCsrfToken));
  return isShown === isOtherShown ? one.claims.issuedAt > other.claims.issuedAt : isShown === true;
};

/** Compares in constant time. */
const isSame = (one: string | undefined, other: string | undefined): boolean => {
  if (one === undefined || other === undefined) return false;
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const rank = (outcome: VerifyOutcome): number => {
  if (outcome.kind === "valid") return 0;
  if (outcome.kind === "unauthorised") return 2;
  return ["expired", "anti_csrf", "unknown_key"].includes(outcome.why) ? 1 : 3;
};

/** The handle that an access token names; it proves nothing. Empty where it names none. */
export const handleIn = (accessToken: string): string => {
  try {
    const [, body = ""] = accessToken.split(".");
    const claims: unknown = JSON.parse(Buffer.from(body, "base64url").toString());
    const { sessionHandle } = claims as { readonly sessionHandle?: unknown };
    return typeof sessionHandle === "string" ? sessionHandle : "";
  } catch {
    return "";
  }
};
