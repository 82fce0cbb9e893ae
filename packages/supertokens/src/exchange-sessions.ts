import type { AccessTokenClaims, IssuedSession, JsonObject, VerifyInput, VerifyOutcome } from "@pawl/engine";
import { isForeign, verifyBest, warnOf } from "@pawl/node/backend";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, namesOf } from "./cookie-name.js";
import {
  type Exchange,
  accessCookieBytes,
  bearerToken,
  checkCookieSize,
  readsFrontToken,
  wantedTransfer,
} from "@pawl/node/http";
import { isForeignRequest, isPageVisit, isUnsafe, passesCsrfCheck } from "./csrf.js";
import {
  acceptedClaims,
  checkNobodyActs,
  clearedAfterEnd,
  clearedUnlessForeign,
  clearedWith,
  type OpenedPawl,
  refreshRefusal,
} from "./opened-pawl.js";
import { handleIn, presentedBearer, presentedRefreshTokens, showsSession } from "./presented-session.js";
import { hasJustTried } from "./refresh-attempt.js";
import { coversPath, UNREACHED_ROUTE, unreachedRoute } from "./refresh-route.js";
import { ANTI_CSRF_HEADER, announceRefreshable } from "./session-announcement.js";
import { checkLoginUserId } from "./session-data.js";
import { type SessionError, tryRefreshToken, unauthorised } from "./session-error.js";
import { Session } from "./session-object.js";

const MISSING_ACCESS_TOKEN = "access token missing in cookies";
const MISSING_REFRESH_TOKEN =
  "Missing auth tokens in cookies. Have you set the correct refresh API path in your frontend and Pawl config?";

const CSRF_FAILED = "anti-csrf check failed";

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
  const { backend, cookies, options } = opened;
  const transfer = options.headerMode === false ? "cookie" : wantedTransfer(exchange);
  const { csrf: mode = "token", origins = [] } = options;
  // A page of another site must not log its visitors into an account of its own (login CSRF). Tokens in headers log no browser in.
  if (transfer === "cookie" && mode !== "token" && isUnsafe(exchange) && !passesCsrfCheck(exchange, { mode, origins }))
    throw tryRefreshToken(CSRF_FAILED);
  const owner = { userId: checkLoginUserId(userId), payload: payload as JsonObject };
  const issued = await backend.create({
    ...owner,
    data: data as JsonObject,
    // Before it is created: a session that could not be handed out must not have ended another one over a limit.
    checkPayload:
      transfer === "cookie"
        ? (json) => {
            const bytes = accessCookieBytes(owner, {
              name: ACCESS_TOKEN_COOKIE,
              algorithm: backend.signingAlgorithm,
              form: "v5",
              json,
            });
            checkCookieSize({ name: ACCESS_TOKEN_COOKIE, bytes }, owner);
          }
        : undefined,
    device: exchange.device()?.slice(0, 512),
    address: exchange.address()?.slice(0, 128),
  });
  try {
    cookies.write(exchange, issued, transfer);
  } catch (error) {
    // Nobody has got its tokens, so it must not stand in the user's list of sessions.
    await backend.revoke([issued.session.handle]).catch(() => undefined);
    throw error;
  }
  await endCarried(opened, exchange);
  return new Session(opened, exchange, issued.session);
};

/** Ends the session that a login's request carries (ASVS 7.2.4). Where that fails, the login stands all the same. */
const endCarried = async (opened: OpenedPawl, exchange: Exchange): Promise<void> => {
  try {
    const carried = await readInExchange(opened, exchange);
    if (carried.kind === "valid") await opened.backend.revoke([carried.claims.handle], { reason: "replaced" });
  } catch (error) {
    warnOf(error);
  }
};

/** @throws SessionError `TRY_REFRESH_TOKEN` for a request without an access token, whatever else is known. */
export const requireAccessToken = (exchange: Exchange): void => {
  const carried =
    bearerToken(exchange) ?? namesOf(ACCESS_TOKEN_COOKIE).find((name) => exchange.cookies(name).length > 0);
  if (carried === undefined) throw tryRefreshToken(MISSING_ACCESS_TOKEN);
};

/** Finds the session of a request by its access token; at once where nothing has to be asked. */
export const getInExchange = (
  opened: OpenedPawl,
  exchange: Exchange,
  checkWanted: unknown,
): Session | Promise<Session> => {
  // Without types, anything truthy asks for the check: it must not be left out over a "yes".
  const doAntiCsrfCheck = Boolean(checkWanted);
  const bearer = presentedBearer(opened, exchange);
  if (bearer === undefined) return getByCookie(opened, exchange, doAntiCsrfCheck);
  // No other site can make a browser send this header: there is nothing to check.
  return after(opened.backend.verify({ accessToken: bearer }), (outcome) =>
    isForeign(outcome) && opened.cookies.read(exchange, ACCESS_TOKEN_COOKIE).length > 0
      ? getByCookie(opened, exchange, doAntiCsrfCheck)
      : foundSession(opened, exchange, { outcome, tokens: [bearer] }),
  );
};

const getByCookie = (opened: OpenedPawl, exchange: Exchange, doAntiCsrfCheck: boolean): Session | Promise<Session> => {
  const { backend, cookies, options } = opened;
  const tokens = cookies.read(exchange, ACCESS_TOKEN_COOKIE);
  const [first] = tokens;
  if (first === undefined) throw refreshable(opened, exchange, tryRefreshToken(MISSING_ACCESS_TOKEN));
  // As the documented API has it; SDKs that read `front-token` have never known this cookie.
  if (!readsFrontToken(exchange) && cookies.read(exchange, ID_REFRESH_TOKEN_COOKIE).length === 0)
    throw clearedUnlessForeign(opened, exchange, unauthorised("idRefreshToken missing"));
  const { csrf: mode = "token", origins = [] } = options;
  if (doAntiCsrfCheck && !passesCsrfCheck(exchange, { mode, origins })) throw tryRefreshToken(CSRF_FAILED);
  const comparesToken = doAntiCsrfCheck && mode === "token";
  const antiCsrfToken = comparesToken ? exchange.header(ANTI_CSRF_HEADER) : undefined;
  const inputOf = (accessToken: string): VerifyInput => ({
    accessToken,
    doAntiCsrfCheck: comparesToken,
    antiCsrfToken,
  });

  const outcome =
    tokens.length === 1
      ? backend.verify(inputOf(first))
      : verifyBest(backend, tokens.map(inputOf), exchange.header(ANTI_CSRF_HEADER)).then((best) => best.outcome);
  return after(outcome, (answer) => foundSession(opened, exchange, { outcome: answer, tokens }));
};

/** Goes on at once with what is there at once. */
const after = <Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> => (value instanceof Promise ? value.then(next) : next(value));

const foundSession = (
  opened: OpenedPawl,
  exchange: Exchange,
  { outcome, tokens }: { readonly outcome: VerifyOutcome; readonly tokens: readonly string[] },
): Session | Promise<Session> => {
  if (outcome.kind === "unauthorised") {
    const handle = tokens.map(handleIn).find((it) => it !== "") ?? "";
    const ended = { handle, error: unauthorised(outcome.message) };
    return clearedAfterEnd(opened, exchange, ended).then((error) => Promise.reject(error));
  }
  if (outcome.kind === "try_refresh") throw refreshable(opened, exchange, tryRefreshToken(outcome.message));
  return new Session(opened, exchange, acceptedClaims(opened, outcome));
};

/** Tells the page, where it listens, that a refresh may help. @returns the error. */
const refreshable = (opened: OpenedPawl, exchange: Exchange, error: SessionError): SessionError => {
  try {
    if (presentedBearer(opened, exchange) !== undefined || showsSession(opened, exchange))
      announceRefreshable(exchange);
  } catch {
    // The answer is on its way already; the error says more.
  }
  return error;
};

/** What a page that is being rendered may know of its session. */
export type SessionReading =
  | { readonly kind: "valid"; readonly claims: AccessTokenClaims }
  | { readonly kind: "try_refresh" }
  | { readonly kind: "none" };

/** Reads the session of a request, and changes nothing: neither the answer nor anything that is stored. */
export const readInExchange = async (opened: OpenedPawl, exchange: Exchange): Promise<SessionReading> => {
  const { backend, cookies } = opened;
  const bearer = presentedBearer(opened, exchange);
  // A bearer token of another system, such as that of a proxy, is no sign of a session.
  const isOwn = bearer !== undefined && !isForeign(await backend.verify({ accessToken: bearer }));
  const tokens = [...(isOwn ? [bearer] : []), ...cookies.read(exchange, ACCESS_TOKEN_COOKIE)];
  const inputs = tokens.map((accessToken) => ({ accessToken }));
  const outcome = tokens.length === 0 ? undefined : (await verifyBest(backend, inputs)).outcome;
  if (outcome?.kind === "valid") {
    checkNobodyActs(outcome.claims);
    return { kind: "valid", claims: outcome.claims };
  }
  if (outcome?.kind === "unauthorised" || hasJustTried(exchange, backend.now())) return { kind: "none" };
  return { kind: isOwn || showsSession(opened, exchange) ? "try_refresh" : "none" };
};

/** Refreshes the session of a request by its refresh token. */
export const refreshInExchange = async (opened: OpenedPawl, exchange: Exchange): Promise<Session> =>
  new Session(opened, exchange, (await renewInExchange(opened, exchange)).session);

/** As `refreshInExchange`. @returns what was put into the answer. */
export const renewInExchange = async (opened: OpenedPawl, exchange: Exchange): Promise<IssuedSession> => {
  const { backend, cookies, options } = opened;
  if (isForeignRequest(exchange, options.origins ?? []) && !isPageVisit(exchange))
    throw tryRefreshToken("this request came from another site");
  const { tokens, transfer } = presentedRefreshTokens(opened, exchange);
  // A changed cookie domain leaves duplicates behind: the backend knows which of them is the newest.
  const [refreshToken, ...otherRefreshTokens] = tokens;
  const antiCsrfToken = exchange.header(ANTI_CSRF_HEADER);
  const outcome =
    refreshToken === undefined ? undefined : await backend.refresh({ refreshToken, otherRefreshTokens, antiCsrfToken });
  if (outcome?.kind === "refreshed") {
    cookies.write(exchange, outcome, transfer);
    return outcome;
  }
  if (outcome === undefined) warnOfUnreachedRoute(opened, exchange);
  if (outcome === undefined) throw clearedUnlessForeign(opened, exchange, unauthorised(MISSING_REFRESH_TOKEN));
  // The browser has the cookies of that login, or will have: they are not this session's to clear.
  if (outcome.kind === "unauthorised" && outcome.reason === "replaced") throw unauthorised(outcome.message);
  // It lives on, and the browser that holds its key may be this one.
  if (outcome.kind === "unproven" || outcome.kind === "other_session") throw refreshRefusal(opened, outcome);
  const isOurs = outcome.kind === "token_reuse" || outcome.isOurs;
  throw clearedWith(opened, exchange, refreshRefusal(opened, outcome), isOurs ? "shown" : "in_force");
};

/** A browser that shows the session's other cookies alone was not asked for this one, for its path is another. */
const warnOfUnreachedRoute = ({ cookies, warnOnce }: OpenedPawl, exchange: Exchange): void => {
  const { refreshTokenPath } = cookies.settings;
  const path = exchange.path();
  const isExpected = coversPath(refreshTokenPath, path) || refreshTokenPath.endsWith(path);
  if (!isExpected && path !== "/" && cookies.read(exchange, ID_REFRESH_TOKEN_COOKIE).length > 0)
    warnOnce(UNREACHED_ROUTE, unreachedRoute(refreshTokenPath, path).message);
};
