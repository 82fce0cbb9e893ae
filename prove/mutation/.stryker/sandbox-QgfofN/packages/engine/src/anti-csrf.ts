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
import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { SessionId } from "@pawl/storage";
import { formatUuidV4 } from "./random.js";
const LABEL = "pawl anti-csrf 1";

/**
 * The anti-CSRF token of a session: the first 16 bytes of HMAC-SHA256 over its id, keyed by the session's own secret
 * (the 32 bytes in its refresh tokens), written as a UUID. Constant for the life of the session, whatever becomes of
 * the master keys (decision 0004); tells nothing of the secret.
 */
export const antiCsrfToken = stryMutAct_9fa48("466") ? () => undefined : (stryCov_9fa48("466"), (() => {
  const antiCsrfToken = (secret: Buffer, id: SessionId): string => formatUuidV4(
  // A key object, as in refresh-token.ts.
  createHmac("sha256", createSecretKey(secret)).update(`${LABEL}\0${id}`).digest().subarray(0, 16));
  return antiCsrfToken;
})());

/** Whether the token presented is the one expected, in a time that does not depend on where they differ. */
export const antiCsrfTokenMatches = (expected: string | undefined, presented: string | undefined): boolean => {
  if (stryMutAct_9fa48("469")) {
    {}
  } else {
    stryCov_9fa48("469");
    if (stryMutAct_9fa48("472") ? (expected === undefined || presented === undefined) && presented.length !== expected.length : stryMutAct_9fa48("471") ? false : stryMutAct_9fa48("470") ? true : (stryCov_9fa48("470", "471", "472"), (stryMutAct_9fa48("474") ? expected === undefined && presented === undefined : stryMutAct_9fa48("473") ? false : (stryCov_9fa48("473", "474"), (stryMutAct_9fa48("476") ? expected !== undefined : stryMutAct_9fa48("475") ? false : (stryCov_9fa48("475", "476"), expected === undefined)) || (stryMutAct_9fa48("478") ? presented !== undefined : stryMutAct_9fa48("477") ? false : (stryCov_9fa48("477", "478"), presented === undefined)))) || (stryMutAct_9fa48("480") ? presented.length === expected.length : stryMutAct_9fa48("479") ? false : (stryCov_9fa48("479", "480"), presented.length !== expected.length)))) return stryMutAct_9fa48("481") ? true : (stryCov_9fa48("481"), false);
    const [left, right] = stryMutAct_9fa48("482") ? [] : (stryCov_9fa48("482"), [Buffer.from(expected), Buffer.from(presented)]);
    return stryMutAct_9fa48("485") ? left.length === right.length || timingSafeEqual(left, right) : stryMutAct_9fa48("484") ? false : stryMutAct_9fa48("483") ? true : (stryCov_9fa48("483", "484", "485"), (stryMutAct_9fa48("487") ? left.length !== right.length : stryMutAct_9fa48("486") ? true : (stryCov_9fa48("486", "487"), left.length === right.length)) && timingSafeEqual(left, right));
  }
};