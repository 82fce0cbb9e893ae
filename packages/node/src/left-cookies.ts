import { isIP } from "node:net";
import { hostOf } from "./authority.js";
import { type CookieAttributes, cookieWriter } from "./cookie-header.js";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, namesOf, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import type { Exchange } from "./exchange.js";
import type { SessionCookieSettings } from "./cookie-settings.js";

const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
/** Where a browser may keep a cookie that reaches us: so many labels and segments are tried, no heap of them. */
const MOST_DOMAINS = 5;
const MOST_PATHS = 5;

/**
 * Clears cookies of a session that were set under other settings (another name, domain or path), where the request shows
 * one: browsers go on sending them beside the new ones, and nothing else would end them. A request does not say where a
 * cookie lives, so every place it can have come from is cleared, but for the one in force.
 */
export const clearLeftCookies = (exchange: Exchange, settings: SessionCookieSettings): void => {
  for (const cookie of [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE]) {
    const inForce = settings.cookies[cookie];
    if (inForce === undefined) continue;
    for (const name of namesOf(cookie)) {
      const values = exchange.cookies(name).length;
      if (values === 0 || (name === inForce.name && values === 1)) continue;
      for (const place of placesOf({ name, path: inForce.attributes.path }, exchange, settings))
        if (name !== inForce.name || !isSamePlace(place, inForce.attributes))
          exchange.appendCookie(cookieWriter(name, place)("", 0));
    }
  }
};

const placesOf = (
  { name, path: pathInForce }: { readonly name: string; readonly path: string },
  exchange: Exchange,
  settings: SessionCookieSettings,
): readonly CookieAttributes[] => {
  const { sameSite } = settings;
  const secure = settings.secure || name.startsWith("__");
  if (name.startsWith("__Host-")) return [{ path: "/", secure, sameSite }];
  const paths = [...new Set([...pathsOf(exchange.path()), pathInForce])];
  return domainsOf(exchange.authority(), settings).flatMap((domain) =>
    paths.map((path) => ({ domain, path, secure, sameSite })),
  );
};

/** The host alone, then its domain and the ones above; no browser takes one that stands for a whole registry. */
const domainsOf = (
  authority: string | undefined,
  { domain, olderDomain }: SessionCookieSettings,
): readonly (string | undefined)[] => {
  const given = [domain, olderDomain].filter((name) => name !== "");
  const host = hostOf(authority ?? "");
  if (!HOST.test(host) || isIP(host) !== 0) return [...new Set([undefined, ...given])];
  const labels = host.split(".").slice(-MOST_DOMAINS);
  const domains = labels.map((_, at) => labels.slice(at).join(".")).filter((name) => name.includes("."));
  return [...new Set([undefined, ...given, ...domains])];
};

/** All paths whose cookies a request for this one carries (RFC 6265 section 5.1.4). */
const pathsOf = (path: string): readonly string[] => {
  const segments = path.split("/").slice(1, MOST_PATHS);
  return ["/", ...segments.map((_, at) => `/${segments.slice(0, at + 1).join("/")}`)].filter((it) =>
    /^\/[\x21-\x3a\x3c-\x7e]*$/.test(it),
  );
};

const isSamePlace = (one: CookieAttributes, other: CookieAttributes): boolean =>
  one.path === other.path && one.domain?.replace(/^\./, "") === other.domain?.replace(/^\./, "").toLowerCase();
