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
import { EngineError } from "./errors.js";
import { type RefreshTokenClaims, type RefreshTokenSeal, secretHash } from "./refresh-token.js";
import type { RefreshSessionInput } from "./session.js";

/** Duplicates taken beside a refresh token: as many as a browser that was led astray may send, and no heap of them. */
const MAX_OTHER_REFRESH_TOKENS = 8;

/**
 * The tokens to try, in this order, of all that a client presented: those that open, of each session only the newest
 * copy, and the session whose copy was sealed last first. An older copy beside a newer one is a cookie left behind, which
 * a thief has no reason to send.
 * @throws EngineError `invalid_input` for too many.
 */
export const presentedTokens = ({
  refreshToken,
  otherRefreshTokens = stryMutAct_9fa48("593") ? ["Stryker was here"] : (stryCov_9fa48("593"), [])
}: Pick<RefreshSessionInput, "refreshToken" | "otherRefreshTokens">, seal: Pick<RefreshTokenSeal, "open">): readonly RefreshTokenClaims[] => {
  if (stryMutAct_9fa48("594")) {
    {}
  } else {
    stryCov_9fa48("594");
    if (stryMutAct_9fa48("598") ? otherRefreshTokens.length <= MAX_OTHER_REFRESH_TOKENS : stryMutAct_9fa48("597") ? otherRefreshTokens.length >= MAX_OTHER_REFRESH_TOKENS : stryMutAct_9fa48("596") ? false : stryMutAct_9fa48("595") ? true : (stryCov_9fa48("595", "596", "597", "598"), otherRefreshTokens.length > MAX_OTHER_REFRESH_TOKENS)) throw new EngineError("invalid_input", `at most ${MAX_OTHER_REFRESH_TOKENS} other refresh tokens are taken`);
    const opened = stryMutAct_9fa48("601") ? [refreshToken, ...otherRefreshTokens].map(token => typeof token === "string" ? seal.open(token) : undefined) : (stryCov_9fa48("601"), (stryMutAct_9fa48("602") ? [] : (stryCov_9fa48("602"), [refreshToken, ...otherRefreshTokens])).map(stryMutAct_9fa48("603") ? () => undefined : (stryCov_9fa48("603"), token => (stryMutAct_9fa48("606") ? typeof token !== "string" : stryMutAct_9fa48("605") ? false : stryMutAct_9fa48("604") ? true : (stryCov_9fa48("604", "605", "606"), typeof token === "string")) ? seal.open(token) : undefined)).filter(stryMutAct_9fa48("608") ? () => undefined : (stryCov_9fa48("608"), claims => stryMutAct_9fa48("611") ? claims === undefined : stryMutAct_9fa48("610") ? false : stryMutAct_9fa48("609") ? true : (stryCov_9fa48("609", "610", "611"), claims !== undefined))));
    return (stryMutAct_9fa48("615") ? opened.length <= 1 : stryMutAct_9fa48("614") ? opened.length >= 1 : stryMutAct_9fa48("613") ? false : stryMutAct_9fa48("612") ? true : (stryCov_9fa48("612", "613", "614", "615"), opened.length > 1)) ? newestCopies(opened) : opened;
  }
};
const newestCopies = (opened: readonly RefreshTokenClaims[]): readonly RefreshTokenClaims[] => {
  if (stryMutAct_9fa48("616")) {
    {}
  } else {
    stryCov_9fa48("616");
    const copies = new Map<string, RefreshTokenClaims>();
    for (const claims of opened) {
      if (stryMutAct_9fa48("617")) {
        {}
      } else {
        stryCov_9fa48("617");
        // With another secret it is no copy: whoever sealed it without knowing the session's must not hide the real one.
        const lineage = `${claims.id} ${secretHash(claims.secret)}`;
        const known = copies.get(lineage);
        if (stryMutAct_9fa48("621") ? known === undefined && isNewer(claims, known) : stryMutAct_9fa48("620") ? false : stryMutAct_9fa48("619") ? true : (stryCov_9fa48("619", "620", "621"), (stryMutAct_9fa48("623") ? known !== undefined : stryMutAct_9fa48("622") ? false : (stryCov_9fa48("622", "623"), known === undefined)) || isNewer(claims, known))) copies.set(lineage, claims);
      }
    }
    return (stryMutAct_9fa48("624") ? [] : (stryCov_9fa48("624"), [...copies.values()])).toSorted(stryMutAct_9fa48("625") ? () => undefined : (stryCov_9fa48("625"), (one, other) => stryMutAct_9fa48("626") ? other.iat + one.iat : (stryCov_9fa48("626"), other.iat - one.iat)));
  }
};
const isNewer = stryMutAct_9fa48("627") ? () => undefined : (stryCov_9fa48("627"), (() => {
  const isNewer = (one: RefreshTokenClaims, other: RefreshTokenClaims): boolean => (stryMutAct_9fa48("630") ? one.seq !== other.seq : stryMutAct_9fa48("629") ? false : stryMutAct_9fa48("628") ? true : (stryCov_9fa48("628", "629", "630"), one.seq === other.seq)) ? stryMutAct_9fa48("634") ? one.iat <= other.iat : stryMutAct_9fa48("633") ? one.iat >= other.iat : stryMutAct_9fa48("632") ? false : stryMutAct_9fa48("631") ? true : (stryCov_9fa48("631", "632", "633", "634"), one.iat > other.iat) : stryMutAct_9fa48("638") ? one.seq <= other.seq : stryMutAct_9fa48("637") ? one.seq >= other.seq : stryMutAct_9fa48("636") ? false : stryMutAct_9fa48("635") ? true : (stryCov_9fa48("635", "636", "637", "638"), one.seq > other.seq);
  return isNewer;
})());