import type { PreviewRefresh } from "../rotation/refresh-preview.js";
import type { SessionHandle } from "../session.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf } from "../session-handle.js";
import { isApplicationJwt } from "../tokens/application-jwt.js";
import type { VerificationKey } from "../tokens/jwt.js";
import type { KeyedAccessTokenVerifier } from "../verification/access-token-verifier.js";
import type { WithFreshKeys } from "../verification/fresh-keys.js";

/**
 * Ends the session of a token (RFC 7009). Also that of a refresh token which has been replaced: its holder wants the session
 * to be over, and logging out is no theft.
 */
export const createTokenRevocation = ({
  verifier,
  withFreshKeys,
  previewRefresh,
  revokeSessions,
  verificationKeys,
}: Pick<SessionEngine, "revokeSessions"> & {
  readonly verifier: Pick<KeyedAccessTokenVerifier, "verifyIgnoringFeeds">;
  readonly withFreshKeys: WithFreshKeys;
  readonly previewRefresh: PreviewRefresh;
  readonly verificationKeys: () => readonly VerificationKey[];
}): SessionEngine["revokeToken"] => {
  /** An access token that its session has outdated is still a token of that session. */
  const sessionOf = async (token: string): Promise<SessionHandle | undefined> => {
    const preview = await previewRefresh(token);
    if (preview !== undefined) return handleOf(preview.row);
    const outcome = await withFreshKeys(() => verifier.verifyIgnoringFeeds({ accessToken: token }));
    return outcome.kind === "valid" ? outcome.claims.handle : undefined;
  };

  return async (token, cause) => {
    const handle = await sessionOf(token);
    if (handle === undefined) return isApplicationJwt(token, verificationKeys()) ? "unsupported" : "nothing";
    return (await revokeSessions([handle], cause)).length > 0 ? "ended" : "nothing";
  };
};
