import type { IssuedSession } from "@pawl/engine";
import { type CookieAttributes, cookieWriter, MOST_VALUES } from "./cookie-header.js";
import type { Exchange } from "./exchange.js";
import { isLocalDevelopment } from "./local-development.js";
import type { CookieOptions } from "../options/options.js";

type CookieKind = "access" | "refresh";

interface Cookie {
  readonly name: string;
  readonly attributes: CookieAttributes;
  readonly write: (value: string, expires: number) => string;
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
  /** The values a request carries under the name in force, else under one in `alsoRead`. */
  read(exchange: Exchange, kind: CookieKind): readonly string[];
  write(exchange: Exchange, issued: IssuedSession): void;
  /** Replaces the access token alone. */
  writeAccess(exchange: Exchange, token: string, expires: number): void;
  clear(exchange: Exchange): void;
  /** The longest name of the access cookie. */
  readonly accessName: string;
}

export const createCookies = (options: CookieOptions): SessionCookies => {
  const { domain, sameSite = "lax", refreshPath = "/", prefix = "pawl", alsoRead = [] } = options;
  const cookie = (kind: CookieKind, path: string, secure: boolean): Cookie => {
    const attributes = { ...(domain === undefined ? {} : { domain }), path, secure, sameSite };
    const guarded = domain === undefined && path === "/" ? "__Host-" : "__Secure-";
    const name = `${secure ? guarded : ""}${prefix}-${kind}`;
    return { name, attributes, write: cookieWriter(name, attributes) };
  };
  const cookies = (secure: boolean): Cookies => ({
    access: cookie("access", "/", secure),
    refresh: cookie("refresh", refreshPath, secure),
  });
  const secure = cookies(true);
  const local = cookies(false);
  // Asked once: reading the environment costs more than all the rest that a request has to be asked.
  const isProduction = process.env["NODE_ENV"] === "production";
  const inForce = (exchange: Exchange): Cookies => (!isProduction && isLocalDevelopment(exchange) ? local : secure);

  /** Cookies of earlier settings: browsers keep sending them beside the new ones, and nothing else would end them. */
  const clearLeft = (exchange: Exchange, { access, refresh }: Cookies): void => {
    for (const { name: current, attributes } of [access, refresh]) {
      const base = current.replace(/^__(?:Host|Secure)-/, "");
      for (const name of PREFIXES.map((start) => start + base))
        if (name !== current && exchange.cookies(name).length > 0)
          exchange.appendCookie(
            cookieWriter(name, name.startsWith("__Host-") ? { ...attributes, path: "/" } : attributes)("", 0),
          );
    }
  };

  return {
    refreshEverywhere: refreshPath === "/",

    read(exchange, kind) {
      const values = exchange.cookies(inForce(exchange)[kind].name);
      if (values.length > 0 || alsoRead.length === 0) return values;
      const older = alsoRead.flatMap((name) => exchange.cookies(name));
      return older
        .filter((value) => value.startsWith(REFRESH_TOKEN_START) === (kind === "refresh"))
        .slice(0, MOST_VALUES);
    },

    write(exchange, { accessToken, refreshToken }) {
      const { access, refresh } = inForce(exchange);
      exchange.appendCookie(access.write(accessToken.token, refreshToken.expiry));
      exchange.appendCookie(refresh.write(refreshToken.token, refreshToken.expiry));
      clearLeft(exchange, inForce(exchange));
    },

    writeAccess(exchange, token, expires) {
      exchange.appendCookie(inForce(exchange).access.write(token, expires));
    },

    clear(exchange) {
      const current = inForce(exchange);
      for (const kind of KINDS) exchange.appendCookie(current[kind].write("", 0));
      clearLeft(exchange, current);
    },

    accessName: secure.access.name,
  };
};
