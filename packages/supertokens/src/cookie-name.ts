/** The documented names of a session's cookies. */
export const ACCESS_TOKEN_COOKIE = "sAccessToken";
export const REFRESH_TOKEN_COOKIE = "sRefreshToken";
export const ID_REFRESH_TOKEN_COOKIE = "sIdRefreshToken";

/** With the prefix the browser itself guards path, host and `Secure` (RFC 6265bis section 4.1.3). */
const PREFIXES = ["__Host-", "__Secure-", ""] as const;

/** Where a cookie lives, as far as its name depends on it. */
export interface CookiePlace {
  readonly domain?: string | undefined;
  readonly path: string;
  readonly secure: boolean;
}

/** A documented name with the strongest prefix that its place allows; without `Secure` browsers accept none. */
export const prefixedName = (name: string, { domain, path, secure }: CookiePlace): string => {
  if (!secure) return name;
  return domain === undefined && path === "/" ? `__Host-${name}` : `__Secure-${name}`;
};

const known = (name: string): readonly string[] => PREFIXES.map((prefix) => prefix + name);

const knownNames: Readonly<Record<string, readonly string[]>> = {
  [ACCESS_TOKEN_COOKIE]: known(ACCESS_TOKEN_COOKIE),
  [REFRESH_TOKEN_COOKIE]: known(REFRESH_TOKEN_COOKIE),
  [ID_REFRESH_TOKEN_COOKIE]: known(ID_REFRESH_TOKEN_COOKIE),
};

/** Names of a cookie that browsers guard at least as well as the one given, and that one. */
export const guardedNamesOf = (cookie: string, name: string): readonly string[] => {
  const names = namesOf(cookie);
  return names.slice(0, names.indexOf(name) + 1);
};

/** All names a cookie may have been given under other settings. */
export const namesOf = (name: string): readonly string[] => knownNames[name] ?? [name];
