import { isIP } from "node:net";
import { type CookieAttributes, type Exchange, cookieWriter, hostOf } from "@pawl/node/http";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, namesOf, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import type { SessionCookie, SessionCookieSettings } from "./cookie-settings.js";

const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
/** Labels and segments that are tried at most. */
const MOST_DOMAINS = 5;
const MOST_PATHS = 5;

/** A place where a cookie may live. */
interface Place {
  readonly attributes: CookieAttributes;
  /** The higher, the less likely a setting of ours put a cookie there. */
  readonly rank: number;
}

/**
 * Lines that clear cookies of a session outside the place in force, where the request shows one: cookies that were set under
 * other settings (another name, domain or path), or planted. Browsers go on sending them beside the new ones, and nothing
 * else would end them. A request does not say where a cookie lives, so there is a line for every place it can have come from,
 * the likeliest first. One value of the name in force is taken for the cookie in force, unless `everywhere` says otherwise.
 */
export const leftCookieLines = (
  exchange: Exchange,
  settings: SessionCookieSettings,
  { everywhere }: { readonly everywhere: boolean },
): readonly string[] =>
  [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE]
    .flatMap((cookie) => {
      const inForce = settings.cookies[cookie] as SessionCookie;
      return namesOf(cookie).flatMap((name) => {
        const isInForce = name === inForce.name;
        if (exchange.cookies(name).length <= (isInForce && !everywhere ? 1 : 0)) return [];
        return placesOf({ name, path: inForce.attributes.path }, exchange, settings)
          .filter(({ attributes }) => !isInForce || !isSamePlace(attributes, inForce.attributes))
          .map(({ attributes, rank }) => ({ line: cookieWriter(name, attributes)("", 0), rank }));
      });
    })
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ line }) => line);

const placesOf = (
  { name, path: pathInForce }: { readonly name: string; readonly path: string },
  exchange: Exchange,
  settings: SessionCookieSettings,
): readonly Place[] => {
  const { sameSite } = settings;
  const secure = settings.secure || name.startsWith("__");
  if (name.startsWith("__Host-")) return [{ attributes: { path: "/", secure, sameSite }, rank: 0 }];
  const paths = ranked([[pathInForce, "/"], ...pathsOf(exchange.path())]);
  return ranked(domainsOf(exchange.authority(), settings)).flatMap(({ value: domain, rank }) =>
    paths.map((path) => ({
      attributes: { domain, path: path.value, secure, sameSite },
      rank: rank + 2 * path.rank,
    })),
  );
};

/** Values in their order, each once, with the number of the list it first stands in. */
const ranked = <Value>(
  lists: readonly (readonly Value[])[],
): readonly { readonly value: Value; readonly rank: number }[] => {
  const ranks = new Map<Value, number>();
  for (const [rank, values] of lists.entries())
    for (const value of values) if (!ranks.has(value)) ranks.set(value, rank);
  return [...ranks].map(([value, rank]) => ({ value, rank }));
};

/** The host alone and domains of the settings; then the host's domain and the ones above, of which browsers take none that stands for a whole registry. */
const domainsOf = (
  authority: string | undefined,
  { domain, olderDomain }: SessionCookieSettings,
): readonly (readonly (string | undefined)[])[] => {
  const given = [undefined, ...[domain, olderDomain].filter((name) => name !== "")];
  const host = hostOf(authority ?? "");
  if (!HOST.test(host) || isIP(host) !== 0) return [given];
  const labels = host.split(".").slice(-MOST_DOMAINS);
  return [given, labels.map((_, at) => labels.slice(at).join(".")).filter((name) => name.includes("."))];
};

/** All paths whose cookies a request for this one carries (RFC 6265 section 5.1.4), then those with a slash at their end. */
const pathsOf = (path: string): readonly (readonly string[])[] => {
  const segments = path.split("/").slice(1, MOST_PATHS);
  const paths = segments
    .map((_, at) => `/${segments.slice(0, at + 1).join("/")}`)
    .filter((it) => /^\/[\x21-\x3a\x3c-\x7e]*$/.test(it));
  return [paths, paths.filter((it) => it !== path).map((it) => `${it}/`)];
};

const isSamePlace = (one: CookieAttributes, other: CookieAttributes): boolean =>
  one.path === other.path && one.domain?.replace(/^\./, "") === other.domain?.replace(/^\./, "").toLowerCase();
