/** How many values of one cookie name are looked at: a planted heap of them costs no more than these. */function stryNS_9fa48() {
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
const MOST_VALUES = 8;
const isBlank = stryMutAct_9fa48("853") ? () => undefined : (stryCov_9fa48("853"), (() => {
  const isBlank = (code: number): boolean => stryMutAct_9fa48("856") ? code === 0x20 && code === 0x09 : stryMutAct_9fa48("855") ? false : stryMutAct_9fa48("854") ? true : (stryCov_9fa48("854", "855", "856"), (stryMutAct_9fa48("858") ? code !== 0x20 : stryMutAct_9fa48("857") ? false : (stryCov_9fa48("857", "858"), code === 0x20)) || (stryMutAct_9fa48("860") ? code !== 0x09 : stryMutAct_9fa48("859") ? false : (stryCov_9fa48("859", "860"), code === 0x09)));
  return isBlank;
})());

/**
 * All values of one cookie in a `Cookie` header (RFC 6265 section 4.2.1), in their order, at most eight; percent-decoded.
 * Only looks for the name wanted, so its cost does not grow with the number of other cookies.
 */
export const cookieValues = (header: string, name: string): readonly string[] => {
  if (stryMutAct_9fa48("861")) {
    {}
  } else {
    stryCov_9fa48("861");
    const values: string[] = stryMutAct_9fa48("862") ? ["Stryker was here"] : (stryCov_9fa48("862"), []);
    const wanted = `${name}=`;
    for (let at = header.indexOf(wanted); stryMutAct_9fa48("865") ? at >= 0 || values.length < MOST_VALUES : stryMutAct_9fa48("864") ? false : (stryCov_9fa48("864", "865"), (stryMutAct_9fa48("868") ? at < 0 : stryMutAct_9fa48("867") ? at > 0 : stryMutAct_9fa48("866") ? true : (stryCov_9fa48("866", "867", "868"), at >= 0)) && (stryMutAct_9fa48("871") ? values.length >= MOST_VALUES : stryMutAct_9fa48("870") ? values.length <= MOST_VALUES : stryMutAct_9fa48("869") ? true : (stryCov_9fa48("869", "870", "871"), values.length < MOST_VALUES))); at = header.indexOf(wanted, stryMutAct_9fa48("872") ? at - 1 : (stryCov_9fa48("872"), at + 1))) {
      if (stryMutAct_9fa48("873")) {
        {}
      } else {
        stryCov_9fa48("873");
        let before = stryMutAct_9fa48("874") ? at + 1 : (stryCov_9fa48("874"), at - 1);
        while (stryMutAct_9fa48("876") ? before >= 0 || isBlank(header.charCodeAt(before)) : stryMutAct_9fa48("875") ? false : (stryCov_9fa48("875", "876"), (stryMutAct_9fa48("879") ? before < 0 : stryMutAct_9fa48("878") ? before > 0 : stryMutAct_9fa48("877") ? true : (stryCov_9fa48("877", "878", "879"), before >= 0)) && isBlank(header.charCodeAt(before)))) stryMutAct_9fa48("880") ? before++ : (stryCov_9fa48("880"), before--);
        if (stryMutAct_9fa48("883") ? before >= 0 || header[before] !== ";" : stryMutAct_9fa48("882") ? false : stryMutAct_9fa48("881") ? true : (stryCov_9fa48("881", "882", "883"), (stryMutAct_9fa48("886") ? before < 0 : stryMutAct_9fa48("885") ? before > 0 : stryMutAct_9fa48("884") ? true : (stryCov_9fa48("884", "885", "886"), before >= 0)) && (stryMutAct_9fa48("888") ? header[before] === ";" : stryMutAct_9fa48("887") ? true : (stryCov_9fa48("887", "888"), header[before] !== ";")))) continue;
        const start = stryMutAct_9fa48("890") ? at - wanted.length : (stryCov_9fa48("890"), at + wanted.length);
        const end = header.indexOf(";", start);
        values.push(decode(trim(header, start, (stryMutAct_9fa48("895") ? end >= 0 : stryMutAct_9fa48("894") ? end <= 0 : stryMutAct_9fa48("893") ? false : stryMutAct_9fa48("892") ? true : (stryCov_9fa48("892", "893", "894", "895"), end < 0)) ? header.length : end)));
      }
    }
    return values;
  }
};

/** Space and tab only: a wider trim would make two different cookies alike. No pattern: it would be quadratic. */
const trim = (header: string, from: number, to: number): string => {
  if (stryMutAct_9fa48("896")) {
    {}
  } else {
    stryCov_9fa48("896");
    let start = from;
    let end = to;
    while (stryMutAct_9fa48("898") ? start < end || isBlank(header.charCodeAt(start)) : stryMutAct_9fa48("897") ? false : (stryCov_9fa48("897", "898"), (stryMutAct_9fa48("901") ? start >= end : stryMutAct_9fa48("900") ? start <= end : stryMutAct_9fa48("899") ? true : (stryCov_9fa48("899", "900", "901"), start < end)) && isBlank(header.charCodeAt(start)))) stryMutAct_9fa48("902") ? start-- : (stryCov_9fa48("902"), start++);
    while (stryMutAct_9fa48("904") ? end > start || isBlank(header.charCodeAt(end - 1)) : stryMutAct_9fa48("903") ? false : (stryCov_9fa48("903", "904"), (stryMutAct_9fa48("907") ? end <= start : stryMutAct_9fa48("906") ? end >= start : stryMutAct_9fa48("905") ? true : (stryCov_9fa48("905", "906", "907"), end > start)) && isBlank(header.charCodeAt(stryMutAct_9fa48("908") ? end + 1 : (stryCov_9fa48("908"), end - 1))))) stryMutAct_9fa48("909") ? end++ : (stryCov_9fa48("909"), end--);
    return stryMutAct_9fa48("910") ? header : (stryCov_9fa48("910"), header.slice(start, end));
  }
};
const decode = (text: string): string => {
  if (stryMutAct_9fa48("911")) {
    {}
  } else {
    stryCov_9fa48("911");
    const value = (stryMutAct_9fa48("914") ? text.length > 1 && text.startsWith('"') || text.endsWith('"') : stryMutAct_9fa48("913") ? false : stryMutAct_9fa48("912") ? true : (stryCov_9fa48("912", "913", "914"), (stryMutAct_9fa48("916") ? text.length > 1 || text.startsWith('"') : stryMutAct_9fa48("915") ? true : (stryCov_9fa48("915", "916"), (stryMutAct_9fa48("919") ? text.length <= 1 : stryMutAct_9fa48("918") ? text.length >= 1 : stryMutAct_9fa48("917") ? true : (stryCov_9fa48("917", "918", "919"), text.length > 1)) && (stryMutAct_9fa48("920") ? text.endsWith('"') : (stryCov_9fa48("920"), text.startsWith('"'))))) && (stryMutAct_9fa48("922") ? text.startsWith('"') : (stryCov_9fa48("922"), text.endsWith('"'))))) ? stryMutAct_9fa48("924") ? text : (stryCov_9fa48("924"), text.slice(1, stryMutAct_9fa48("925") ? +1 : (stryCov_9fa48("925"), -1))) : text;
    if (stryMutAct_9fa48("928") ? false : stryMutAct_9fa48("927") ? true : stryMutAct_9fa48("926") ? value.includes("%") : (stryCov_9fa48("926", "927", "928"), !value.includes("%"))) return value;
    try {
      if (stryMutAct_9fa48("930")) {
        {}
      } else {
        stryCov_9fa48("930");
        return decodeURIComponent(value);
      }
    } catch {
      if (stryMutAct_9fa48("931")) {
        {}
      } else {
        stryCov_9fa48("931");
        return value;
      }
    }
  }
};
export type SameSite = "strict" | "lax" | "none";
export interface CookieAttributes {
  /** Absent: the cookie belongs to the host that set it. */
  readonly domain?: string;
  readonly path: string;
  readonly secure: boolean;
  readonly sameSite: SameSite;
}
const sameSiteText = {
  strict: "Strict",
  lax: "Lax",
  none: "None"
} as const;

/** Prepares the `Set-Cookie` lines of one cookie (RFC 6265 section 4.1); always `HttpOnly`. `expires` is ms since the epoch. */
export const cookieWriter = (name: string, {
  domain,
  path,
  secure,
  sameSite
}: CookieAttributes): ((value: string, expires: number) => string) => {
  if (stryMutAct_9fa48("932")) {
    {}
  } else {
    stryCov_9fa48("932");
    const place = `${(stryMutAct_9fa48("936") ? domain !== undefined : stryMutAct_9fa48("935") ? false : stryMutAct_9fa48("934") ? true : (stryCov_9fa48("934", "935", "936"), domain === undefined)) ? "" : `; Domain=${domain}`}; Path=${path}; Expires=`;
    const flags = `; HttpOnly${secure ? "; Secure" : ""}; SameSite=${sameSiteText[sameSite]}`;
    return stryMutAct_9fa48("942") ? () => undefined : (stryCov_9fa48("942"), (value, expires) => `${name}=${encodeURIComponent(value)}${place}${new Date(expires).toUTCString()}${flags}`);
  }
};