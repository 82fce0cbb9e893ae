import type { CookieAttributes } from "@pawl/node/http";
import {
  ACCESS_TOKEN_COOKIE,
  ID_REFRESH_TOKEN_COOKIE,
  namesOf,
  prefixedName,
  REFRESH_TOKEN_COOKIE,
} from "./cookie-name.js";
import type { CookieOptions } from "./options.js";
import type { BackendSettings } from "@pawl/node/backend";
import { generalError, shown } from "./session-error.js";

/** A cookie as it is set now. */
export interface SessionCookie {
  readonly name: string;
  readonly attributes: CookieAttributes;
}

/** Where the cookies of a session live. */
export interface SessionCookieSettings extends Omit<CookieAttributes, "path"> {
  readonly accessTokenPath: string;
  readonly refreshTokenPath: string;
  /** The domain the cookies had before; empty: the host alone. */
  readonly olderDomain?: string | undefined;
  /** Names that are read besides those in force and better guarded ones. */
  readonly alsoRead?: readonly string[] | undefined;
  /** By documented name. */
  readonly cookies: Readonly<Record<string, SessionCookie>>;
}

const DOMAIN = /^\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
/** RFC 6265 section 4.1.1: any character but controls and `;`. */
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;

/**
 * Refuses what could not stand in a `Set-Cookie` line, or would end its attribute.
 * @throws SessionError `GENERAL_ERROR` naming the option.
 */
export const checkCookieOptions = (options: CookieOptions): void => {
  const { domain, olderDomain, accessTokenPath, refreshTokenPath, sameSite, names, alsoRead = [] } = options;
  for (const [name, value] of Object.entries({ domain, olderDomain: olderDomain === "" ? undefined : olderDomain }))
    if (value !== undefined && !DOMAIN.test(value))
      throw generalError(`cookies.${name} must be a host name, not ${shown(value)}`);
  for (const [name, path] of Object.entries({ accessTokenPath, refreshTokenPath }))
    if (path !== undefined && !PATH.test(path))
      throw generalError(
        `cookies.${name} must start with / and hold neither ";" nor control characters, not ${shown(path)}`,
      );
  if (sameSite !== undefined && !["strict", "lax", "none"].includes(sameSite))
    throw generalError(`cookies.sameSite must be "strict", "lax" or "none", not ${shown(sameSite)}`);
  if (names !== undefined && !["documented", "prefixed"].includes(names))
    throw generalError(`cookies.names must be "documented" or "prefixed", not ${shown(names)}`);
  const known = [ACCESS_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE].flatMap(namesOf);
  if (!Array.isArray(alsoRead) || !alsoRead.every((name: unknown) => known.includes(String(name))))
    throw generalError(`cookies.alsoRead must be a list of names such as "sRefreshToken", not ${shown(alsoRead)}`);
};

/**
 * The attributes in force: what the application says before what the backend says. `SameSite=None` without `Secure`
 * becomes `Lax`, with a process warning: browsers would drop such a cookie (RFC 6265bis section 5.7).
 * @throws SessionError `GENERAL_ERROR` when the backend's own settings cannot stand in a cookie.
 */
export const cookieSettings = (options: CookieOptions, backend: BackendSettings): SessionCookieSettings => {
  const settings: Omit<SessionCookieSettings, "cookies"> = {
    domain: options.domain ?? backend.cookieDomain,
    olderDomain: options.olderDomain,
    alsoRead: options.alsoRead,
    secure: options.secure ?? backend.cookieSecure,
    sameSite: options.sameSite ?? "none",
    accessTokenPath: options.accessTokenPath ?? backend.accessTokenPath,
    refreshTokenPath: options.refreshTokenPath ?? backend.refreshTokenPath,
  };
  checkCookieOptions(settings);
  if (settings.sameSite !== "none" || settings.secure) return withNames(settings, options);
  process.emitWarning(
    "cookies are not Secure, so they are sent with SameSite=Lax instead of None, which browsers would drop",
    { type: "PawlWarning", code: "PAWL_SAMESITE_NONE_WITHOUT_SECURE" },
  );
  return withNames({ ...settings, sameSite: "lax" }, options);
};

const withNames = (
  settings: Omit<SessionCookieSettings, "cookies">,
  { names = "documented" }: CookieOptions,
): SessionCookieSettings => {
  const { domain, secure, sameSite, accessTokenPath, refreshTokenPath } = settings;
  const cookie = (name: string, path: string): SessionCookie => {
    const attributes = { domain, path, secure, sameSite };
    return { name: names === "prefixed" ? prefixedName(name, attributes) : name, attributes };
  };
  return {
    ...settings,
    cookies: {
      [ACCESS_TOKEN_COOKIE]: cookie(ACCESS_TOKEN_COOKIE, accessTokenPath),
      [REFRESH_TOKEN_COOKIE]: cookie(REFRESH_TOKEN_COOKIE, refreshTokenPath),
      [ID_REFRESH_TOKEN_COOKIE]: cookie(ID_REFRESH_TOKEN_COOKIE, accessTokenPath),
    },
  };
};
