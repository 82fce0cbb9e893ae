import { isIP } from "node:net";
import type { IssuedSession, IssuedToken } from "@pawl/engine";
import { hostOf } from "@pawl/protocol";
import { MOST_VALUES } from "@pawl/protocol";
import { attributesText, type CookieAttributes, cookieWriter } from "./cookie-header.js";
import type { Exchange } from "./exchange.js";
import { isLocalDevelopment, isProduction } from "./local-development.js";
import { isOfOtherRoute } from "./refresh-path.js";
import type { BackendOptions } from "../options/options.js";

type CookieKind = "access" | "refresh";
type CookieRules = Pick<BackendOptions, "cookies" | "frontend" | "basePath">;

interface Cookie {
  readonly name: string;
  readonly attributes: CookieAttributes;
  readonly write: ReturnType<typeof cookieWriter>;
}

/** An access token for its cookie. */
interface AccessCookie {
  readonly token: IssuedToken;
  /** Whether it is bound to a device: then its cookie ends with it, so that the browser refreshes. */
  readonly isBound: boolean;
  /** When the cookie ends otherwise, ms since the epoch. */
  readonly expires: number;
}

/** A cookie that a browser is to watch. */
interface WatchedCookie {
  readonly name: string;
  readonly attributes: string;
}

type Cookies = Readonly<Record<CookieKind, Cookie>>;

/** What a refresh token starts with, and no access token does. */
export const REFRESH_TOKEN_START = "pawl_rt_";

const KINDS: readonly CookieKind[] = ["access", "refresh"];
const PREFIXES = ["__Host-", "__Secure-", ""] as const;

/** The two cookies of a session: both `HttpOnly`, both kept as long as the session, so that an expired token shows. */
export interface SessionCookies {
  /** Whether the refresh cookie comes with every request. */
  readonly refreshEverywhere: boolean;
  /**
   * For a route that refreshes and was not shown a refresh cookie. Every user would be logged out when the first access token
   * ends, were it not sent there.
   * @throws TypeError where a browser that has a session does not send the refresh cookie.
   */
  checkRoute(exchange: Exchange): void;
  /** The values a request carries under the name in force, else under one in `alsoRead`. */
  read(exchange: Exchange, kind: CookieKind): readonly string[];
  write(exchange: Exchange, issued: IssuedSession): void;
  /** Replaces the access token alone. */
  writeAccess(exchange: Exchange, cookie: AccessCookie): void;
  /** Takes the access token away, so that a browser which holds the session's key refreshes before its next request. */
  expireAccess(exchange: Exchange): void;
  clear(exchange: Exchange): void;
  /** Clears cookies of another system, of the path `/`, on this host and those above it. */
  clearOthers(exchange: Exchange, names: readonly string[]): void;
  /** The access cookie as a browser has to watch it; undefined where browsers bind nothing, for it is not `Secure`. */
  watched(exchange: Exchange): WatchedCookie | undefined;
  /** The longest name of the access cookie. */
  readonly accessName: string;
}

/** Labels of a host that are tried as a domain. */
const MOST_LABELS = 4;

/** Where a cookie of that name may be: a request does not say it. */
const placesOf = (
  name: string,
  attributes: CookieAttributes,
  authority: string | undefined,
): readonly CookieAttributes[] => {
  const place = { ...attributes, secure: attributes.secure || name.startsWith("__") };
  if (name.startsWith("__Host-")) return [{ ...place, domain: undefined, path: "/" }];
  const paths = [...new Set(["/", place.path])];
  return [undefined, ...domainsOf(hostOf(authority ?? ""))].flatMap((domain) =>
    paths.map((path) => ({ ...place, domain, path })),
  );
};

/** The domain of a host, and those above that it may set cookies for. */
const domainsOf = (host: string): readonly string[] => {
  if (!/^[a-z0-9.-]+$/.test(host) || isIP(host) !== 0) return [];
  const labels = host.split(".").slice(-MOST_LABELS);
  return labels.map((_, at) => labels.slice(at).join(".")).filter((domain) => domain.includes("."));
};

/** Whether no other host can set an access cookie that is read, for some paths alone. */
export const isSameOnAllPaths = ({ cookies: { domain, alsoRead = [] } = {}, frontend }: CookieRules): boolean =>
  domain === undefined && frontend === undefined && alsoRead.length === 0;

/** The names that the documentation of `supertokens-website` gives, and the path of its refresh. */
const DOCUMENTED = { access: "sAccessToken", refresh: "sRefreshToken", refreshPath: "/session/refresh" } as const;

/**
 * For how long an answer, and a later request, may be on their way, in seconds: the cookie of a bound session ends before its
 * token does.
 */
const ON_THEIR_WAY = 30;

const writtenAccess = ({ write }: Cookie, { token, isBound, expires }: AccessCookie): string => {
  if (!isBound) return write(token.token, expires);
  const maxAge = Math.max(0, Math.floor((token.expiry - token.createdTime) / 1000) - ON_THEIR_WAY);
  return write(token.token, token.createdTime + maxAge * 1000, { maxAge });
};

export const createCookies = ({ cookies: options = {}, frontend, basePath = "" }: CookieRules): SessionCookies => {
  const isDocumented = frontend !== undefined;
  const standardPath = isDocumented ? basePath.replace(/\/+$/, "") + DOCUMENTED.refreshPath : "/";
  const { domain, sameSite = "lax", refreshPath = standardPath, prefix = "pawl", alsoRead = [] } = options;
  const baseName = (kind: CookieKind): string => (isDocumented ? DOCUMENTED[kind] : `${prefix}-${kind}`);
  const cookie = (kind: CookieKind, path: string, secure: boolean): Cookie => {
    const attributes = { domain, path, secure, sameSite };
    const guarded = domain === undefined && path === "/" ? "__Host-" : "__Secure-";
    const name = (secure && !isDocumented ? guarded : "") + baseName(kind);
    return { name, attributes, write: cookieWriter(name, attributes) };
  };
  const cookies = (secure: boolean): Cookies => ({
    access: cookie("access", "/", secure),
    refresh: cookie("refresh", refreshPath, secure),
  });
  const secure = cookies(true);
  const local = cookies(false);
  // Asked once: reading the environment costs more than all the rest that a request has to be asked.
  const mayBeLocal = !isProduction();
  const inForce = (exchange: Exchange): Cookies => (mayBeLocal && isLocalDevelopment(exchange) ? local : secure);

  /**
   * Cookies of earlier settings, or planted ones: browsers keep sending them beside the new ones, and nothing else would end
   * them. One value of a name in force is taken for that of the place in force, unless `everywhere` says otherwise.
   */
  const clearLeft = (exchange: Exchange, current: Cookies, { everywhere = false } = {}): void => {
    const names = KINDS.flatMap((kind) => PREFIXES.map((start) => start + baseName(kind)));
    for (const name of [...names, ...alsoRead]) {
      const inForce = KINDS.map((kind) => current[kind]).find((cookie) => cookie.name === name)?.attributes;
      if (exchange.cookies(name).length <= (inForce === undefined || everywhere ? 0 : 1)) continue;
      for (const place of placesOf(name, current.refresh.attributes, exchange.authority()))
        if (place.domain !== inForce?.domain || place.path !== inForce?.path)
          exchange.appendCookie(cookieWriter(name, place)("", 0));
    }
  };

  return {
    refreshEverywhere: refreshPath === "/",

    checkRoute(exchange) {
      const path = exchange.path();
      if (!isOfOtherRoute(refreshPath, path) || exchange.cookies(inForce(exchange).access.name).length === 0) return;
      throw new TypeError(
        `the refresh cookie has the path "${refreshPath}", so browsers do not send it to "${path}": set cookies.refreshPath`,
      );
    },

    read(exchange, kind) {
      const { access, refresh } = inForce(exchange);
      const values = exchange.cookies(kind === "access" ? access.name : refresh.name);
      if (values.length > 0 || alsoRead.length === 0) return values;
      // An older access token beside a newer refresh token would be of another session.
      if (kind === "access" && exchange.cookies(refresh.name).length > 0) return values;
      const older = alsoRead.flatMap((name) => exchange.cookies(name));
      return older
        .filter((value) => value.startsWith(REFRESH_TOKEN_START) === (kind === "refresh"))
        .slice(0, MOST_VALUES);
    },

    write(exchange, { session, accessToken: token, refreshToken }) {
      const { access, refresh } = inForce(exchange);
      const { expiry: expires } = refreshToken;
      exchange.appendCookie(writtenAccess(access, { token, isBound: session.bound === true, expires }));
      exchange.appendCookie(refresh.write(refreshToken.token, expires));
      clearLeft(exchange, { access, refresh });
    },

    writeAccess(exchange, cookie) {
      exchange.appendCookie(writtenAccess(inForce(exchange).access, cookie));
    },

    expireAccess(exchange) {
      exchange.appendCookie(inForce(exchange).access.write("", 0));
    },

    clear(exchange) {
      const current = inForce(exchange);
      for (const kind of KINDS) exchange.appendCookie(current[kind].write("", 0));
      clearLeft(exchange, current, { everywhere: true });
    },

    clearOthers(exchange, names) {
      const attributes = { ...inForce(exchange).access.attributes, path: "/" };
      for (const name of exchange.canWrite() ? names : [])
        for (const place of exchange.cookies(name).length > 0 ? placesOf(name, attributes, exchange.authority()) : [])
          exchange.appendCookie(cookieWriter(name, place)("", 0));
    },

    watched(exchange) {
      const { name, attributes } = inForce(exchange).access;
      return attributes.secure ? { name, attributes: attributesText(attributes) } : undefined;
    },

    accessName: secure.access.name,
  };
};
