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
import { type AccessTokenClaims, accessTokenFormats, type JsonObject, type SessionHandle, type SessionSummary } from "@pawl/engine";
import { millis, PUBLIC_TENANT, type SigningAlgorithm, type UserId } from "@pawl/storage";
import { ACCESS_TOKEN_COOKIE } from "./cookie-name.js";
import { writingJson } from "./session-data.js";
import { generalError } from "./session-error.js";

/** Browsers drop a cookie whole whose name and value have more bytes together (RFC 6265bis section 5.5). */
const MOST_COOKIE_BYTES = 4096;

/** Characters of a signature: base64url of 64 bytes, or of the 256 of an RSA key of 2048 bits. */
const signatureLength: Readonly<Record<SigningAlgorithm, number>> = stryMutAct_9fa48("968") ? {} : (stryCov_9fa48("968"), {
  ES256: 86,
  RS256: 342
});

/** As long as the longest that a session comes to: a number of refreshes that takes thirty years at one a second. */
const LONGEST = {
  handle: "00000000-0000-4000-8000-000000000000" as SessionHandle,
  antiCsrfToken: "00000000-0000-4000-8000-000000000000",
  kid: "d-1000000000000",
  time: millis(1_000_000_000_000),
  seq: 1_000_000_000
} as const;

/** A session as far as the size of its access tokens depends on it. */
type Sized = Pick<SessionSummary, "userId" | "payload"> & Partial<Pick<SessionSummary, "handle" | "tenantId">>;

/**
 * Bytes (name and value) that the access token cookie of a session may come to: at most about 70 more than its first one
 * has, because later tokens also name their parent.
 */
export const accessCookieBytes = ({
  userId,
  payload,
  handle = LONGEST.handle,
  tenantId = PUBLIC_TENANT
}: Sized, algorithm: SigningAlgorithm): number => {
  if (stryMutAct_9fa48("969")) {
    {}
  } else {
    stryCov_9fa48("969");
    const {
      v5
    } = accessTokenFormats;
    const claims: AccessTokenClaims = stryMutAct_9fa48("970") ? {} : (stryCov_9fa48("970"), {
      form: "v5",
      handle,
      tenantId,
      userId,
      seq: LONGEST.seq,
      parentSeq: LONGEST.seq,
      antiCsrfToken: LONGEST.antiCsrfToken,
      payload,
      issuedAt: LONGEST.time,
      expiresAt: LONGEST.time
    });
    const text = writingJson(stryMutAct_9fa48("972") ? () => undefined : (stryCov_9fa48("972"), () => v5.body(claims)));
    const head = (stryMutAct_9fa48("975") ? typeof v5.header !== "string" : stryMutAct_9fa48("974") ? false : stryMutAct_9fa48("973") ? true : (stryCov_9fa48("973", "974", "975"), typeof v5.header === "string")) ? v5.header : v5.header(stryMutAct_9fa48("977") ? {} : (stryCov_9fa48("977"), {
      kid: LONGEST.kid,
      algorithm
    }));
    const token = stryMutAct_9fa48("978") ? head.length + Math.ceil(Buffer.byteLength(text) * 4 / 3) + signatureLength[algorithm] - "..".length : (stryCov_9fa48("978"), (stryMutAct_9fa48("979") ? head.length + Math.ceil(Buffer.byteLength(text) * 4 / 3) - signatureLength[algorithm] : (stryCov_9fa48("979"), (stryMutAct_9fa48("980") ? head.length - Math.ceil(Buffer.byteLength(text) * 4 / 3) : (stryCov_9fa48("980"), head.length + Math.ceil(stryMutAct_9fa48("981") ? Buffer.byteLength(text) * 4 * 3 : (stryCov_9fa48("981"), (stryMutAct_9fa48("982") ? Buffer.byteLength(text) / 4 : (stryCov_9fa48("982"), Buffer.byteLength(text) * 4)) / 3)))) + signatureLength[algorithm])) + "..".length);
    return stryMutAct_9fa48("984") ? ACCESS_TOKEN_COOKIE.length - token : (stryCov_9fa48("984"), ACCESS_TOKEN_COOKIE.length + token);
  }
};

/** Whether browsers keep a cookie of so many bytes. */
export const fitsCookie = stryMutAct_9fa48("985") ? () => undefined : (stryCov_9fa48("985"), (() => {
  const fitsCookie = (bytes: number): boolean => stryMutAct_9fa48("989") ? bytes > MOST_COOKIE_BYTES : stryMutAct_9fa48("988") ? bytes < MOST_COOKIE_BYTES : stryMutAct_9fa48("987") ? false : stryMutAct_9fa48("986") ? true : (stryCov_9fa48("986", "987", "988", "989"), bytes <= MOST_COOKIE_BYTES);
  return fitsCookie;
})());

/**
 * Refuses what browsers would not keep.
 * @throws SessionError `GENERAL_ERROR` with the size and the largest parts, never their content.
 */
export const checkCookieSize = (bytes: number, {
  userId,
  payload
}: {
  readonly userId: UserId;
  readonly payload: JsonObject;
}): void => {
  if (stryMutAct_9fa48("990")) {
    {}
  } else {
    stryCov_9fa48("990");
    if (stryMutAct_9fa48("992") ? false : stryMutAct_9fa48("991") ? true : (stryCov_9fa48("991", "992"), fitsCookie(bytes))) return;
    const parts = stryMutAct_9fa48("993") ? Object.entries({
      "the user id": userId,
      ...quoted(payload)
    }).map(([name, value]) => ({
      name,
      bytes: encodedSize(value)
    })).toSorted((a, b) => b.bytes - a.bytes).map(part => `${part.name} about ${part.bytes}`) : (stryCov_9fa48("993"), Object.entries(stryMutAct_9fa48("994") ? {} : (stryCov_9fa48("994"), {
      "the user id": userId,
      ...quoted(payload)
    })).map(stryMutAct_9fa48("995") ? () => undefined : (stryCov_9fa48("995"), ([name, value]) => stryMutAct_9fa48("996") ? {} : (stryCov_9fa48("996"), {
      name,
      bytes: encodedSize(value)
    }))).toSorted(stryMutAct_9fa48("997") ? () => undefined : (stryCov_9fa48("997"), (a, b) => stryMutAct_9fa48("998") ? b.bytes + a.bytes : (stryCov_9fa48("998"), b.bytes - a.bytes))).slice(0, 3).map(stryMutAct_9fa48("999") ? () => undefined : (stryCov_9fa48("999"), part => `${part.name} about ${part.bytes}`)));
    throw generalError(`the cookie ${ACCESS_TOKEN_COOKIE} would have ${bytes} bytes (name and value); browsers keep at most ${MOST_COOKIE_BYTES}. ` + `Of these the payload takes about ${encodedSize(payload)}; the largest parts: ${parts.join(", ")}. ` + "Keep what is large in the session data, which stays on the server");
  }
};

/** Bytes of a value inside a token: base64 makes four of three. */
const encodedSize = stryMutAct_9fa48("1005") ? () => undefined : (stryCov_9fa48("1005"), (() => {
  const encodedSize = (value: unknown): number => Math.ceil(stryMutAct_9fa48("1006") ? Buffer.byteLength(JSON.stringify(value) ?? "") * 4 * 3 : (stryCov_9fa48("1006"), (stryMutAct_9fa48("1007") ? Buffer.byteLength(JSON.stringify(value) ?? "") / 4 : (stryCov_9fa48("1007"), Buffer.byteLength(stryMutAct_9fa48("1008") ? JSON.stringify(value) && "" : (stryCov_9fa48("1008"), JSON.stringify(value) ?? "")) * 4)) / 3));
  return encodedSize;
})());
const quoted = stryMutAct_9fa48("1010") ? () => undefined : (stryCov_9fa48("1010"), (() => {
  const quoted = (payload: object): object => Object.fromEntries(Object.entries(payload).map(stryMutAct_9fa48("1011") ? () => undefined : (stryCov_9fa48("1011"), ([name, value]) => stryMutAct_9fa48("1012") ? [] : (stryCov_9fa48("1012"), [JSON.stringify(name), stryMutAct_9fa48("1013") ? {} : (stryCov_9fa48("1013"), {
    [name]: value
  })]))));
  return quoted;
})());