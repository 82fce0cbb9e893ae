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
import { isIP } from "node:net";
import { type CookieAttributes, cookieWriter } from "./cookie-header.js";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, namesOf, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import type { Exchange } from "./exchange.js";
import type { SessionCookieSettings } from "./session-cookies.js";
const HOST = stryMutAct_9fa48("1020") ? /^[a-z0-9]([a-z0-9.-]*[^a-z0-9])?$/ : stryMutAct_9fa48("1019") ? /^[a-z0-9]([^a-z0-9.-]*[a-z0-9])?$/ : stryMutAct_9fa48("1018") ? /^[a-z0-9]([a-z0-9.-][a-z0-9])?$/ : stryMutAct_9fa48("1017") ? /^[a-z0-9]([a-z0-9.-]*[a-z0-9])$/ : stryMutAct_9fa48("1016") ? /^[^a-z0-9]([a-z0-9.-]*[a-z0-9])?$/ : stryMutAct_9fa48("1015") ? /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?/ : stryMutAct_9fa48("1014") ? /[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/ : (stryCov_9fa48("1014", "1015", "1016", "1017", "1018", "1019", "1020"), /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);
/** Where a browser may keep a cookie that reaches us: so many labels and segments are tried, no heap of them. */
const MOST_DOMAINS = 5;
const MOST_PATHS = 5;

/**
 * Clears cookies of a session that were set under other settings (another name, domain or path), where the request shows
 * one: browsers go on sending them beside the new ones, and nothing else would end them. A request does not say where a
 * cookie lives, so every place it can have come from is cleared, but for the one in force.
 */
export const clearLeftCookies = (exchange: Exchange, settings: SessionCookieSettings): void => {
  if (stryMutAct_9fa48("1021")) {
    {}
  } else {
    stryCov_9fa48("1021");
    for (const cookie of stryMutAct_9fa48("1022") ? [] : (stryCov_9fa48("1022"), [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE])) {
      if (stryMutAct_9fa48("1023")) {
        {}
      } else {
        stryCov_9fa48("1023");
        const inForce = settings.cookies[cookie];
        if (stryMutAct_9fa48("1026") ? inForce !== undefined : stryMutAct_9fa48("1025") ? false : stryMutAct_9fa48("1024") ? true : (stryCov_9fa48("1024", "1025", "1026"), inForce === undefined)) continue;
        for (const name of namesOf(cookie)) {
          if (stryMutAct_9fa48("1027")) {
            {}
          } else {
            stryCov_9fa48("1027");
            const values = exchange.cookies(name).length;
            if (stryMutAct_9fa48("1030") ? values === 0 && name === inForce.name && values === 1 : stryMutAct_9fa48("1029") ? false : stryMutAct_9fa48("1028") ? true : (stryCov_9fa48("1028", "1029", "1030"), (stryMutAct_9fa48("1032") ? values !== 0 : stryMutAct_9fa48("1031") ? false : (stryCov_9fa48("1031", "1032"), values === 0)) || (stryMutAct_9fa48("1034") ? name === inForce.name || values === 1 : stryMutAct_9fa48("1033") ? false : (stryCov_9fa48("1033", "1034"), (stryMutAct_9fa48("1036") ? name !== inForce.name : stryMutAct_9fa48("1035") ? true : (stryCov_9fa48("1035", "1036"), name === inForce.name)) && (stryMutAct_9fa48("1038") ? values !== 1 : stryMutAct_9fa48("1037") ? true : (stryCov_9fa48("1037", "1038"), values === 1)))))) continue;
            for (const place of placesOf(stryMutAct_9fa48("1039") ? {} : (stryCov_9fa48("1039"), {
              name,
              path: inForce.attributes.path
            }), exchange, settings)) if (stryMutAct_9fa48("1042") ? name !== inForce.name && !isSamePlace(place, inForce.attributes) : stryMutAct_9fa48("1041") ? false : stryMutAct_9fa48("1040") ? true : (stryCov_9fa48("1040", "1041", "1042"), (stryMutAct_9fa48("1044") ? name === inForce.name : stryMutAct_9fa48("1043") ? false : (stryCov_9fa48("1043", "1044"), name !== inForce.name)) || (stryMutAct_9fa48("1045") ? isSamePlace(place, inForce.attributes) : (stryCov_9fa48("1045"), !isSamePlace(place, inForce.attributes))))) exchange.appendCookie(cookieWriter(name, place)("", 0));
          }
        }
      }
    }
  }
};
const placesOf = ({
  name,
  path: pathInForce
}: {
  readonly name: string;
  readonly path: string;
}, exchange: Exchange, settings: SessionCookieSettings): readonly CookieAttributes[] => {
  if (stryMutAct_9fa48("1047")) {
    {}
  } else {
    stryCov_9fa48("1047");
    const {
      sameSite
    } = settings;
    const secure = stryMutAct_9fa48("1050") ? settings.secure && name.startsWith("__") : stryMutAct_9fa48("1049") ? false : stryMutAct_9fa48("1048") ? true : (stryCov_9fa48("1048", "1049", "1050"), settings.secure || (stryMutAct_9fa48("1051") ? name.endsWith("__") : (stryCov_9fa48("1051"), name.startsWith("__"))));
    if (stryMutAct_9fa48("1055") ? name.endsWith("__Host-") : stryMutAct_9fa48("1054") ? false : stryMutAct_9fa48("1053") ? true : (stryCov_9fa48("1053", "1054", "1055"), name.startsWith("__Host-"))) return stryMutAct_9fa48("1057") ? [] : (stryCov_9fa48("1057"), [stryMutAct_9fa48("1058") ? {} : (stryCov_9fa48("1058"), {
      path: "/",
      secure,
      sameSite
    })]);
    const paths = stryMutAct_9fa48("1060") ? [] : (stryCov_9fa48("1060"), [...new Set(stryMutAct_9fa48("1061") ? [] : (stryCov_9fa48("1061"), [...pathsOf(exchange.path()), pathInForce]))]);
    return domainsOf(exchange.header("host"), settings).flatMap(stryMutAct_9fa48("1063") ? () => undefined : (stryCov_9fa48("1063"), domain => paths.map(stryMutAct_9fa48("1064") ? () => undefined : (stryCov_9fa48("1064"), path => stryMutAct_9fa48("1065") ? {} : (stryCov_9fa48("1065"), {
      ...((stryMutAct_9fa48("1068") ? domain !== undefined : stryMutAct_9fa48("1067") ? false : stryMutAct_9fa48("1066") ? true : (stryCov_9fa48("1066", "1067", "1068"), domain === undefined)) ? {} : stryMutAct_9fa48("1069") ? {} : (stryCov_9fa48("1069"), {
        domain
      })),
      path,
      secure,
      sameSite
    })))));
  }
};

/** The host alone, then its domain and the ones above; no browser takes one that stands for a whole registry. */
const domainsOf = (hostHeader: string | undefined, {
  domain,
  olderDomain
}: SessionCookieSettings): readonly (string | undefined)[] => {
  if (stryMutAct_9fa48("1070")) {
    {}
  } else {
    stryCov_9fa48("1070");
    const given = stryMutAct_9fa48("1071") ? [domain, olderDomain] : (stryCov_9fa48("1071"), (stryMutAct_9fa48("1072") ? [] : (stryCov_9fa48("1072"), [domain, olderDomain])).filter(stryMutAct_9fa48("1073") ? () => undefined : (stryCov_9fa48("1073"), name => stryMutAct_9fa48("1076") ? name !== undefined || name !== "" : stryMutAct_9fa48("1075") ? false : stryMutAct_9fa48("1074") ? true : (stryCov_9fa48("1074", "1075", "1076"), (stryMutAct_9fa48("1078") ? name === undefined : stryMutAct_9fa48("1077") ? true : (stryCov_9fa48("1077", "1078"), name !== undefined)) && (stryMutAct_9fa48("1080") ? name === "" : stryMutAct_9fa48("1079") ? true : (stryCov_9fa48("1079", "1080"), name !== ""))))));
    const host = stryMutAct_9fa48("1082") ? (hostHeader ?? "").toUpperCase().replace(/:\d*$/, "") : (stryCov_9fa48("1082"), (stryMutAct_9fa48("1083") ? hostHeader && "" : (stryCov_9fa48("1083"), hostHeader ?? "")).toLowerCase().replace(stryMutAct_9fa48("1087") ? /:\D*$/ : stryMutAct_9fa48("1086") ? /:\d$/ : stryMutAct_9fa48("1085") ? /:\d*/ : (stryCov_9fa48("1085", "1086", "1087"), /:\d*$/), ""));
    if (stryMutAct_9fa48("1091") ? !HOST.test(host) && isIP(host) !== 0 : stryMutAct_9fa48("1090") ? false : stryMutAct_9fa48("1089") ? true : (stryCov_9fa48("1089", "1090", "1091"), (stryMutAct_9fa48("1092") ? HOST.test(host) : (stryCov_9fa48("1092"), !HOST.test(host))) || (stryMutAct_9fa48("1094") ? isIP(host) === 0 : stryMutAct_9fa48("1093") ? false : (stryCov_9fa48("1093", "1094"), isIP(host) !== 0)))) return stryMutAct_9fa48("1095") ? [] : (stryCov_9fa48("1095"), [...new Set(stryMutAct_9fa48("1096") ? [] : (stryCov_9fa48("1096"), [undefined, ...given]))]);
    const labels = stryMutAct_9fa48("1097") ? host.split(".") : (stryCov_9fa48("1097"), host.split(".").slice(stryMutAct_9fa48("1099") ? +MOST_DOMAINS : (stryCov_9fa48("1099"), -MOST_DOMAINS)));
    const domains = stryMutAct_9fa48("1100") ? labels.map((_, at) => labels.slice(at).join(".")) : (stryCov_9fa48("1100"), labels.map(stryMutAct_9fa48("1101") ? () => undefined : (stryCov_9fa48("1101"), (_, at) => stryMutAct_9fa48("1102") ? labels.join(".") : (stryCov_9fa48("1102"), labels.slice(at).join(".")))).filter(stryMutAct_9fa48("1104") ? () => undefined : (stryCov_9fa48("1104"), name => name.includes("."))));
    return stryMutAct_9fa48("1106") ? [] : (stryCov_9fa48("1106"), [...new Set(stryMutAct_9fa48("1107") ? [] : (stryCov_9fa48("1107"), [undefined, ...given, ...domains]))]);
  }
};

/** All paths whose cookies a request for this one carries (RFC 6265 section 5.1.4). */
const pathsOf = (path: string): readonly string[] => {
  if (stryMutAct_9fa48("1108")) {
    {}
  } else {
    stryCov_9fa48("1108");
    const segments = stryMutAct_9fa48("1109") ? path.split("/") : (stryCov_9fa48("1109"), path.split("/").slice(1, MOST_PATHS));
    return stryMutAct_9fa48("1111") ? ["/", ...segments.map((_, at) => `/${segments.slice(0, at + 1).join("/")}`)] : (stryCov_9fa48("1111"), (stryMutAct_9fa48("1112") ? [] : (stryCov_9fa48("1112"), ["/", ...segments.map(stryMutAct_9fa48("1114") ? () => undefined : (stryCov_9fa48("1114"), (_, at) => `/${stryMutAct_9fa48("1116") ? segments.join("/") : (stryCov_9fa48("1116"), segments.slice(0, stryMutAct_9fa48("1117") ? at - 1 : (stryCov_9fa48("1117"), at + 1)).join("/"))}`))])).filter(stryMutAct_9fa48("1119") ? () => undefined : (stryCov_9fa48("1119"), it => (stryMutAct_9fa48("1123") ? /^\/[^\x21-\x3a\x3c-\x7e]*$/ : stryMutAct_9fa48("1122") ? /^\/[\x21-\x3a\x3c-\x7e]$/ : stryMutAct_9fa48("1121") ? /^\/[\x21-\x3a\x3c-\x7e]*/ : stryMutAct_9fa48("1120") ? /\/[\x21-\x3a\x3c-\x7e]*$/ : (stryCov_9fa48("1120", "1121", "1122", "1123"), /^\/[\x21-\x3a\x3c-\x7e]*$/)).test(it))));
  }
};
const isSamePlace = stryMutAct_9fa48("1124") ? () => undefined : (stryCov_9fa48("1124"), (() => {
  const isSamePlace = (one: CookieAttributes, other: CookieAttributes): boolean => stryMutAct_9fa48("1127") ? one.path === other.path || one.domain?.replace(/^\./, "") === other.domain?.replace(/^\./, "").toLowerCase() : stryMutAct_9fa48("1126") ? false : stryMutAct_9fa48("1125") ? true : (stryCov_9fa48("1125", "1126", "1127"), (stryMutAct_9fa48("1129") ? one.path !== other.path : stryMutAct_9fa48("1128") ? true : (stryCov_9fa48("1128", "1129"), one.path === other.path)) && (stryMutAct_9fa48("1131") ? one.domain?.replace(/^\./, "") !== other.domain?.replace(/^\./, "").toLowerCase() : stryMutAct_9fa48("1130") ? true : (stryCov_9fa48("1130", "1131"), (stryMutAct_9fa48("1132") ? one.domain.replace(/^\./, "") : (stryCov_9fa48("1132"), one.domain?.replace(stryMutAct_9fa48("1133") ? /\./ : (stryCov_9fa48("1133"), /^\./), ""))) === (stryMutAct_9fa48("1136") ? other.domain.replace(/^\./, "").toLowerCase() : stryMutAct_9fa48("1135") ? other.domain?.replace(/^\./, "").toUpperCase() : (stryCov_9fa48("1135", "1136"), other.domain?.replace(stryMutAct_9fa48("1137") ? /\./ : (stryCov_9fa48("1137"), /^\./), "").toLowerCase())))));
  return isSamePlace;
})());