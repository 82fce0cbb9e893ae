import type { AccessTokenClaims, createTheftReports, IssuedSession, VerifyOutcome } from "@pawl/engine";
import { callHook } from "./application-hook.js";
import type { PawlOptions } from "./options.js";
import type { RefreshAnswer, SessionBackend } from "./session-backend.js";
import type { SessionCookies } from "./session-cookies.js";
import { tokenTheft, tryRefreshToken, unauthorised } from "./session-error.js";
import type { UseReports } from "./use-reports.js";

/** What stands once a backend has been opened; everything that serves requests is made from it. */
export interface OpenedPawl {
  readonly backend: SessionBackend;
  readonly cookies: SessionCookies;
  readonly uses: UseReports;
  readonly theftReports: ReturnType<typeof createTheftReports>;
  readonly options: PawlOptions;
}

/** @throws SessionError `UNAUTHORISED` or `TRY_REFRESH_TOKEN` for what is not valid. Notes the use of what is. */
export const acceptedClaims = ({ backend, uses }: OpenedPawl, outcome: VerifyOutcome): AccessTokenClaims => {
  if (outcome.kind === "try_refresh") throw tryRefreshToken(outcome.message);
  if (outcome.kind === "unauthorised") throw unauthorised(outcome.message);
  uses.note(outcome.claims, backend.now());
  return outcome.claims;
};

/** @throws SessionError `UNAUTHORISED`, or `TOKEN_THEFT_DETECTED` once the application's own hook was called. */
export const refreshedSession = (
  { options, backend, theftReports }: OpenedPawl,
  outcome: RefreshAnswer,
): IssuedSession => {
  if (outcome.kind === "refreshed") return outcome;
  if (outcome.kind === "unauthorised") throw unauthorised(outcome.message);
  const theft = { sessionHandle: outcome.session.handle, userId: outcome.session.userId };
  const count = theftReports(outcome.session.handle, backend.now());
  if (count !== undefined) void callHook(() => options.onTokenTheft?.({ ...theft, count }));
  throw tokenTheft(theft);
};
