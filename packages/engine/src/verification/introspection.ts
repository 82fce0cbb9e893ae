import { millis } from "@pawl/storage";
import type { PreviewRefresh, RefreshPreview } from "../rotation/refresh-preview.js";
import type { IntrospectOutcome } from "../session.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf } from "../session-handle.js";
import { identityOf } from "../sessions/facts.js";

const INACTIVE: IntrospectOutcome = { kind: "inactive" };

/** Says of a token whether it is good now (RFC 7662). The store is asked each time, and nothing moves. */
export const createIntrospection =
  ({
    verifyAccessToken,
    previewRefresh,
  }: Pick<SessionEngine, "verifyAccessToken"> & {
    readonly previewRefresh: PreviewRefresh;
  }): SessionEngine["introspectToken"] =>
  async (token, { admitsRefreshTokens = false } = {}) => {
    const preview = admitsRefreshTokens ? await previewRefresh(token) : undefined;
    if (preview !== undefined) return refreshTokenOutcome(preview);
    const outcome = await verifyAccessToken({ accessToken: token, checkDatabase: true });
    return outcome.kind === "valid" ? { kind: "access_token", claims: outcome.claims } : INACTIVE;
  };

/** One that nobody honest can hold any more is not good, and it is for its refresh to say so. */
const refreshTokenOutcome = ({ claims, row, kind, now }: RefreshPreview): IntrospectOutcome => {
  if (kind === "reuse") return INACTIVE;
  const { userId, actor, auth } = identityOf(row, now);
  return {
    kind: "refresh_token",
    session: { handle: handleOf(row), tenantId: row.tenantId, userId, actor, auth },
    issuedAt: claims.iat,
    expiresAt: millis(Math.min(row.expiresAt, row.idleExpiresAt)),
    ...(row.bound !== "" && { bound: row.bound }),
  };
};
