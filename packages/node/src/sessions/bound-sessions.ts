import type { IssuedSession, VerifyOutcome } from "@pawl/engine";
import type { RefreshAnswer } from "../backend/session-backend.js";
import { announceEnd, announceRefreshable } from "../http/announcement.js";
import { giveChallenge, skippedSessions } from "../http/device-headers.js";
import type { Exchange } from "../http/exchange.js";
import { isPageVisit } from "../http/page-visit.js";
import { DEVICE_ROUTE } from "../http/refresh-path.js";
import { bindingHindrance, type BackendOptions } from "../options/options.js";
import type { SessionContext } from "../session.js";
import { RETRY_AFTER, SessionError } from "../session-error.js";
import type { Found, Serving } from "./serving.js";

/** Where browsers bring the key of their device. */
export const devicePathOf = ({ basePath = "" }: BackendOptions): string => basePath.replace(/\/+$/u, "") + DEVICE_ROUTE;

/** Whether the browser may be asked to bind the session that it is given. */
export const isBindable = ({ backend, cookies, options }: Omit<Serving, "actions">, exchange: Exchange): boolean =>
  backend.settings.deviceBinding !== "off" &&
  cookies.watched(exchange) !== undefined &&
  bindingHindrance(options) === undefined;

/** How long before the end of an access token its answers carry a challenge, ms: as long as one may be answered. */
const CHALLENGE_LEAD = 300_000;

/** Gives the browser what to sign at the next refresh of a bound session, so that this takes one trip. */
export const giveChallengeAhead = ({ backend }: Serving, { exchange, facts, transfer }: SessionContext): void => {
  if (facts.bound !== true || transfer !== "cookie" || facts.expiresAt - backend.now() > CHALLENGE_LEAD) return;
  const challenge = backend.challengeFor?.(facts.handle);
  if (challenge !== undefined && exchange.canWrite()) giveChallenge(exchange, challenge, facts.handle);
};

/** Whether a browser refreshes before such a request: it does for its own pages, and for what a user opens. */
const isOwnRequest = (exchange: Exchange): boolean => {
  const site = exchange.header("sec-fetch-site");
  return site === undefined || site === "same-origin" || site === "none";
};

/** Whether a token is older than a change of its session. */
export const isOutdated = (seen: VerifyOutcome | undefined): boolean =>
  seen?.kind === "try_refresh" && seen.why === "outdated";

/** Whether an honest browser may send such a request without having refreshed before. */
export const mayLackProof = (exchange: Exchange, seen: VerifyOutcome | undefined): boolean =>
  !isOwnRequest(exchange) || isOutdated(seen);

/**
 * An access token in place of one that is older than a change of its session: it tells how the session is now, and ends when
 * the other one would have. That takes no proof, for it is worth no more. Undefined where it takes a refresh.
 */
export const renewedAccess = async (
  { backend }: Serving,
  outdated: string,
): Promise<Pick<IssuedSession, "session" | "accessToken"> | undefined> => {
  const outcome = await backend.regenerate(outdated);
  if (outcome.kind !== "regenerated" || outcome.accessToken === undefined) return undefined;
  return { session: outcome.session, accessToken: outcome.accessToken };
};

/**
 * What a request finds whose session is bound to a key that did not prove its refresh. The browser that holds the key may be
 * this one, so no cookie of the session is cleared: it is told to refresh, where it has not tried, and for a page to load it
 * once more, which it does as a request of its own.
 * @throws SessionError `UNKNOWN` where it says that it could not refresh just now.
 */
export const unprovenFound = (
  { cookies }: Serving,
  exchange: Exchange,
  { message, session }: Extract<RefreshAnswer, { readonly kind: "unproven" }>,
): Found => {
  const isShown = cookies.read(exchange, "access").length > 0;
  const mayReload = exchange.canWrite() && isPageVisit(exchange) && (isShown || !isOwnRequest(exchange));
  if (mayReload) exchange.setHeader("Refresh", "0");
  if (skippedSessions(exchange).includes(session.handle))
    throw new SessionError("UNKNOWN", "the browser could not refresh the session just now", {
      retryAfter: RETRY_AFTER,
    });
  if (isShown || !isOwnRequest(exchange)) {
    // Its next request refreshes.
    if (isShown && exchange.canWrite()) cookies.expireAccess(exchange);
    announceRefreshable(exchange);
    return { kind: "try_refresh", error: new SessionError("TRY_REFRESH", message) };
  }
  if (exchange.canWrite()) announceEnd(exchange, "cookie");
  return { kind: "none", error: new SessionError("UNAUTHORISED", message) };
};
