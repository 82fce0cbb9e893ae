import { type Clock, type Millis, millis } from "@pawl/storage";
import { allFormats } from "../tokens/access-token.js";
import type { AccessTokenFormat } from "../tokens/access-token-format.js";
import { type AudienceRule, isAdmitted } from "../tokens/audience-rule.js";
import { antiCsrfTokenMatches } from "../tokens/anti-csrf.js";
import { decodeJsonObject, splitJwt, type VerificationKey, verifyJwt } from "../tokens/jwt.js";
import type { Changed } from "../revocation/change-feed.js";
import { createSessionMarks, type ToldSession } from "../revocation/session-marks.js";
import type { AccessTokenClaims, SessionHandle, VerifyInput, VerifyOutcome } from "../session.js";
import { tryRefresh } from "./try-refresh.js";
import { createVerificationCache } from "./verification-cache.js";

/** Verifies access tokens without I/O, with the keys and the revoked sessions it was given. */
export interface AccessTokenVerifier {
  /**
   * Size, form, key, signature, `typ`, structure, issuer and audience, expiry, anti-CSRF, revocation, announced changes, in this order. A token
   * from the future is accepted: the clocks of its maker and of this process may differ.
   */
  verify(input: Omit<VerifyInput, "checkDatabase">): VerifyOutcome;
  /** Marks a session as revoked for one access token lifetime. */
  markRevoked(handle: SessionHandle, at: number): void;
  /** Whether a session was marked as revoked, within one access token lifetime. */
  isRevoked(handle: SessionHandle): boolean;
  /**
   * Refuses a session's access tokens of before a change, for one access token lifetime. More than 30 s away from it the
   * token's time decides, nearer its `payloadVersion`.
   */
  markChanged(change: Changed): void;
  /** Whether what was heard of a session stands against what a token of it says, as `verify` would find. */
  isOvertaken(told: ToldSession): boolean;
  /** Signature and structure only: whatever the time. */
  authenticate(accessToken: string): AuthenticateOutcome;
  /** How many sessions are marked as revoked or changed. */
  readonly marked: number;
  /** How many changes were forgotten, because tokens that were made long after them did not know them: lost commits. */
  readonly versionsLost: number;
}

/** What a token says, once its signature and structure were checked, and nothing else. */
export type AuthenticateOutcome =
  | { readonly kind: "authentic"; readonly claims: AccessTokenClaims }
  | Extract<VerifyOutcome, { kind: "try_refresh" }>;

/** A verifier as its owner sees it, who has to give it the keys. */
export interface KeyedAccessTokenVerifier extends AccessTokenVerifier {
  /** Replaces the keys. Tokens of a key that is gone are refused from now on, also those seen before. */
  setKeys(keys: readonly VerificationKey[]): void;
  /** From now on tokens of the form `pawl` have to be of this issuer and for one of this audience; undefined: whatever they say. */
  setAudienceRule(rule: AudienceRule | undefined): void;
  /** As `verify`, without looking at what the feeds told of the session. */
  verifyIgnoringFeeds(input: Omit<VerifyInput, "checkDatabase">): VerifyOutcome;
}

export interface AccessTokenVerifierOptions {
  readonly clock: Clock;
  readonly keys?: readonly VerificationKey[] | undefined;
  /** How long access tokens live at most, and revoked and changed sessions are remembered. */
  readonly accessTokenValidity: Millis;
  /** Whether `doAntiCsrfCheck` has an effect where the input does not say. */
  readonly enableAntiCsrf: boolean;
  readonly audienceRule?: AudienceRule | undefined;
  /** Called with each change that counts into `versionsLost`. */
  readonly onVersionLost?: (() => void) | undefined;
  /** Bounds the memory of verified tokens, by the characters of the tokens; 16 million unless given. */
  readonly cacheCharacters?: number | undefined;
}

/** Which keys may have signed a token with a certain header, and how the rest of it is to be read. */
interface TokenSource {
  readonly format: AccessTokenFormat;
  readonly keys: readonly VerificationKey[];
}

/** Above what the greatest payload that a session may have makes. */
const MAX_TOKEN_LENGTH = 65_536;
const DEFAULT_CACHE_CHARACTERS = 16_000_000;
/** Room for clocks that differ, when what was heard of a session is forgotten. */
const CLOCK_SKEW = 60_000;

/** Freezes a JSON value to its depth, however deep: the cache hands the same one to many callers. */
const freezeDeep = (root: object): void => {
  const pending = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    Object.freeze(value);
    for (const member of Object.values(value)) if (typeof member === "object" && member !== null) pending.push(member);
  }
};

/**
 * A verifier over the keys it is given: those of an engine, or of a fetched JWK set.
 * @example
 * const verifier = createAccessTokenVerifier({ clock: systemClock, accessTokenValidity, enableAntiCsrf: false, keys });
 * const outcome = verifier.verify({ accessToken });
 * if (outcome.kind === "valid") console.log(outcome.claims.userId);
 */
export const createAccessTokenVerifier = (options: AccessTokenVerifierOptions): KeyedAccessTokenVerifier => {
  const { clock } = options;
  const cache = createVerificationCache<AccessTokenClaims>(options.cacheCharacters ?? DEFAULT_CACHE_CHARACTERS);
  const heardFor = millis(options.accessTokenValidity + CLOCK_SKEW);
  const marks = createSessionMarks(heardFor, options.onVersionLost);
  let { audienceRule } = options;
  let keys: ReadonlyMap<string, VerificationKey> = new Map();
  /** Header parts of tokens that verified: only our own signatures put one here, one for each key and form. */
  const sources = new Map<string, TokenSource>();

  const setKeys = (given: readonly VerificationKey[]): void => {
    const before = keys;
    keys = new Map(given.map((key) => [key.kid, key]));
    sources.clear();
    const isKept = (key: VerificationKey): boolean => keys.get(key.kid)?.publicKey.equals(key.publicKey) === true;
    if (![...before.values()].every(isKept)) cache.clear();
  };

  const findSource = (header: string): TokenSource | "unsupported_header" | "unknown_key" => {
    const literal = allFormats.find((format) => format.header === header);
    if (literal !== undefined)
      return { format: literal, keys: [...keys.values()].filter((key) => literal.algorithms.includes(key.algorithm)) };

    const fields = decodeJsonObject(header, "base64url");
    const { alg, typ, version, kid, crit } = fields ?? {};
    if (typeof kid !== "string" || crit !== undefined) return "unsupported_header";
    // Both spellings are a resource server's to take (RFC 9068 section 4).
    const type = typ === "application/at+jwt" ? "at+jwt" : typ;
    const format = allFormats.find(
      (candidate) => typeof candidate.header !== "string" && candidate.version === version && candidate.typ === type,
    );
    const algorithm = format?.algorithms.find((allowed) => allowed === alg);
    if (format === undefined || algorithm === undefined) return "unsupported_header";
    const key = keys.get(kid);
    if (key === undefined) return "unknown_key";
    return key.algorithm === algorithm ? { format, keys: [key] } : "unsupported_header";
  };

  const authenticate = (token: string): AuthenticateOutcome => {
    if (token.length > MAX_TOKEN_LENGTH) return tryRefresh("malformed");
    const seen = cache.get(token);
    if (seen !== undefined) return { kind: "authentic", claims: seen };

    const parts = splitJwt(token);
    if (parts === undefined) return tryRefresh("malformed");
    const known = sources.get(parts.header);
    const source = known ?? findSource(parts.header);
    if (typeof source === "string") return tryRefresh(source);
    const { format } = source;
    if (!source.keys.some((key) => verifyJwt(parts, key, format.encoding)))
      // Where the header names no key, it may have been one that is not known here yet.
      return tryRefresh(typeof format.header === "string" ? "unknown_key" : "bad_signature");
    const body = decodeJsonObject(parts.payload, format.encoding);
    const claims = body && format.claims(body);
    if (claims === undefined) return tryRefresh("incomplete");

    freezeDeep(claims);
    cache.set(token, claims);
    if (known === undefined) sources.set(parts.header, source);
    return { kind: "authentic", claims };
  };

  const verifyAt = (input: Omit<VerifyInput, "checkDatabase">, now: Millis): VerifyOutcome => {
    const outcome = authenticate(input.accessToken);
    if (outcome.kind !== "authentic") return outcome;
    const { claims } = outcome;
    if (!isAdmitted(audienceRule, claims)) return tryRefresh("wrong_audience");
    if (now >= claims.expiresAt) return tryRefresh("expired");
    const checksAntiCsrf = input.doAntiCsrfCheck === true && (input.enableAntiCsrf ?? options.enableAntiCsrf);
    if (checksAntiCsrf && !antiCsrfTokenMatches(claims.antiCsrfToken, input.antiCsrfToken))
      return tryRefresh("anti_csrf");
    return { kind: "valid", claims };
  };

  setKeys(options.keys ?? []);
  return {
    setKeys,
    setAudienceRule(rule) {
      audienceRule = rule;
    },
    authenticate,
    verifyIgnoringFeeds: (input) => verifyAt(input, clock.now()),
    verify(input) {
      const now = clock.now();
      const outcome = verifyAt(input, now);
      const objection = outcome.kind === "valid" ? marks.objectionTo(outcome.claims, now) : undefined;
      if (objection === undefined) return outcome;
      return objection === "outdated"
        ? tryRefresh("outdated")
        : { kind: "unauthorised", why: "revoked", message: "session was revoked" };
    },
    markRevoked(handle, at) {
      const now = clock.now();
      if (now - at < heardFor) marks.markRevoked(handle, now);
    },
    isRevoked: (handle) => marks.isRevoked(handle, clock.now()),
    markChanged(change) {
      const now = clock.now();
      if (now - change.at < heardFor) marks.markChanged(change, now);
    },
    isOvertaken: (told) => marks.objectionTo(told, clock.now()) !== undefined,
    get marked() {
      return marks.size;
    },
    get versionsLost() {
      return marks.versionsLost;
    },
  };
};
