import type { VerifyInput, VerifyOutcome } from "@pawl/engine";
import type { UserId } from "@pawl/storage";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import { accessCookieBytes, checkCookieSize } from "./cookie-size.js";
import type { Exchange } from "./exchange.js";
import { acceptedClaims, type OpenedPawl, refreshedSession } from "./opened-pawl.js";
import type { SessionBackend } from "./session-backend.js";
import { ANTI_CSRF_HEADER, clearedWith } from "./session-cookies.js";
import { checkJsonObject } from "./session-data.js";
import { SessionError, TOKEN_THEFT_DETECTED, tryRefreshToken, unauthorised, UNAUTHORISED } from "./session-error.js";
import { Session } from "./session-object.js";

const MISSING_ACCESS_TOKEN = "access token missing in cookies";
const MISSING_REFRESH_TOKEN =
  "Missing auth tokens in cookies. Have you set the correct refresh API path in your frontend and Pawl config?";

/** What an application gives for a new session. */
export interface NewSession {
  readonly userId: string;
  readonly payload: object;
  readonly data: object;
}

/** Creates a session and puts its tokens into the answer. */
export const createInExchange = async (
  opened: OpenedPawl,
  exchange: Exchange,
  { userId, payload, data }: NewSession,
): Promise<Session> => {
  const { backend, cookies } = opened;
  const checked = checkJsonObject("the JWT payload", payload);
  // Before it is created: a session that could not be handed out must not have ended another one over a limit.
  const owner = { userId: userId as UserId, payload: checked };
  checkCookieSize(accessCookieBytes(owner, backend.signingAlgorithm), owner);
  const device = exchange.device()?.slice(0, 512);
  const address = exchange.address()?.slice(0, 128);
  const issued = await backend.create({
    ...owner,
    data: checkJsonObject("session data", data),
    ...(device === undefined ? {} : { device }),
    ...(address === undefined ? {} : { address }),
  });
  try {
    cookies.write(exchange, issued);
  } catch (error) {
    // Nobody has got its tokens, so it must not stand in the user's list of sessions.
    await backend.revoke([issued.session.handle]).catch(() => undefined);
    throw error;
  }
  return new Session(opened, exchange, issued.session);
};

/** @throws SessionError `TRY_REFRESH_TOKEN` for a request without an access token, whatever else is known. */
export const requireAccessToken = (exchange: Exchange): void => {
  if (exchange.cookies(ACCESS_TOKEN_COOKIE).length === 0) throw tryRefreshToken(MISSING_ACCESS_TOKEN);
};

/** Finds the session of a request by its access token; at once where nothing has to be asked. */
export const getInExchange = (
  opened: OpenedPawl,
  exchange: Exchange,
  checkWanted: unknown,
): Session | Promise<Session> => {
  // Without types, anything truthy asks for the check: it must not be left out over a "yes".
  const doAntiCsrfCheck = Boolean(checkWanted);
  const tokens = exchange.cookies(ACCESS_TOKEN_COOKIE);
  const [first] = tokens;
  if (first === undefined) throw tryRefreshToken(MISSING_ACCESS_TOKEN);
  if (exchange.cookies(ID_REFRESH_TOKEN_COOKIE).length === 0)
    throw clearedWith(opened.cookies, exchange, unauthorised("idRefreshToken missing"));
  const antiCsrfToken = doAntiCsrfCheck ? exchange.header(ANTI_CSRF_HEADER) : undefined;
  const inputOf = (accessToken: string): VerifyInput =>
    antiCsrfToken === undefined ? { accessToken, doAntiCsrfCheck } : { accessToken, doAntiCsrfCheck, antiCsrfToken };

  const { backend } = opened;
  const outcome = tokens.length === 1 ? backend.verify(inputOf(first)) : bestOutcome(backend, tokens.map(inputOf));
  return outcome instanceof Promise
    ? outcome.then((answer) => foundSession(opened, exchange, answer))
    : foundSession(opened, exchange, outcome);
};

const foundSession = (opened: OpenedPawl, exchange: Exchange, outcome: VerifyOutcome): Session => {
  if (outcome.kind === "unauthorised") throw clearedWith(opened.cookies, exchange, unauthorised(outcome.message));
  return new Session(opened, exchange, acceptedClaims(opened, outcome));
};

/**
 * Of several access tokens in one request (a changed cookie domain leaves such behind) the valid one counts, then one
 * that a refresh may replace, then one whose session has ended, and last what is no token of ours.
 */
const bestOutcome = async (backend: SessionBackend, inputs: readonly VerifyInput[]): Promise<VerifyOutcome> => {
  const outcomes = await Promise.all(inputs.map(async (input) => backend.verify(input)));
  return outcomes.reduce((best, outcome) => (rank(outcome) < rank(best) ? outcome : best));
};

const rank = (outcome: VerifyOutcome): number => {
  if (outcome.kind === "valid") return 0;
  if (outcome.kind === "unauthorised") return 2;
  return ["expired", "anti_csrf", "unknown_key"].includes(outcome.why) ? 1 : 3;
};

/** Refreshes the session of a request by its refresh token. */
export const refreshInExchange = async (opened: OpenedPawl, exchange: Exchange): Promise<Session> => {
  const { backend, cookies } = opened;
  try {
    // A changed cookie domain leaves duplicates behind: the backend knows which of them is the newest.
    const [refreshToken, ...otherRefreshTokens] = exchange.cookies(REFRESH_TOKEN_COOKIE);
    if (refreshToken === undefined) throw unauthorised(MISSING_REFRESH_TOKEN);
    const issued = refreshedSession(opened, await backend.refresh({ refreshToken, otherRefreshTokens }));
    cookies.write(exchange, issued);
    return new Session(opened, exchange, issued.session);
  } catch (error) {
    const ended =
      SessionError.isErrorFromAuth(error) && (error.errType === UNAUTHORISED || error.errType === TOKEN_THEFT_DETECTED);
    throw ended ? clearedWith(cookies, exchange, error) : error;
  }
};
