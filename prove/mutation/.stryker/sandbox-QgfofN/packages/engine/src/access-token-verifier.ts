function stryNS_9fa48() {
  var g = typeof globalThis === 'object' && globalThis && globalThis.Math === Math && globalThis || new Function("return this")();
  var ns = g.__stryker__ || (g.__stryker__ = {});
  if (ns.activeMutant === undefined && g.process && g.process.env && g.process.env.__STRYKER_ACTIVE_MUTANT__) {
    ns.activeMutant = g.process.env.__STRYKER_ACTIVE_MUTANT__;
  }
  function retrieveNS() {
    return ns;
  }
  stryNS_9fa48 = retrieveNS;
  return retrieveNS();
}
stryNS_9fa48();
function stryCov_9fa48() {
  var ns = stryNS_9fa48();
  var cov = ns.mutantCoverage || (ns.mutantCoverage = {
    static: {},
    perTest: {}
  });
  function cover() {
    var c = cov.static;
    if (ns.currentTestId) {
      c = cov.perTest[ns.currentTestId] = cov.perTest[ns.currentTestId] || {};
    }
    var a = arguments;
    for (var i = 0; i < a.length; i++) {
      c[a[i]] = (c[a[i]] || 0) + 1;
    }
  }
  stryCov_9fa48 = cover;
  cover.apply(null, arguments);
}
function stryMutAct_9fa48(id) {
  var ns = stryNS_9fa48();
  function isActive(id) {
    if (ns.activeMutant === id) {
      if (ns.hitCount !== void 0 && ++ns.hitCount > ns.hitLimit) {
        throw new Error('Stryker: Hit count limit reached (' + ns.hitCount + ')');
      }
      return true;
    }
    return false;
  }
  stryMutAct_9fa48 = isActive;
  return isActive(id);
}
import { type Clock, type Millis, millis } from "@pawl/storage";
import { accessTokenFormats } from "./access-token.js";
import type { AccessTokenFormat } from "./access-token-format.js";
import { antiCsrfTokenMatches } from "./anti-csrf.js";
import { decodeJsonObject, splitJwt, type VerificationKey, verifyJwt } from "./jwt.js";
import { createRevokedSessions } from "./revoked-sessions.js";
import type { AccessTokenClaims, SessionHandle, TryRefreshReason, VerifyInput, VerifyOutcome } from "./session.js";
import { createVerificationCache } from "./verification-cache.js";

/** Verifies access tokens without I/O; knows keys and revoked sessions only as far as it was told. */
export interface AccessTokenVerifier {
  /**
   * Size, form, key, signature, `typ`, structure, expiry, anti-CSRF, revocation, in this order (DESIGN 5). A token
   * from the future is accepted: the clocks of its maker and of this process may differ.
   */
  verify(input: Omit<VerifyInput, "checkDatabase">): VerifyOutcome;
  /** Marks a session as revoked for one access token lifetime. */
  markRevoked(handle: SessionHandle, at: number): void;
}

/** What a token says, once its signature and structure were checked, and nothing else. */
export type AuthenticateOutcome = {
  readonly kind: "authentic";
  readonly claims: AccessTokenClaims;
} | Extract<VerifyOutcome, {
  kind: "try_refresh";
}>;

/** A verifier as its owner sees it, who has to tell it the keys. */
export interface KeyedAccessTokenVerifier extends AccessTokenVerifier {
  /** Replaces the keys. Tokens of a key that is gone are refused from now on, also those seen before. */
  setKeys(keys: readonly VerificationKey[]): void;
  /** Signature and structure only: whatever the time, for regenerating. */
  authenticate(accessToken: string): AuthenticateOutcome;
  /** As `verify`, but for the revocation. */
  verifyIgnoringRevocation(input: Omit<VerifyInput, "checkDatabase">): VerifyOutcome;
}
export interface AccessTokenVerifierOptions {
  readonly clock: Clock;
  readonly keys?: readonly VerificationKey[];
  /** How long access tokens live at most: for so long a revoked session is remembered. */
  readonly accessTokenValidity: Millis;
  /** Whether `doAntiCsrfCheck` has an effect where the input does not say. */
  readonly enableAntiCsrf: boolean;
  /** Bounds the memory of verified tokens, by the characters of the tokens; 16 million unless given. */
  readonly cacheCharacters?: number;
}

/** Which keys may have signed a token with a certain header, and how the rest of it is to be read. */
interface TokenSource {
  readonly format: AccessTokenFormat;
  readonly keys: readonly VerificationKey[];
}

/** Above what the greatest payload that a session may have makes. */
const MAX_TOKEN_LENGTH = 65_536;
const DEFAULT_CACHE_CHARACTERS = 16_000_000;
/** Room for clocks that differ, when a revoked session is forgotten. */
const CLOCK_SKEW = 60_000;
const messages: Readonly<Record<TryRefreshReason, string>> = stryMutAct_9fa48("253") ? {} : (stryCov_9fa48("253"), {
  malformed: "access token is malformed",
  unsupported_header: "access token header is not supported",
  unknown_key: "access token was not signed with a known key",
  bad_signature: "access token signature is not valid",
  incomplete: "Access token does not contain all the information. Maybe the structure has changed?",
  expired: "Access token expired",
  anti_csrf: "anti-csrf check failed"
});
const tryRefresh = stryMutAct_9fa48("261") ? () => undefined : (stryCov_9fa48("261"), (() => {
  const tryRefresh = (why: TryRefreshReason): Extract<VerifyOutcome, {
    kind: "try_refresh";
  }> => stryMutAct_9fa48("262") ? {} : (stryCov_9fa48("262"), {
    kind: "try_refresh",
    why,
    message: messages[why]
  });
  return tryRefresh;
})());
const formats = Object.values(accessTokenFormats);

/** Freezes a JSON value to its depth, however deep: the cache hands the same one to many callers. */
const freezeDeep = (root: object): void => {
  if (stryMutAct_9fa48("264")) {
    {}
  } else {
    stryCov_9fa48("264");
    const pending = stryMutAct_9fa48("265") ? [] : (stryCov_9fa48("265"), [root]);
    for (let value = pending.pop(); stryMutAct_9fa48("267") ? value === undefined : stryMutAct_9fa48("266") ? false : (stryCov_9fa48("266", "267"), value !== undefined); value = pending.pop()) {
      if (stryMutAct_9fa48("268")) {
        {}
      } else {
        stryCov_9fa48("268");
        Object.freeze(value);
        for (const member of Object.values(value)) if (stryMutAct_9fa48("271") ? typeof member === "object" || member !== null : stryMutAct_9fa48("270") ? false : stryMutAct_9fa48("269") ? true : (stryCov_9fa48("269", "270", "271"), (stryMutAct_9fa48("273") ? typeof member !== "object" : stryMutAct_9fa48("272") ? true : (stryCov_9fa48("272", "273"), typeof member === "object")) && (stryMutAct_9fa48("276") ? member === null : stryMutAct_9fa48("275") ? true : (stryCov_9fa48("275", "276"), member !== null)))) pending.push(member);
      }
    }
  }
};

/** A verifier over the keys it is told; usable with the keys of an engine or of a fetched JWK set. */
export const createAccessTokenVerifier = (options: AccessTokenVerifierOptions): KeyedAccessTokenVerifier => {
  if (stryMutAct_9fa48("277")) {
    {}
  } else {
    stryCov_9fa48("277");
    const {
      clock
    } = options;
    const cache = createVerificationCache<AccessTokenClaims>(stryMutAct_9fa48("278") ? options.cacheCharacters && DEFAULT_CACHE_CHARACTERS : (stryCov_9fa48("278"), options.cacheCharacters ?? DEFAULT_CACHE_CHARACTERS));
    const revokedFor = millis(stryMutAct_9fa48("279") ? options.accessTokenValidity - CLOCK_SKEW : (stryCov_9fa48("279"), options.accessTokenValidity + CLOCK_SKEW));
    const revoked = createRevokedSessions(revokedFor);
    let keys: ReadonlyMap<string, VerificationKey> = new Map();
    /** Header parts of tokens that verified: only our own signatures put one here, one for each key and form. */
    const sources = new Map<string, TokenSource>();
    const setKeys = (given: readonly VerificationKey[]): void => {
      if (stryMutAct_9fa48("280")) {
        {}
      } else {
        stryCov_9fa48("280");
        const before = keys;
        keys = new Map(given.map(stryMutAct_9fa48("281") ? () => undefined : (stryCov_9fa48("281"), key => stryMutAct_9fa48("282") ? [] : (stryCov_9fa48("282"), [key.kid, key]))));
        sources.clear();
        const isKept = stryMutAct_9fa48("283") ? () => undefined : (stryCov_9fa48("283"), (() => {
          const isKept = (key: VerificationKey): boolean => stryMutAct_9fa48("286") ? keys.get(key.kid)?.publicKey.equals(key.publicKey) !== true : stryMutAct_9fa48("285") ? false : stryMutAct_9fa48("284") ? true : (stryCov_9fa48("284", "285", "286"), (stryMutAct_9fa48("287") ? keys.get(key.kid).publicKey.equals(key.publicKey) : (stryCov_9fa48("287"), keys.get(key.kid)?.publicKey.equals(key.publicKey))) === (stryMutAct_9fa48("288") ? false : (stryCov_9fa48("288"), true)));
          return isKept;
        })());
        if (stryMutAct_9fa48("291") ? false : stryMutAct_9fa48("290") ? true : stryMutAct_9fa48("289") ? [...before.values()].every(isKept) : (stryCov_9fa48("289", "290", "291"), !(stryMutAct_9fa48("292") ? [...before.values()].some(isKept) : (stryCov_9fa48("292"), (stryMutAct_9fa48("293") ? [] : (stryCov_9fa48("293"), [...before.values()])).every(isKept))))) cache.clear();
      }
    };
    const findSource = (header: string): TokenSource | "unsupported_header" | "unknown_key" => {
      if (stryMutAct_9fa48("294")) {
        {}
      } else {
        stryCov_9fa48("294");
        const literal = formats.find(stryMutAct_9fa48("295") ? () => undefined : (stryCov_9fa48("295"), format => stryMutAct_9fa48("298") ? format.header !== header : stryMutAct_9fa48("297") ? false : stryMutAct_9fa48("296") ? true : (stryCov_9fa48("296", "297", "298"), format.header === header)));
        if (stryMutAct_9fa48("301") ? literal === undefined : stryMutAct_9fa48("300") ? false : stryMutAct_9fa48("299") ? true : (stryCov_9fa48("299", "300", "301"), literal !== undefined)) return stryMutAct_9fa48("302") ? {} : (stryCov_9fa48("302"), {
          format: literal,
          keys: stryMutAct_9fa48("303") ? [...keys.values()] : (stryCov_9fa48("303"), (stryMutAct_9fa48("304") ? [] : (stryCov_9fa48("304"), [...keys.values()])).filter(stryMutAct_9fa48("305") ? () => undefined : (stryCov_9fa48("305"), key => literal.algorithms.includes(key.algorithm))))
        });
        const fields = decodeJsonObject(header, "base64url");
        const {
          alg,
          typ,
          version,
          kid,
          crit
        } = stryMutAct_9fa48("307") ? fields && {} : (stryCov_9fa48("307"), fields ?? {});
        if (stryMutAct_9fa48("310") ? (typ !== "JWT" || typeof kid !== "string") && crit !== undefined : stryMutAct_9fa48("309") ? false : stryMutAct_9fa48("308") ? true : (stryCov_9fa48("308", "309", "310"), (stryMutAct_9fa48("312") ? typ !== "JWT" && typeof kid !== "string" : stryMutAct_9fa48("311") ? false : (stryCov_9fa48("311", "312"), (stryMutAct_9fa48("314") ? typ === "JWT" : stryMutAct_9fa48("313") ? false : (stryCov_9fa48("313", "314"), typ !== "JWT")) || (stryMutAct_9fa48("317") ? typeof kid === "string" : stryMutAct_9fa48("316") ? false : (stryCov_9fa48("316", "317"), typeof kid !== "string")))) || (stryMutAct_9fa48("320") ? crit === undefined : stryMutAct_9fa48("319") ? false : (stryCov_9fa48("319", "320"), crit !== undefined)))) return "unsupported_header";
        const format = formats.find(stryMutAct_9fa48("322") ? () => undefined : (stryCov_9fa48("322"), candidate => stryMutAct_9fa48("325") ? typeof candidate.header !== "string" || candidate.version === version : stryMutAct_9fa48("324") ? false : stryMutAct_9fa48("323") ? true : (stryCov_9fa48("323", "324", "325"), (stryMutAct_9fa48("327") ? typeof candidate.header === "string" : stryMutAct_9fa48("326") ? true : (stryCov_9fa48("326", "327"), typeof candidate.header !== "string")) && (stryMutAct_9fa48("330") ? candidate.version !== version : stryMutAct_9fa48("329") ? true : (stryCov_9fa48("329", "330"), candidate.version === version)))));
        const algorithm = stryMutAct_9fa48("331") ? format.algorithms.find(allowed => allowed === alg) : (stryCov_9fa48("331"), format?.algorithms.find(stryMutAct_9fa48("332") ? () => undefined : (stryCov_9fa48("332"), allowed => stryMutAct_9fa48("335") ? allowed !== alg : stryMutAct_9fa48("334") ? false : stryMutAct_9fa48("333") ? true : (stryCov_9fa48("333", "334", "335"), allowed === alg))));
        if (stryMutAct_9fa48("338") ? format === undefined && algorithm === undefined : stryMutAct_9fa48("337") ? false : stryMutAct_9fa48("336") ? true : (stryCov_9fa48("336", "337", "338"), (stryMutAct_9fa48("340") ? format !== undefined : stryMutAct_9fa48("339") ? false : (stryCov_9fa48("339", "340"), format === undefined)) || (stryMutAct_9fa48("342") ? algorithm !== undefined : stryMutAct_9fa48("341") ? false : (stryCov_9fa48("341", "342"), algorithm === undefined)))) return "unsupported_header";
        const key = keys.get(kid);
        if (stryMutAct_9fa48("346") ? key !== undefined : stryMutAct_9fa48("345") ? false : stryMutAct_9fa48("344") ? true : (stryCov_9fa48("344", "345", "346"), key === undefined)) return "unknown_key";
        return (stryMutAct_9fa48("350") ? key.algorithm !== algorithm : stryMutAct_9fa48("349") ? false : stryMutAct_9fa48("348") ? true : (stryCov_9fa48("348", "349", "350"), key.algorithm === algorithm)) ? stryMutAct_9fa48("351") ? {} : (stryCov_9fa48("351"), {
          format,
          keys: stryMutAct_9fa48("352") ? [] : (stryCov_9fa48("352"), [key])
        }) : "unsupported_header";
      }
    };
    const authenticate = (token: string): AuthenticateOutcome => {
      if (stryMutAct_9fa48("354")) {
        {}
      } else {
        stryCov_9fa48("354");
        if (stryMutAct_9fa48("358") ? token.length <= MAX_TOKEN_LENGTH : stryMutAct_9fa48("357") ? token.length >= MAX_TOKEN_LENGTH : stryMutAct_9fa48("356") ? false : stryMutAct_9fa48("355") ? true : (stryCov_9fa48("355", "356", "357", "358"), token.length > MAX_TOKEN_LENGTH)) return tryRefresh("malformed");
        const seen = cache.get(token);
        if (stryMutAct_9fa48("362") ? seen === undefined : stryMutAct_9fa48("361") ? false : stryMutAct_9fa48("360") ? true : (stryCov_9fa48("360", "361", "362"), seen !== undefined)) return stryMutAct_9fa48("363") ? {} : (stryCov_9fa48("363"), {
          kind: "authentic",
          claims: seen
        });
        const parts = splitJwt(token);
        if (stryMutAct_9fa48("367") ? parts !== undefined : stryMutAct_9fa48("366") ? false : stryMutAct_9fa48("365") ? true : (stryCov_9fa48("365", "366", "367"), parts === undefined)) return tryRefresh("malformed");
        const known = sources.get(parts.header);
        const source = stryMutAct_9fa48("369") ? known && findSource(parts.header) : (stryCov_9fa48("369"), known ?? findSource(parts.header));
        if (stryMutAct_9fa48("372") ? typeof source !== "string" : stryMutAct_9fa48("371") ? false : stryMutAct_9fa48("370") ? true : (stryCov_9fa48("370", "371", "372"), typeof source === "string")) return tryRefresh(source);
        const {
          format
        } = source;
        if (stryMutAct_9fa48("376") ? false : stryMutAct_9fa48("375") ? true : stryMutAct_9fa48("374") ? source.keys.some(key => verifyJwt(parts, key, format.encoding)) : (stryCov_9fa48("374", "375", "376"), !(stryMutAct_9fa48("377") ? source.keys.every(key => verifyJwt(parts, key, format.encoding)) : (stryCov_9fa48("377"), source.keys.some(stryMutAct_9fa48("378") ? () => undefined : (stryCov_9fa48("378"), key => verifyJwt(parts, key, format.encoding)))))))
          // Where the header names no key, it may have been one that is not known here yet.
          return tryRefresh((stryMutAct_9fa48("381") ? typeof format.header !== "string" : stryMutAct_9fa48("380") ? false : stryMutAct_9fa48("379") ? true : (stryCov_9fa48("379", "380", "381"), typeof format.header === "string")) ? "unknown_key" : "bad_signature");
        const body = decodeJsonObject(parts.payload, format.encoding);
        const claims = stryMutAct_9fa48("387") ? body || format.claims(body) : stryMutAct_9fa48("386") ? false : stryMutAct_9fa48("385") ? true : (stryCov_9fa48("385", "386", "387"), body && format.claims(body));
        if (stryMutAct_9fa48("390") ? claims !== undefined : stryMutAct_9fa48("389") ? false : stryMutAct_9fa48("388") ? true : (stryCov_9fa48("388", "389", "390"), claims === undefined)) return tryRefresh("incomplete");
        freezeDeep(claims);
        cache.set(token, claims);
        if (stryMutAct_9fa48("394") ? known !== undefined : stryMutAct_9fa48("393") ? false : stryMutAct_9fa48("392") ? true : (stryCov_9fa48("392", "393", "394"), known === undefined)) sources.set(parts.header, source);
        return stryMutAct_9fa48("395") ? {} : (stryCov_9fa48("395"), {
          kind: "authentic",
          claims
        });
      }
    };
    const verifyAt = (input: Omit<VerifyInput, "checkDatabase">, now: Millis): VerifyOutcome => {
      if (stryMutAct_9fa48("397")) {
        {}
      } else {
        stryCov_9fa48("397");
        const outcome = authenticate(input.accessToken);
        if (stryMutAct_9fa48("400") ? outcome.kind === "authentic" : stryMutAct_9fa48("399") ? false : stryMutAct_9fa48("398") ? true : (stryCov_9fa48("398", "399", "400"), outcome.kind !== "authentic")) return outcome;
        const {
          claims
        } = outcome;
        if (stryMutAct_9fa48("405") ? now < claims.expiresAt : stryMutAct_9fa48("404") ? now > claims.expiresAt : stryMutAct_9fa48("403") ? false : stryMutAct_9fa48("402") ? true : (stryCov_9fa48("402", "403", "404", "405"), now >= claims.expiresAt)) return tryRefresh("expired");
        const checksAntiCsrf = stryMutAct_9fa48("409") ? input.doAntiCsrfCheck === true || (input.enableAntiCsrf ?? options.enableAntiCsrf) : stryMutAct_9fa48("408") ? false : stryMutAct_9fa48("407") ? true : (stryCov_9fa48("407", "408", "409"), (stryMutAct_9fa48("411") ? input.doAntiCsrfCheck !== true : stryMutAct_9fa48("410") ? true : (stryCov_9fa48("410", "411"), input.doAntiCsrfCheck === (stryMutAct_9fa48("412") ? false : (stryCov_9fa48("412"), true)))) && (stryMutAct_9fa48("413") ? input.enableAntiCsrf && options.enableAntiCsrf : (stryCov_9fa48("413"), input.enableAntiCsrf ?? options.enableAntiCsrf)));
        if (stryMutAct_9fa48("416") ? checksAntiCsrf || !antiCsrfTokenMatches(claims.antiCsrfToken, input.antiCsrfToken) : stryMutAct_9fa48("415") ? false : stryMutAct_9fa48("414") ? true : (stryCov_9fa48("414", "415", "416"), checksAntiCsrf && (stryMutAct_9fa48("417") ? antiCsrfTokenMatches(claims.antiCsrfToken, input.antiCsrfToken) : (stryCov_9fa48("417"), !antiCsrfTokenMatches(claims.antiCsrfToken, input.antiCsrfToken))))) return tryRefresh("anti_csrf");
        return stryMutAct_9fa48("419") ? {} : (stryCov_9fa48("419"), {
          kind: "valid",
          claims
        });
      }
    };
    setKeys(stryMutAct_9fa48("421") ? options.keys && [] : (stryCov_9fa48("421"), options.keys ?? (stryMutAct_9fa48("422") ? ["Stryker was here"] : (stryCov_9fa48("422"), []))));
    return stryMutAct_9fa48("423") ? {} : (stryCov_9fa48("423"), {
      setKeys,
      authenticate,
      verifyIgnoringRevocation: stryMutAct_9fa48("424") ? () => undefined : (stryCov_9fa48("424"), input => verifyAt(input, clock.now())),
      verify(input) {
        if (stryMutAct_9fa48("425")) {
          {}
        } else {
          stryCov_9fa48("425");
          const now = clock.now();
          const outcome = verifyAt(input, now);
          return (stryMutAct_9fa48("428") ? outcome.kind === "valid" || revoked.has(outcome.claims.handle, now) : stryMutAct_9fa48("427") ? false : stryMutAct_9fa48("426") ? true : (stryCov_9fa48("426", "427", "428"), (stryMutAct_9fa48("430") ? outcome.kind !== "valid" : stryMutAct_9fa48("429") ? true : (stryCov_9fa48("429", "430"), outcome.kind === "valid")) && revoked.has(outcome.claims.handle, now))) ? stryMutAct_9fa48("432") ? {} : (stryCov_9fa48("432"), {
            kind: "unauthorised",
            why: "revoked",
            message: "session was revoked"
          }) : outcome;
        }
      },
      markRevoked(handle, at) {
        if (stryMutAct_9fa48("436")) {
          {}
        } else {
          stryCov_9fa48("436");
          const now = clock.now();
          if (stryMutAct_9fa48("440") ? now - at >= revokedFor : stryMutAct_9fa48("439") ? now - at <= revokedFor : stryMutAct_9fa48("438") ? false : stryMutAct_9fa48("437") ? true : (stryCov_9fa48("437", "438", "439", "440"), (stryMutAct_9fa48("441") ? now + at : (stryCov_9fa48("441"), now - at)) < revokedFor)) revoked.add(handle, now);
        }
      }
    });
  }
};