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
import { millis, type Millis } from "@pawl/storage";
import type { AccessTokenFormat, AccessTokenSigner, TokenKeyName } from "./access-token-format.js";
import { accessTokenV3, accessTokenV4, accessTokenV5 } from "./access-token-flat.js";
import { accessTokenV1, accessTokenV2 } from "./access-token-nested.js";
import { EngineError } from "./errors.js";
import { signJwt } from "./jwt.js";
import type { AccessTokenClaims, AccessTokenForm, IssuedToken } from "./session.js";

/** Every form an access token may have. */
export const accessTokenFormats: Readonly<Record<AccessTokenForm, AccessTokenFormat>> = stryMutAct_9fa48("442") ? {} : (stryCov_9fa48("442"), {
  v1: accessTokenV1,
  v2: accessTokenV2,
  v3: accessTokenV3,
  v4: accessTokenV4,
  v5: accessTokenV5
});

/** Prepares a private key for signing. */
export const createAccessTokenSigner = stryMutAct_9fa48("443") ? () => undefined : (stryCov_9fa48("443"), (() => {
  const createAccessTokenSigner = (key: TokenKeyName & {
    readonly privateKey: KeyObject;
  }): AccessTokenSigner => stryMutAct_9fa48("444") ? {} : (stryCov_9fa48("444"), {
    kid: key.kid,
    algorithm: key.algorithm,
    privateKey: key.privateKey,
    headers: Object.fromEntries(stryMutAct_9fa48("445") ? Object.values(accessTokenFormats).map(({
      form,
      header
    }) => [form, typeof header === "string" ? header : header(key)]) : (stryCov_9fa48("445"), Object.values(accessTokenFormats).filter(stryMutAct_9fa48("446") ? () => undefined : (stryCov_9fa48("446"), format => format.algorithms.includes(key.algorithm))).map(stryMutAct_9fa48("447") ? () => undefined : (stryCov_9fa48("447"), ({
      form,
      header
    }) => stryMutAct_9fa48("448") ? [] : (stryCov_9fa48("448"), [form, (stryMutAct_9fa48("451") ? typeof header !== "string" : stryMutAct_9fa48("450") ? false : stryMutAct_9fa48("449") ? true : (stryCov_9fa48("449", "450", "451"), typeof header === "string")) ? header : header(key)])))))
  });
  return createAccessTokenSigner;
})());

/**
 * Writes and signs an access token in the form its claims name. The times of the answer are those in the token: cut to
 * what the form can say, whole seconds in version 5 (a verifier then reads `issuedAt` as the end of that second).
 * @throws EngineError `invalid_input` when the form does not allow the signer's algorithm.
 */
export const issueAccessToken = (claims: AccessTokenClaims, signer: AccessTokenSigner): IssuedToken => {
  if (stryMutAct_9fa48("453")) {
    {}
  } else {
    stryCov_9fa48("453");
    const format = accessTokenFormats[claims.form];
    const header = signer.headers[claims.form];
    if (stryMutAct_9fa48("456") ? header !== undefined : stryMutAct_9fa48("455") ? false : stryMutAct_9fa48("454") ? true : (stryCov_9fa48("454", "455", "456"), header === undefined)) throw new EngineError("invalid_input", `access tokens of version ${format.version} are not signed with ${signer.algorithm}`);
    const signed = `${header}.${Buffer.from(format.body(claims)).toString(format.encoding)}`;
    const cut = stryMutAct_9fa48("460") ? () => undefined : (stryCov_9fa48("460"), (() => {
      const cut = (time: Millis): Millis => millis(stryMutAct_9fa48("461") ? Math.floor(time / format.timeUnit) / format.timeUnit : (stryCov_9fa48("461"), Math.floor(stryMutAct_9fa48("462") ? time * format.timeUnit : (stryCov_9fa48("462"), time / format.timeUnit)) * format.timeUnit));
      return cut;
    })());
    return stryMutAct_9fa48("463") ? {} : (stryCov_9fa48("463"), {
      token: `${signed}.${signJwt(signed, signer).toString(format.encoding)}`,
      expiry: cut(claims.expiresAt),
      createdTime: cut(claims.issuedAt)
    });
  }
};