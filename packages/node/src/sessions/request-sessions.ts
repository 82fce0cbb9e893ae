import {
  type AccessTokenClaims,
  isForeign,
  type IssuedSession,
  type RefreshSessionInput,
  type Verified,
  verifyBest,
  type VerifyOutcome,
} from "@pawl/engine";
import { callHook, persist } from "../application-hook.js";
import type { RefreshAnswer } from "../backend/session-backend.js";
import { announceRefreshable } from "../http/announcement.js";
import { bearerToken, type TokenTransfer } from "../http/token-transfer.js";
import { REFRESH_TOKEN_START } from "../http/cookies.js";
import { isFromOwnPage, isSafe } from "@pawl/protocol";
import { checkOwnPage } from "../http/csrf.js";
import { skippedSessions } from "../http/device-headers.js";
import type { Exchange } from "../http/exchange.js";
import { wasJustRefreshed } from "@pawl/protocol";
import { adoptFormer, refuseFormer, showsFormer } from "./adoption.js";
import { after } from "./after.js";
import { giveChallengeAhead, isOutdated, mayLackProof, renewedAccess, unprovenFound } from "./bound-sessions.js";
import { canMend, readPayload, renew, warnOfMisfit } from "./payload-source.js";
import { Misfit } from "./schema.js";
import type { Found, RunningRefresh, Serving, SessionFound } from "./serving.js";
import { RequestSession, type SessionContext } from "../session.js";
import { RETRY_AFTER, SessionError } from "../session-error.js";

export interface FindOptions {
  /** Whether unsafe methods must come from an own page; true unless given. */
  readonly csrf?: boolean | undefined;
}

interface SessionNeeds extends FindOptions {
  /** Whether the session has to say how its user has authenticated. */
  readonly needsAuth?: boolean | undefined;
  /** Whether a payload that does not fit is worth a refresh, which may mend it; true unless given. */
  readonly needsPayload?: boolean | undefined;
}

const none = (message: string): Found => ({ kind: "none", error: new SessionError("UNAUTHORISED", message) });
const NOBODY = "nobody is logged in";

/**
 * The session of a request. Where its access token is missing, expired or not accepted any more, and a refresh cookie is
 * there, it is refreshed in place.
 * @throws SessionError `CSRF`, `UNKNOWN`.
 */
export const findSession = (it: Serving, exchange: Exchange, options: SessionNeeds = {}): Found | Promise<Found> => {
  const bearer = it.options.headerMode === true ? bearerToken(exchange) : undefined;
  const known = it.requests.known(exchange);
  if (known?.found !== undefined) {
    // What an earlier call let other sites do, this one may not; but a login is this request's own.
    if (options.csrf !== false && bearer === undefined && known.isLogin !== true)
      checkOwnPage(exchange, it.options.origins ?? [], it.warnOnce);
    return known.found;
  }
  if (bearer === undefined) return findByCookie(it, exchange, options);
  return after(it.backend.verify({ accessToken: bearer }), (outcome) => {
    if (outcome.kind === "valid")
      return sessionFound(it, { exchange, facts: outcome.claims, accessToken: bearer, transfer: "header" }, options);
    if (outcome.kind === "unauthorised") return none(outcome.message);
    // A bearer token that is none of ours switches no check off.
    if (isForeign(outcome)) return findByCookie(it, exchange, options);
    return refreshable(exchange, outcome.message);
  });
};

const refreshable = (exchange: Exchange, message: string): Found => {
  if (wasJustRefreshed(exchange.query())) return none(message);
  announceRefreshable(exchange);
  return { kind: "try_refresh", error: new SessionError("TRY_REFRESH", message) };
};

const findByCookie = (it: Serving, exchange: Exchange, needs: SessionNeeds): Found | Promise<Found> => {
  const tokens = it.cookies.read(exchange, "access");
  const [first] = tokens;
  if (first === undefined && it.cookies.read(exchange, "refresh").length === 0) {
    it.warnOfKeptBackCookies(exchange);
    if (!showsFormer(it, exchange)) return none(NOBODY);
    if (needs.csrf !== false) checkOwnPage(exchange, it.options.origins ?? [], it.warnOnce);
    return adoptInPlace(it, exchange);
  }
  if (needs.csrf !== false) checkOwnPage(exchange, it.options.origins ?? [], it.warnOnce);
  if (first === undefined) return refreshInPlace(it, exchange);
  const verified =
    tokens.length === 1
      ? verifyOne(it, first)
      : verifyBest(
          it.backend,
          tokens.map((accessToken) => ({ accessToken })),
        );
  return after(verified, ({ accessToken, outcome }) =>
    outcome.kind === "valid"
      ? sessionFound(it, { exchange, facts: outcome.claims, accessToken, transfer: "cookie" }, needs)
      : refreshInPlace(it, exchange, outcome, accessToken),
  );
};

const verifyOne = ({ backend }: Serving, accessToken: string): Verified | Promise<Verified> =>
  after(backend.verify({ accessToken }), (outcome) => ({ accessToken, outcome }));

const sessionFound = (
  it: Serving,
  context: SessionContext & { readonly facts: AccessTokenClaims },
  { needsAuth = false, needsPayload = true }: SessionNeeds,
): Found | Promise<Found> => {
  const { exchange, facts, transfer } = context;
  giveChallengeAhead(it, context);
  it.uses.note(it.requests.isLate(exchange) ? asActivity(facts) : facts, it.backend.now());
  const renewed = (message: string): Found | Promise<Found> =>
    transfer === "cookie"
      ? refreshInPlace(it, exchange, { kind: "try_refresh", why: "outdated", message })
      : refreshable(exchange, message);
  // As one of the documented API: a refresh gives one that does.
  if (needsAuth && facts.auth === undefined)
    return renewed("the access token does not say when its user has logged in");
  const mayMend = needsPayload && canMend(it) && !wasJustRefreshed(exchange.query());
  return after(it.payloads.read(facts.payload), (payload) =>
    payload instanceof Misfit && mayMend
      ? renewed("the payload of the access token does not fit its schema any more")
      : foundWith(it, context, warnOfMisfit(it, payload)),
  );
};

/** What the browser held long ago says nothing about what it holds now: the use counts as activity, and confirms nothing. */
const asActivity = ({ parentSeq: _parentSeq, ...claims }: AccessTokenClaims): AccessTokenClaims => ({
  ...claims,
  seq: 0,
});

const foundWith = (it: Serving, context: SessionContext, payload: object | Misfit): SessionFound => ({
  kind: "session",
  session: new RequestSession(it.actions, context, payload),
});

type IssuedAccess = Pick<IssuedSession, "session" | "accessToken">;

/** The session that was just made or refreshed. */
export const issuedSession = (
  it: Serving,
  exchange: Exchange,
  { issued, transfer }: { readonly issued: IssuedAccess; readonly transfer: TokenTransfer },
): SessionFound | Promise<SessionFound> =>
  after(readPayload(it, issued.session.payload), (payload) =>
    foundWith(it, contextOf(exchange, issued, transfer), payload),
  );

const contextOf = (
  exchange: Exchange,
  { session, accessToken }: IssuedAccess,
  transfer: TokenTransfer,
): SessionContext => ({
  exchange,
  facts: { ...session, issuedAt: accessToken.createdTime, expiresAt: accessToken.expiry },
  accessToken: accessToken.token,
  transfer,
});

/** Does what the refresh route does, where the answer can carry the new cookies. */
const refreshInPlace = (
  it: Serving,
  exchange: Exchange,
  outcome?: Exclude<VerifyOutcome, { kind: "valid" }>,
  shown?: string,
): Found | Promise<Found> => {
  const tokens = it.cookies.read(exchange, "refresh");
  if (tokens.length === 0) {
    // The refresh cookie may have a path of its own, and an outdated token is of a live session; else what is left here is of none.
    const mayRefresh = !it.cookies.refreshEverywhere || isOutdated(outcome);
    if (mayRefresh && outcome?.kind === "try_refresh") return refreshable(exchange, outcome.message);
    return nobody(it, exchange, "cookie", new SessionError("UNAUTHORISED", outcome?.message ?? NOBODY));
  }
  const cannot = !exchange.canWrite() || !it.cookies.refreshEverywhere || it.backend.settings.reuseWindow === 0;
  if (cannot || it.requests.isLate(exchange))
    return refreshable(exchange, outcome?.message ?? "the access token is missing");
  const state = it.requests.of(exchange);
  const presented = { tokens, transfer: "cookie", ...proofMissing(exchange, outcome) } as const;
  state.found = refresh(it, exchange, presented, isOutdated(outcome) ? shown : undefined).catch((error: unknown) => {
    state.found = undefined;
    throw error;
  });
  return state.found;
};

/** Goes on with a session of another system, where the answer can carry the cookies of this one. */
const adoptInPlace = (it: Serving, exchange: Exchange): Found | Promise<Found> => {
  if (!exchange.canWrite() || it.requests.isLate(exchange))
    return refreshable(exchange, "there may be a session from before");
  const state = it.requests.of(exchange);
  state.found = adopt(it, exchange).catch((error: unknown) => {
    state.found = undefined;
    throw error;
  });
  return state.found;
};

const adopt = async (it: Serving, exchange: Exchange): Promise<Found> => {
  const since = it.monotonic();
  const outcome = await adoptFormer(it, exchange);
  if (outcome === undefined) return none(NOBODY);
  if (outcome.kind !== "refreshed") return { kind: "none", error: refusal(it, outcome) };
  it.requests.of(exchange).answer.refreshed(outcome, { transfer: "cookie", since });
  return issuedSession(it, exchange, { issued: outcome, transfer: "cookie" });
};

/** Refresh tokens, and what came with them of a key that a session may be bound to. */
export interface PresentedTokens extends Pick<
  RefreshSessionInput,
  "boundSession" | "proof" | "skippedSessions" | "unprovenIsExpected"
> {
  readonly tokens: readonly string[];
  readonly transfer: TokenTransfer;
}

/** What a request without a proof says of why there is none. */
const proofMissing = (exchange: Exchange, seen?: VerifyOutcome) => ({
  skippedSessions: skippedSessions(exchange),
  unprovenIsExpected: mayLackProof(exchange, seen),
});

/** The refresh tokens of a request. The answer goes the way they came: what was in a cookie is never told to a script. */
const presentedTokens = ({ options, cookies }: Serving, exchange: Exchange): PresentedTokens => {
  const bearer = options.headerMode === true ? bearerToken(exchange) : undefined;
  return bearer?.startsWith(REFRESH_TOKEN_START) === true
    ? { tokens: [bearer], transfer: "header" }
    : { tokens: cookies.read(exchange, "refresh"), transfer: "cookie" };
};

/**
 * Refreshes the session of a request by its refresh token, whatever its access token says.
 * @throws SessionError `CSRF`, `UNKNOWN`.
 */
export const refreshSession = async (
  it: Serving,
  exchange: Exchange,
  { csrf = true }: FindOptions = {},
): Promise<Found> => {
  const presented = presentedTokens(it, exchange);
  if (presented.transfer === "cookie" && csrf) checkOwnPage(exchange, it.options.origins ?? [], it.warnOnce);
  if (presented.tokens.length === 0) {
    if (presented.transfer === "cookie") it.cookies.checkRoute(exchange);
    if (showsFormer(it, exchange) && exchange.canWrite() && !it.requests.isLate(exchange))
      return adoptInPlace(it, exchange);
    it.warnOfKeptBackCookies(exchange);
    return nobody(it, exchange, presented.transfer, new SessionError("UNAUTHORISED", NOBODY));
  }
  if (it.requests.isLate(exchange))
    throw new SessionError("UNKNOWN", "the request has waited for too long: send it again", {
      retryAfter: RETRY_AFTER,
    });
  const state = it.requests.of(exchange);
  if (presented.transfer === "header") return (state.found = await refresh(it, exchange, presented));
  const seen = await shownToken(it, exchange);
  if (seen?.outcome.kind === "valid" && seen.outcome.claims.bound === true)
    return (state.found = await toldSession(it, exchange, seen.outcome.claims, seen.accessToken));
  const withoutProof = { ...presented, ...proofMissing(exchange, seen?.outcome) };
  const found = await refresh(it, exchange, withoutProof, isOutdated(seen?.outcome) ? seen?.accessToken : undefined);
  // The page is not told that nobody is logged in: once more, and its browser refreshes first.
  if (found.kind === "try_refresh" && !isSafe(exchange))
    throw new SessionError("UNKNOWN", found.error.message, { retryAfter: RETRY_AFTER, cause: found.error });
  return (state.found = found);
};

/** The access token of a request, as it is judged. */
const shownToken = (it: Serving, exchange: Exchange): Promise<Verified> | Verified | undefined => {
  const tokens = it.cookies.read(exchange, "access");
  const [first] = tokens;
  if (first === undefined) return undefined;
  if (tokens.length === 1) return verifyOne(it, first);
  return verifyBest(
    it.backend,
    tokens.map((accessToken) => ({ accessToken })),
  );
};

/** A bound session with a valid access token: its browser alone refreshes it, and has done so. The page is told how it is. */
const toldSession = async (
  it: Serving,
  exchange: Exchange,
  facts: AccessTokenClaims,
  token: string,
): Promise<SessionFound> => {
  it.requests.of(exchange).answer.tell(facts, { token, createdTime: facts.issuedAt, expiry: facts.expiresAt });
  const context = { exchange, facts, accessToken: token, transfer: "cookie" } as const;
  return foundWith(it, context, await readPayload(it, facts.payload));
};

/** @param outdated an access token of the request that is older than a change of its session. */
const refresh = async (
  it: Serving,
  exchange: Exchange,
  presented: PresentedTokens,
  outdated?: string,
): Promise<Found> => {
  const { transfer } = presented;
  const { since, outcome: refreshing } = refreshOnce(it, presented);
  const outcome = await refreshing;
  const { answer } = it.requests.of(exchange);
  if (outcome.kind === "refreshed") {
    answer.refreshed(outcome, { transfer, since });
    return issuedSession(it, exchange, { issued: outcome, transfer });
  }
  if (outcome.kind !== "unproven") return nobody(it, exchange, transfer, refusal(it, outcome));
  if (transfer !== "cookie") return none(outcome.message);
  const renewed = outdated === undefined ? undefined : await renewedAccess(it, outdated);
  if (renewed === undefined) return unprovenFound(it, exchange, outcome);
  const { session, accessToken: token } = renewed;
  answer.access({ session, token, cookieExpiry: token.expiry }, transfer);
  return issuedSession(it, exchange, { issued: renewed, transfer });
};

/** One refresh for all requests that present the same tokens at once. */
export const refreshOnce = (it: Serving, { tokens, transfer, ...proof }: PresentedTokens): RunningRefresh => {
  const { refreshes, monotonic } = it;
  const key = [...tokens, proof.boundSession, proof.proof].join();
  const running = refreshes.get(key);
  if (running !== undefined) return running;
  const [refreshToken = "", ...otherRefreshTokens] = tokens;
  const outcome = renew(it, { refreshToken, otherRefreshTokens, ...proof }, transfer).finally(() =>
    refreshes.delete(key),
  );
  const started = { since: monotonic(), outcome };
  refreshes.set(key, started);
  return started;
};

/**
 * A refresh that the browser itself asks for, with the key of a bound session. What became of it goes into the answer.
 * @throws SessionError `UNKNOWN`.
 */
export const refreshBound = async (
  it: Serving,
  exchange: Exchange,
  presented: PresentedTokens,
): Promise<RefreshAnswer> => {
  const { since, outcome: refreshing } = refreshOnce(it, presented);
  const outcome = await refreshing;
  if (outcome.kind === "refreshed") it.requests.of(exchange).answer.refreshed(outcome, { transfer: "cookie", since });
  else if (outcome.kind === "unauthorised" || outcome.kind === "token_reuse") {
    const error = refusal(it, outcome);
    // Another token may be of the session that took this one's place.
    if (presented.tokens.length === 1) nobody(it, exchange, "cookie", error);
  }
  return outcome;
};

/** The cookies go where the request showed some, unless another site had it sent: it may have kept others to itself. */
const nobody = (it: Serving, exchange: Exchange, transfer: TokenTransfer, error: SessionError): Found => {
  const found: Found = { kind: "none", error };
  // The browser has the cookies of the login that replaced this session, or will have: they are not to be cleared.
  if (error.reason === "replaced") return found;
  if (transfer === "cookie") {
    const isShown = it.cookies.read(exchange, "access").length + it.cookies.read(exchange, "refresh").length > 0;
    if (!isShown || !isFromOwnPage(exchange, it.options.origins ?? [])) return found;
  }
  const state = it.requests.of(exchange);
  state.answer.end(transfer);
  state.found = found;
  return found;
};

/** What a refresh that was refused is for the caller. The application's own hook is called for a theft. */
export const refusal = (
  { options, backend, theftReports }: Serving,
  outcome: Exclude<RefreshAnswer, { readonly kind: "refreshed" }>,
): SessionError => {
  if (outcome.kind === "unauthorised")
    return new SessionError("UNAUTHORISED", outcome.message, { reason: outcome.reason });
  if (outcome.kind === "unproven") return new SessionError("UNAUTHORISED", outcome.message);
  if (outcome.kind === "other_session") return new SessionError("UNAUTHORISED", NOBODY);
  const { handle, userId } = outcome.session;
  const count = theftReports(handle, backend.now());
  if (count !== undefined) void callHook(() => options.onTokenTheft?.({ handle, userId, count }));
  return new SessionError("TOKEN_THEFT", "a refresh token came back that was replaced before: somebody holds a copy", {
    stolen: { handle, userId },
    reason: "token_reuse",
  });
};

/**
 * Ends the session of a request and clears its cookies; an access token that has run out is no hindrance.
 * @throws SessionError `CSRF`, `UNKNOWN`: the cookies are kept then; `TRY_REFRESH` where the refresh token goes elsewhere.
 */
export const signOut = async (it: Serving, exchange: Exchange, options: FindOptions = {}): Promise<void> => {
  const found = await findSession(it, exchange, { ...options, needsPayload: false });
  if (found.kind === "session") await found.session.end("logout");
  // Nor is the browser to come back with the session from before.
  if (found.kind !== "try_refresh" && showsFormer(it, exchange)) {
    persist(() => refuseFormer(it, exchange, "logout"));
    it.cookies.clearOthers(exchange, it.options.adopt?.cookies ?? []);
  }
  if (found.kind !== "try_refresh") return;
  // Without a refresh token nothing says whose session it is: to answer that it has ended would be wrong.
  if (presentedTokens(it, exchange).tokens.length === 0) throw found.error;
  const refreshed = await refreshSession(it, exchange, options);
  if (refreshed.kind === "session") await refreshed.session.end("logout");
};
