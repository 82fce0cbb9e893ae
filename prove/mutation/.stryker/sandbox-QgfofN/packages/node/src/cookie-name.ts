/** The documented names of a session's cookies. */function stryNS_9fa48() {
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
export const ACCESS_TOKEN_COOKIE = "sAccessToken";
export const REFRESH_TOKEN_COOKIE = "sRefreshToken";
export const ID_REFRESH_TOKEN_COOKIE = "sIdRefreshToken";

/** With the prefix the browser itself guards path, host and `Secure` (RFC 6265bis section 4.1.3). */
const PREFIXES = ["__Host-", "__Secure-", ""] as const;

/** Where a cookie lives, as far as its name depends on it. */
export interface CookiePlace {
  readonly domain?: string;
  readonly path: string;
  readonly secure: boolean;
}

/** A documented name with the strongest prefix that its place allows; without `Secure` browsers accept none. */
export const prefixedName = (name: string, {
  domain,
  path,
  secure
}: CookiePlace): string => {
  if (stryMutAct_9fa48("947")) {
    {}
  } else {
    stryCov_9fa48("947");
    if (stryMutAct_9fa48("950") ? false : stryMutAct_9fa48("949") ? true : stryMutAct_9fa48("948") ? secure : (stryCov_9fa48("948", "949", "950"), !secure)) return name;
    return (stryMutAct_9fa48("953") ? domain === undefined || path === "/" : stryMutAct_9fa48("952") ? false : stryMutAct_9fa48("951") ? true : (stryCov_9fa48("951", "952", "953"), (stryMutAct_9fa48("955") ? domain !== undefined : stryMutAct_9fa48("954") ? true : (stryCov_9fa48("954", "955"), domain === undefined)) && (stryMutAct_9fa48("957") ? path !== "/" : stryMutAct_9fa48("956") ? true : (stryCov_9fa48("956", "957"), path === "/")))) ? `__Host-${name}` : `__Secure-${name}`;
  }
};
const known = stryMutAct_9fa48("961") ? () => undefined : (stryCov_9fa48("961"), (() => {
  const known = (name: string): readonly string[] => PREFIXES.map(stryMutAct_9fa48("962") ? () => undefined : (stryCov_9fa48("962"), prefix => stryMutAct_9fa48("963") ? prefix - name : (stryCov_9fa48("963"), prefix + name)));
  return known;
})());
const knownNames: Readonly<Record<string, readonly string[]>> = stryMutAct_9fa48("964") ? {} : (stryCov_9fa48("964"), {
  [ACCESS_TOKEN_COOKIE]: known(ACCESS_TOKEN_COOKIE),
  [REFRESH_TOKEN_COOKIE]: known(REFRESH_TOKEN_COOKIE),
  [ID_REFRESH_TOKEN_COOKIE]: known(ID_REFRESH_TOKEN_COOKIE)
});

/** All names a cookie may have been given under other settings. */
export const namesOf = stryMutAct_9fa48("965") ? () => undefined : (stryCov_9fa48("965"), (() => {
  const namesOf = (name: string): readonly string[] => stryMutAct_9fa48("966") ? knownNames[name] && [name] : (stryCov_9fa48("966"), knownNames[name] ?? (stryMutAct_9fa48("967") ? [] : (stryCov_9fa48("967"), [name])));
  return namesOf;
})());