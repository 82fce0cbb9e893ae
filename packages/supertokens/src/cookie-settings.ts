import type { CookieAttributes } from "@pawl/node/http";
import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, prefixedName, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import { checkCookieOptions, type CookieOptions } from "./options.js";
import type { BackendSettings } from "@pawl/node/backend";

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

/**
 * The attributes in force: what the application says before what the backend says. `SameSite=None` without `Secure`
 * becomes `Lax`, with a process warning: browsers would drop such a cookie (RFC 6265bis section 5.7).
 * @throws SessionError `GENERAL_ERROR` when the backend's own settings cannot stand in a cookie.
 */
export const cookieSettings = (
  options: CookieOptions,
  backend: Omit<BackendSettings, "deviceBinding">,
): SessionCookieSettings => {
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
