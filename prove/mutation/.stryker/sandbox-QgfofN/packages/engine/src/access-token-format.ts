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
import type { KeyObject } from "node:crypto";
import type { Millis, SigningAlgorithm } from "@pawl/storage";
import type { AccessTokenClaims, AccessTokenForm, JsonObject } from "./session.js";

/** The name of a key in a token's header. */
export interface TokenKeyName {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
}

/** One way to write an access token. A further form is a further entry of `accessTokenFormats`. */
export interface AccessTokenFormat {
  readonly form: AccessTokenForm;
  /** The `version` that stands in the header. */
  readonly version: string;
  readonly encoding: "base64" | "base64url";
  /** What may sign it; where another one is asked for, the first does. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  /** Times are cut to whole multiples of this. */
  readonly timeUnit: Millis;
  /** Names that a payload may not have, because they would stand beside the token's own claims. */
  readonly protectedClaims: ReadonlySet<string>;
  /** The encoded header part: made for the key that it names, or one literal text, where any published key may have signed. */
  readonly header: string | ((key: TokenKeyName) => string);
  /** The body as JSON text. */
  body(claims: AccessTokenClaims): string;
  /** @returns undefined when the body lacks a claim, or one has the wrong type. */
  claims(body: JsonObject): AccessTokenClaims | undefined;
}

/** A key that signs access tokens, prepared: nothing is parsed or encoded twice. */
export interface AccessTokenSigner extends TokenKeyName {
  readonly privateKey: KeyObject;
  /** Encoded header parts; only for the forms that allow the key's algorithm. */
  readonly headers: Readonly<Partial<Record<AccessTokenForm, string>>>;
}

/** Whether a parsed JSON value is an object: neither null nor an array. */
export const isJsonObject = stryMutAct_9fa48("149") ? () => undefined : (stryCov_9fa48("149"), (() => {
  const isJsonObject = (value: unknown): value is JsonObject => stryMutAct_9fa48("152") ? typeof value === "object" && value !== null || !Array.isArray(value) : stryMutAct_9fa48("151") ? false : stryMutAct_9fa48("150") ? true : (stryCov_9fa48("150", "151", "152"), (stryMutAct_9fa48("154") ? typeof value === "object" || value !== null : stryMutAct_9fa48("153") ? true : (stryCov_9fa48("153", "154"), (stryMutAct_9fa48("156") ? typeof value !== "object" : stryMutAct_9fa48("155") ? true : (stryCov_9fa48("155", "156"), typeof value === "object")) && (stryMutAct_9fa48("159") ? value === null : stryMutAct_9fa48("158") ? true : (stryCov_9fa48("158", "159"), value !== null)))) && (stryMutAct_9fa48("160") ? Array.isArray(value) : (stryCov_9fa48("160"), !Array.isArray(value))));
  return isJsonObject;
})());

/** Reads the decimal sequence number that stands in `refreshTokenHash1`. @returns undefined for anything else. */
export const parseSeq = stryMutAct_9fa48("161") ? () => undefined : (stryCov_9fa48("161"), (() => {
  const parseSeq = (value: unknown): number | undefined => (stryMutAct_9fa48("164") ? typeof value === "string" || /^(?:0|[1-9]\d{0,14})$/.test(value) : stryMutAct_9fa48("163") ? false : stryMutAct_9fa48("162") ? true : (stryCov_9fa48("162", "163", "164"), (stryMutAct_9fa48("166") ? typeof value !== "string" : stryMutAct_9fa48("165") ? true : (stryCov_9fa48("165", "166"), typeof value === "string")) && (stryMutAct_9fa48("172") ? /^(?:0|[1-9]\D{0,14})$/ : stryMutAct_9fa48("171") ? /^(?:0|[1-9]\d)$/ : stryMutAct_9fa48("170") ? /^(?:0|[^1-9]\d{0,14})$/ : stryMutAct_9fa48("169") ? /^(?:0|[1-9]\d{0,14})/ : stryMutAct_9fa48("168") ? /(?:0|[1-9]\d{0,14})$/ : (stryCov_9fa48("168", "169", "170", "171", "172"), /^(?:0|[1-9]\d{0,14})$/)).test(value))) ? Number(value) : undefined;
  return parseSeq;
})());