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
import { millis, type UserId } from "@pawl/storage";
import { type AccessTokenFormat, isJsonObject, parseSeq } from "./access-token-format.js";
import { parseHandle } from "./session-handle.js";
import type { AccessTokenClaims, SessionHandle } from "./session.js";

/**
 * Access tokens of the SuperTokens CDI before 2.21: standard base64, one literal header without a key's name, RS256, times
 * in ms, the payload under `userData`.
 */
const nestedFormat = stryMutAct_9fa48("173") ? () => undefined : (stryCov_9fa48("173"), (() => {
  const nestedFormat = ({
    form,
    version
  }: Pick<AccessTokenFormat, "version"> & {
    readonly form: "v1" | "v2";
  }, furtherClaims: object = {}): AccessTokenFormat => stryMutAct_9fa48("174") ? {} : (stryCov_9fa48("174"), {
    form,
    version,
    encoding: "base64",
    algorithms: stryMutAct_9fa48("176") ? [] : (stryCov_9fa48("176"), ["RS256"]),
    timeUnit: millis(1),
    protectedClaims: new Set(),
    header: Buffer.from(JSON.stringify(stryMutAct_9fa48("178") ? {} : (stryCov_9fa48("178"), {
      alg: "RS256",
      typ: "JWT",
      version
    }))).toString("base64"),
    // JSON leaves out what is undefined: an absent member is absent, never null.
    body: stryMutAct_9fa48("182") ? () => undefined : (stryCov_9fa48("182"), claims => JSON.stringify(stryMutAct_9fa48("183") ? {} : (stryCov_9fa48("183"), {
      sessionHandle: claims.handle,
      userId: claims.userId,
      refreshTokenHash1: String(claims.seq),
      parentRefreshTokenHash1: (stryMutAct_9fa48("186") ? claims.parentSeq !== undefined : stryMutAct_9fa48("185") ? false : stryMutAct_9fa48("184") ? true : (stryCov_9fa48("184", "185", "186"), claims.parentSeq === undefined)) ? undefined : String(claims.parentSeq),
      userData: claims.payload,
      antiCsrfToken: claims.antiCsrfToken,
      expiryTime: claims.expiresAt,
      timeCreated: claims.issuedAt,
      ...furtherClaims
    }))),
    claims({
      sessionHandle,
      userId,
      userData,
      antiCsrfToken,
      expiryTime,
      timeCreated,
      ...rest
    }) {
      if (stryMutAct_9fa48("187")) {
        {}
      } else {
        stryCov_9fa48("187");
        // Tokens of this form do not say their tenant: the handle does.
        const owner = (stryMutAct_9fa48("190") ? typeof sessionHandle !== "string" : stryMutAct_9fa48("189") ? false : stryMutAct_9fa48("188") ? true : (stryCov_9fa48("188", "189", "190"), typeof sessionHandle === "string")) ? parseHandle(sessionHandle) : undefined;
        const seq = parseSeq(rest["refreshTokenHash1"]);
        const parent = rest["parentRefreshTokenHash1"];
        const parentSeq = parseSeq(parent);
        if (stryMutAct_9fa48("196") ? (owner === undefined || typeof userId !== "string" || seq === undefined || parent !== undefined && parentSeq === undefined || !isJsonObject(userData) || antiCsrfToken !== undefined && typeof antiCsrfToken !== "string" || !Number.isSafeInteger(expiryTime)) && !Number.isSafeInteger(timeCreated) : stryMutAct_9fa48("195") ? false : stryMutAct_9fa48("194") ? true : (stryCov_9fa48("194", "195", "196"), (stryMutAct_9fa48("198") ? (owner === undefined || typeof userId !== "string" || seq === undefined || parent !== undefined && parentSeq === undefined || !isJsonObject(userData) || antiCsrfToken !== undefined && typeof antiCsrfToken !== "string") && !Number.isSafeInteger(expiryTime) : stryMutAct_9fa48("197") ? false : (stryCov_9fa48("197", "198"), (stryMutAct_9fa48("200") ? (owner === undefined || typeof userId !== "string" || seq === undefined || parent !== undefined && parentSeq === undefined || !isJsonObject(userData)) && antiCsrfToken !== undefined && typeof antiCsrfToken !== "string" : stryMutAct_9fa48("199") ? false : (stryCov_9fa48("199", "200"), (stryMutAct_9fa48("202") ? (owner === undefined || typeof userId !== "string" || seq === undefined || parent !== undefined && parentSeq === undefined) && !isJsonObject(userData) : stryMutAct_9fa48("201") ? false : (stryCov_9fa48("201", "202"), (stryMutAct_9fa48("204") ? (owner === undefined || typeof userId !== "string" || seq === undefined) && parent !== undefined && parentSeq === undefined : stryMutAct_9fa48("203") ? false : (stryCov_9fa48("203", "204"), (stryMutAct_9fa48("206") ? (owner === undefined || typeof userId !== "string") && seq === undefined : stryMutAct_9fa48("205") ? false : (stryCov_9fa48("205", "206"), (stryMutAct_9fa48("208") ? owner === undefined && typeof userId !== "string" : stryMutAct_9fa48("207") ? false : (stryCov_9fa48("207", "208"), (stryMutAct_9fa48("210") ? owner !== undefined : stryMutAct_9fa48("209") ? false : (stryCov_9fa48("209", "210"), owner === undefined)) || (stryMutAct_9fa48("212") ? typeof userId === "string" : stryMutAct_9fa48("211") ? false : (stryCov_9fa48("211", "212"), typeof userId !== "string")))) || (stryMutAct_9fa48("215") ? seq !== undefined : stryMutAct_9fa48("214") ? false : (stryCov_9fa48("214", "215"), seq === undefined)))) || (stryMutAct_9fa48("217") ? parent !== undefined || parentSeq === undefined : stryMutAct_9fa48("216") ? false : (stryCov_9fa48("216", "217"), (stryMutAct_9fa48("219") ? parent === undefined : stryMutAct_9fa48("218") ? true : (stryCov_9fa48("218", "219"), parent !== undefined)) && (stryMutAct_9fa48("221") ? parentSeq !== undefined : stryMutAct_9fa48("220") ? true : (stryCov_9fa48("220", "221"), parentSeq === undefined)))))) || (stryMutAct_9fa48("222") ? isJsonObject(userData) : (stryCov_9fa48("222"), !isJsonObject(userData))))) || (stryMutAct_9fa48("224") ? antiCsrfToken !== undefined || typeof antiCsrfToken !== "string" : stryMutAct_9fa48("223") ? false : (stryCov_9fa48("223", "224"), (stryMutAct_9fa48("226") ? antiCsrfToken === undefined : stryMutAct_9fa48("225") ? true : (stryCov_9fa48("225", "226"), antiCsrfToken !== undefined)) && (stryMutAct_9fa48("228") ? typeof antiCsrfToken === "string" : stryMutAct_9fa48("227") ? true : (stryCov_9fa48("227", "228"), typeof antiCsrfToken !== "string")))))) || (stryMutAct_9fa48("230") ? Number.isSafeInteger(expiryTime) : (stryCov_9fa48("230"), !Number.isSafeInteger(expiryTime))))) || (stryMutAct_9fa48("231") ? Number.isSafeInteger(timeCreated) : (stryCov_9fa48("231"), !Number.isSafeInteger(timeCreated))))) return undefined;
        const claims: AccessTokenClaims = stryMutAct_9fa48("232") ? {} : (stryCov_9fa48("232"), {
          form,
          handle: sessionHandle as SessionHandle,
          tenantId: owner.tenantId,
          userId: userId as UserId,
          seq,
          ...(stryMutAct_9fa48("235") ? parentSeq !== undefined || {
            parentSeq
          } : stryMutAct_9fa48("234") ? false : stryMutAct_9fa48("233") ? true : (stryCov_9fa48("233", "234", "235"), (stryMutAct_9fa48("237") ? parentSeq === undefined : stryMutAct_9fa48("236") ? true : (stryCov_9fa48("236", "237"), parentSeq !== undefined)) && (stryMutAct_9fa48("238") ? {} : (stryCov_9fa48("238"), {
            parentSeq
          })))),
          ...(stryMutAct_9fa48("241") ? antiCsrfToken !== undefined || {
            antiCsrfToken
          } : stryMutAct_9fa48("240") ? false : stryMutAct_9fa48("239") ? true : (stryCov_9fa48("239", "240", "241"), (stryMutAct_9fa48("243") ? antiCsrfToken === undefined : stryMutAct_9fa48("242") ? true : (stryCov_9fa48("242", "243"), antiCsrfToken !== undefined)) && (stryMutAct_9fa48("244") ? {} : (stryCov_9fa48("244"), {
            antiCsrfToken
          })))),
          payload: userData,
          issuedAt: millis(timeCreated as number),
          expiresAt: millis(expiryTime as number)
        });
        return claims;
      }
    }
  });
  return nestedFormat;
})());

/** CDI 1.0. */
export const accessTokenV1 = nestedFormat(stryMutAct_9fa48("245") ? {} : (stryCov_9fa48("245"), {
  form: "v1",
  version: "1"
}), stryMutAct_9fa48("248") ? {} : (stryCov_9fa48("248"), {
  isPaid: stryMutAct_9fa48("249") ? true : (stryCov_9fa48("249"), false)
}));

/** CDI 2.0 to 2.20. */
export const accessTokenV2 = nestedFormat(stryMutAct_9fa48("250") ? {} : (stryCov_9fa48("250"), {
  form: "v2",
  version: "2"
}));