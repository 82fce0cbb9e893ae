/** Below the base path: where browsers bring the key of their device, and refresh bound sessions. */
export const DEVICE_ROUTE = "/session/device";

/**
 * Whether a path of the refresh cookie is that of another refresh route: browsers do not send it to this one. What stands
 * before may be a proxy's, and a path that names no refresh route may be too.
 */
export const isOfOtherRoute = (cookiePath: string, route: string): boolean => {
  const [, below] = /^(.*)\/session(?:\/refresh)?\/?$/u.exec(cookiePath) ?? [];
  const [, base] = /^(.*)\/session\/refresh\/?$/u.exec(route) ?? [];
  return below !== undefined && base !== undefined && !below.endsWith(base);
};
