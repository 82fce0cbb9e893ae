import { decideRotation, type Millis, type RotationDecision, type SessionRecord, type Storage } from "@pawl/storage";
import type { Policy } from "../policy.js";
import { claimedHash, type RefreshTokenClaims } from "../tokens/refresh-token.js";
import type { TokenOpener } from "./opened-tokens.js";
import { isOverAge, isWithinOwnLife } from "./refresh-token-age.js";

/** A genuine refresh token of a live session, and what handing it in would come to now. */
export interface RefreshPreview {
  readonly claims: RefreshTokenClaims;
  readonly row: SessionRecord;
  readonly kind: Exclude<RotationDecision["kind"], "absent" | "forged" | "unproven">;
  readonly now: Millis;
}

/**
 * Looks at a refresh token and at its session, and moves nothing: no rotation, no alarm, no event.
 * @returns undefined for what is none of ours, is past its life, or is of no live session.
 * @throws EngineError `master_key_missing`, StorageError.
 */
export type PreviewRefresh = (token: string) => Promise<RefreshPreview | undefined>;

export const createRefreshPreview =
  ({
    policy,
    storage,
    openTokens,
  }: {
    readonly policy: Pick<Policy, "refreshTokenValidity" | "reuseWindow">;
    readonly storage: Pick<Storage, "now" | "getSession">;
    readonly openTokens: TokenOpener;
  }): PreviewRefresh =>
  async (token) => {
    const claims = (await openTokens([token])).open(token);
    if (claims === undefined) return undefined;
    const row = await storage.getSession(claims.id);
    const now = storage.now();
    if (row === undefined || (isOverAge(claims, policy, now) && !isWithinOwnLife(claims, row, policy, now)))
      return undefined;
    const { seq, iat, parent } = claims;
    // What a key would have to prove is a matter of the refresh itself.
    const presented = {
      seq,
      iat,
      parent,
      secretHash: claimedHash(claims),
      window: policy.reuseWindow,
      proof: row.bound,
    };
    const { kind } = decideRotation(row, presented, now);
    if (kind === "absent" || kind === "forged" || kind === "unproven") return undefined;
    return { claims, row, kind, now };
  };
