import type { Millis, SessionRecord } from "@pawl/storage";
import type { Policy } from "../policy.js";
import type { RefreshTokenClaims } from "../tokens/refresh-token.js";

type AgePolicy = Pick<Policy, "refreshTokenValidity" | "reuseWindow">;

/** Whether a token was sealed longer ago than refresh tokens live today. */
export const isOverAge = (
  { iat }: Pick<RefreshTokenClaims, "iat">,
  { refreshTokenValidity }: AgePolicy,
  now: Millis,
): boolean => now - iat > refreshTokenValidity;

/**
 * Whether a token that is over age has nevertheless not expired. The newest token of a session lives as long as the row,
 * which may have been written under another policy. One that was rotated is still answered inside the window, to the second
 * tab; and later, should its answer have been lost, where the store had rotated it at an age beyond today's validity, which
 * shows that it was sealed for longer.
 */
export const isWithinOwnLife = (
  { seq, iat }: Pick<RefreshTokenClaims, "seq" | "iat">,
  row: SessionRecord,
  { refreshTokenValidity, reuseWindow }: AgePolicy,
  now: Millis,
): boolean => {
  if (seq < row.current) return false;
  if (seq >= row.next) return true;
  return now - row.issuedAt <= reuseWindow || row.issuedAt - iat > refreshTokenValidity;
};
