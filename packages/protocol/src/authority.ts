/** What a user name, a path or a blank would turn into another host. */
const AUTHORITY = /^[^\s/?#@\\]+$/;

/** The host of an authority, in lower case and without its port. */
export const hostOf = (authority: string): string => authority.toLowerCase().replace(/:\d*$/, "");

/**
 * Whether an origin is that of an authority: case and the port that the scheme implies make no difference (RFC 9110 section
 * 4.2.3). The scheme is the origin's, because a proxy may have ended TLS.
 */
export const isOriginOf = (origin: string, authority: string | undefined): boolean => {
  if (authority === undefined || !AUTHORITY.test(authority) || !URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  const own = `${protocol}//${authority}`;
  return host !== "" && URL.canParse(own) && new URL(own).host === host;
};
