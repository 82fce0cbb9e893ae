export type SameSite = "strict" | "lax" | "none";

export interface CookieAttributes {
  /** Absent: the cookie belongs to the host that set it. */
  readonly domain?: string | undefined;
  readonly path: string;
  readonly secure: boolean;
  readonly sameSite: SameSite;
}

const sameSiteText = { strict: "Strict", lax: "Lax", none: "None" } as const;

const placeOf = ({ domain, path }: CookieAttributes): string =>
  `${domain === undefined ? "" : `; Domain=${domain}`}; Path=${path}`;
const flagsOf = ({ secure, sameSite }: CookieAttributes): string =>
  `; HttpOnly${secure ? "; Secure" : ""}; SameSite=${sameSiteText[sameSite]}`;

/** Writes a cookie: until a time (ms since the epoch), and for so many seconds where the browser's clock is not to count. */
type WriteCookie = (value: string, expires: number, life?: { readonly maxAge: number }) => string;

/** Prepares the `Set-Cookie` lines of one cookie (RFC 6265 section 4.1); always `HttpOnly`. */
export const cookieWriter = (name: string, attributes: CookieAttributes): WriteCookie => {
  const place = `${placeOf(attributes)}; Expires=`;
  const flags = flagsOf(attributes);
  return (value, expires, life) => {
    const age = life === undefined ? "" : `; Max-Age=${life.maxAge}`;
    return `${name}=${encodeURIComponent(value)}${place}${new Date(expires).toUTCString()}${age}${flags}`;
  };
};

/** What a cookie's lines say of it besides name, value and life, as a browser is told of a cookie to watch. */
export const attributesText = (attributes: CookieAttributes): string =>
  (placeOf(attributes) + flagsOf(attributes)).slice("; ".length);
