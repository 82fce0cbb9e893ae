/** The documented names of a session's cookies. */
export const ACCESS_TOKEN_COOKIE = "sAccessToken";
export const REFRESH_TOKEN_COOKIE = "sRefreshToken";
export const ID_REFRESH_TOKEN_COOKIE = "sIdRefreshToken";
