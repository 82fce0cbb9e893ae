import { antiCsrfTokenMatches } from "../tokens/anti-csrf.js";
import { EngineError } from "../errors.js";
import {
  antiCsrfTokenOf,
  claimedHash,
  type RefreshTokenClaims,
  type RefreshTokenSeal,
} from "../tokens/refresh-token.js";
import type { RefreshSessionInput } from "../session.js";

/** Duplicates accepted beside a refresh token: enough for a browser with stale cookies; caps the work an attacker can cause. */
const MAX_OTHER_REFRESH_TOKENS = 8;

/** With the first one. */
export const MOST_REFRESH_TOKENS = MAX_OTHER_REFRESH_TOKENS + 1;

/**
 * The tokens to try, in order, of all that a client presented: those that open, only the newest copy of each session. First
 * the session whose anti-CSRF token came along, which nobody can plant as a cookie, then the most recently sealed. An older
 * copy beside a newer one is a stale cookie; a thief has no reason to send both.
 * @throws EngineError `invalid_input` for too many.
 */
export const presentedTokens = (
  {
    refreshToken,
    otherRefreshTokens = [],
    antiCsrfToken: shown,
  }: Pick<RefreshSessionInput, "refreshToken" | "otherRefreshTokens" | "antiCsrfToken">,
  seal: Pick<RefreshTokenSeal, "open">,
): readonly RefreshTokenClaims[] => {
  if (otherRefreshTokens.length > MAX_OTHER_REFRESH_TOKENS)
    throw new EngineError("invalid_input", `at most ${MAX_OTHER_REFRESH_TOKENS} other refresh tokens are taken`);
  const opened = [refreshToken, ...otherRefreshTokens]
    .map((token) => (typeof token === "string" ? seal.open(token) : undefined))
    .filter((claims) => claims !== undefined);
  return opened.length > 1 ? newestCopies(opened, shown) : opened;
};

const newestCopies = (
  opened: readonly RefreshTokenClaims[],
  shown: string | undefined,
): readonly RefreshTokenClaims[] => {
  const copies = new Map<string, RefreshTokenClaims>();
  for (const claims of opened) {
    // With another secret it is no copy: a token sealed without the session's secret must not hide the real one.
    const lineage = `${claims.id} ${claimedHash(claims)}`;
    const known = copies.get(lineage);
    if (known === undefined || isNewer(claims, known)) copies.set(lineage, claims);
  }
  const isShown = (claims: RefreshTokenClaims): number => Number(antiCsrfTokenMatches(antiCsrfTokenOf(claims), shown));
  return [...copies.values()].toSorted(
    (one, other) => isShown(other) - isShown(one) || sealedAt(other) - sealedAt(one),
  );
};

/** When a token was sealed. One of before an import says nothing of it, and is older than any of ours. */
const sealedAt = ({ iat, imported }: RefreshTokenClaims): number => (imported === undefined ? iat : 0);

const isNewer = (one: RefreshTokenClaims, other: RefreshTokenClaims): boolean =>
  one.seq === other.seq ? one.iat > other.iat : one.seq > other.seq;
