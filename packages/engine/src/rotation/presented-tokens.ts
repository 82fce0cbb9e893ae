import { antiCsrfToken, antiCsrfTokenMatches } from "../tokens/anti-csrf.js";
import { EngineError } from "../errors.js";
import { type RefreshTokenClaims, type RefreshTokenSeal, secretHash } from "../tokens/refresh-token.js";
import type { RefreshSessionInput } from "../session.js";

/** Duplicates accepted beside a refresh token: enough for a browser with stale cookies; caps the work an attacker can cause. */
const MAX_OTHER_REFRESH_TOKENS = 8;

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
    const lineage = `${claims.id} ${secretHash(claims.secret)}`;
    const known = copies.get(lineage);
    if (known === undefined || isNewer(claims, known)) copies.set(lineage, claims);
  }
  const isShown = ({ secret, id }: RefreshTokenClaims): number =>
    Number(antiCsrfTokenMatches(antiCsrfToken(secret, id), shown));
  return [...copies.values()].toSorted((one, other) => isShown(other) - isShown(one) || other.iat - one.iat);
};

const isNewer = (one: RefreshTokenClaims, other: RefreshTokenClaims): boolean =>
  one.seq === other.seq ? one.iat > other.iat : one.seq > other.seq;
