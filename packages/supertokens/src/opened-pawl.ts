import type { AccessTokenClaims, createTheftReports, VerifyOutcome } from "@pawl/engine";
import { type RefreshAnswer, type SessionBackend, type UseReports, type WarnOnce, callHook } from "@pawl/node/backend";
import { isForeignRequest, isPageVisit } from "./csrf.js";
import type { Exchange } from "@pawl/node/http";
import type { PawlOptions } from "./options.js";
import type { Clearing, SessionCookies } from "./session-cookies.js";
import { generalError, type SessionError, tokenTheft, tryRefreshToken, unauthorised } from "./session-error.js";

/** What stands once a backend has been opened; everything that serves requests is made from it. */
export interface OpenedPawl {
  readonly backend: SessionBackend;
  readonly cookies: SessionCookies;
  readonly uses: UseReports;
  readonly theftReports: ReturnType<typeof createTheftReports>;
  readonly options: PawlOptions;
  readonly warnOnce: WarnOnce;
}

/** @throws SessionError `GENERAL_ERROR` while somebody acts for a user in the session: to call them that user would be a lie. */
export const checkNobodyActs = ({ actor }: Pick<AccessTokenClaims, "actor">): void => {
  if (actor !== undefined)
    throw generalError("somebody acts for a user in this session, which the documented API cannot say");
};

/**
 * @throws SessionError `UNAUTHORISED` or `TRY_REFRESH_TOKEN` for what is not valid; `GENERAL_ERROR` while somebody acts for a
 * user in the session. Notes the use of what is valid.
 */
export const acceptedClaims = ({ backend, uses }: OpenedPawl, outcome: VerifyOutcome): AccessTokenClaims => {
  if (outcome.kind === "try_refresh") throw tryRefreshToken(outcome.message);
  if (outcome.kind === "unauthorised") throw unauthorised(outcome.message);
  checkNobodyActs(outcome.claims);
  uses.note(outcome.claims, backend.now());
  return outcome.claims;
};

/**
 * Clears the cookies because of an error, unless another site had the request sent. @returns the error, which says more
 * than that headers had been sent.
 */
export const clearedWith = (
  { cookies, options }: OpenedPawl,
  exchange: Exchange,
  error: SessionError,
  which: Clearing = "shown",
): SessionError => {
  try {
    if (isPageVisit(exchange) || !isForeignRequest(exchange, options.origins ?? [])) cookies.clear(exchange, which);
  } catch {
    // The answer is on its way; the next request meets the same end and clears them.
  }
  return error;
};

/** For how long after a login requests may arrive that were sent before its answer, ms. */
const IN_FLIGHT = 60_000;

/**
 * As `clearedWith`, where a session has ended; but not where a login has just ended it, for the browser has other cookies
 * then. Where that cannot be told, the next request tells.
 */
export const clearedAfterEnd = async (
  opened: OpenedPawl,
  exchange: Exchange,
  { handle, error }: { readonly handle: string; readonly error: SessionError },
): Promise<SessionError> => {
  const { backend } = opened;
  const history = await backend.explain(handle).catch(() => undefined);
  if (history === undefined) return error;
  const isReplaced = history.reason === "replaced" && backend.now() - (history.endedAt ?? 0) < IN_FLIGHT;
  return isReplaced ? error : clearedWith(opened, exchange, error);
};

/** As `clearedWith`, where the session may live on: the documented 1.0 API wants it, but for no request of another site. */
export const clearedUnlessForeign = (opened: OpenedPawl, exchange: Exchange, error: SessionError): SessionError =>
  isForeignRequest(exchange, opened.options.origins ?? []) ? error : clearedWith(opened, exchange, error, "in_force");

/** What a refresh that was refused is for the caller. The application's own hook is called for a theft. */
export const refreshRefusal = (
  { options, backend, theftReports }: OpenedPawl,
  outcome: Exclude<RefreshAnswer, { readonly kind: "refreshed" }>,
): SessionError => {
  if (outcome.kind === "unauthorised") return unauthorised(outcome.message);
  if (outcome.kind === "unproven" || outcome.kind === "other_session")
    return generalError("the session is bound to a device, which the documented API cannot prove");
  const theft = { sessionHandle: outcome.session.handle, userId: outcome.session.userId };
  const count = theftReports(outcome.session.handle, backend.now());
  if (count !== undefined) void callHook(() => options.onTokenTheft?.({ ...theft, count }));
  return tokenTheft(theft);
};
