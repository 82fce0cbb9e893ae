import {
  type AccessTokenClaims,
  activityInterval,
  createUseNotes,
  isForeign,
  type SessionEngine,
  type Verified,
  verifyBest,
  type VerifyInput,
  type VerifyOutcome,
} from "@pawl/engine";
import {
  type BrowserRequest,
  cookieValues,
  type GatewayCode,
  isFromOwnPage,
  isSafe,
  tokenOfBearer,
  wasJustRefreshed,
} from "@pawl/protocol";

/** A browser's request, as a gateway describes it. */
export interface CheckedRequest extends BrowserRequest {
  /** Path and query. */
  readonly target: string;
}

export interface CheckRules {
  /** Name of the access token cookie. */
  readonly cookie: string;
  /** Pages that may send unsafe requests, besides those of the host itself. */
  readonly origins: readonly string[];
  /** Whether to ask the database; the policy decides unless given. */
  readonly checkDatabase: boolean | undefined;
}

/** Whether a request may pass, and for whom. */
export type Check =
  | { readonly kind: "passed"; readonly claims: AccessTokenClaims }
  | { readonly kind: "refused"; readonly code: Exclude<GatewayCode, "UNKNOWN">; readonly detail: string };

const NOBODY: Check = { kind: "refused", code: "UNAUTHORISED", detail: "nobody is logged in" };
const OTHER_SITE: Check = { kind: "refused", code: "CSRF", detail: "this request came from another site" };

/**
 * Finds the session of a request as `@pawl/node` does where it cannot refresh: by a bearer token, else by cookie, and by cookie
 * only from an own page where the method is not known to be safe. Uses are reported.
 * @throws StorageError where nothing is known.
 */
export const createCheck = ({
  policy,
  storage,
  verifyAccessToken,
  reportUses,
}: Pick<SessionEngine, "policy" | "storage" | "verifyAccessToken" | "reportUses">): ((
  request: CheckedRequest,
  rules: CheckRules,
) => Promise<Check>) => {
  const useRules = { reuseWindow: policy.reuseWindow, activityInterval: activityInterval(policy) };
  const worthReporting = createUseNotes();

  const checkOf = (outcome: VerifyOutcome, { target }: CheckedRequest): Check => {
    if (outcome.kind !== "valid") {
      const mayRefresh = outcome.kind === "try_refresh" && !wasJustRefreshed(target.slice(target.indexOf("?") + 1));
      return { kind: "refused", code: mayRefresh ? "TRY_REFRESH" : "UNAUTHORISED", detail: outcome.message };
    }
    const use = worthReporting(outcome.claims, storage.now(), useRules);
    // In the background: what cannot be told now is told with a later use.
    if (use !== undefined) void reportUses([use]).catch(() => undefined);
    return { kind: "passed", claims: outcome.claims };
  };

  return async (request, { cookie, origins, checkDatabase }) => {
    const verifier = {
      verify: ({ accessToken }: Pick<VerifyInput, "accessToken">) => verifyAccessToken({ accessToken, checkDatabase }),
    };
    const bearer = tokenOfBearer(request.header("authorization"));
    const borne = bearer === undefined ? undefined : await verifier.verify({ accessToken: bearer });
    // A bearer token that is none of ours switches no check off.
    if (borne !== undefined && !isForeign(borne)) return checkOf(borne, request);
    const tokens = cookieValues(request.header("cookie") ?? "", cookie);
    if (tokens.length === 0) return NOBODY;
    if (!isSafe(request) && !isFromOwnPage(request, origins)) return OTHER_SITE;
    const inputs = tokens.map((accessToken) => ({ accessToken }));
    const { outcome }: Verified = await verifyBest(verifier, inputs);
    return checkOf(outcome, request);
  };
};
