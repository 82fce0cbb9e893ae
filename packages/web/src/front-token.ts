/** What the header `front-token` tells the page about its session. */
export interface FrontToken {
  readonly userId: string;
  /** What the application put into the session. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly handle: string;
  /** How long the access token lives, in ms; by the server's own clock, so that the device's need not be right. */
  readonly lifetime: number;
}

/** Names of the access token that an application cannot use: what is left is its payload. */
const RESERVED = /^(sub|exp|iat|tId|rsub|pver|sessionHandle|(parentR|r)efreshTokenHash1|antiCsrfToken)$/;

/** Reads `front-token`: base64 of JSON `{uid, ate, up}`. @throws when it is malformed. */
export const readFrontToken = (text: string): FrontToken => {
  // In few bytes, and where there is no TextDecoder, as in older React Native.
  const { uid, ate, up } = JSON.parse(decodeURIComponent(escape(atob(text)))) as {
    readonly uid: string;
    readonly ate: number;
    readonly up: Readonly<Record<string, unknown>> & { readonly iat: number };
  };
  return {
    userId: uid,
    payload: Object.fromEntries(Object.entries(up).filter(([name]) => !RESERVED.test(name))),
    handle: up["sessionHandle"] as string,
    lifetime: ate - up.iat * 1000,
  };
};
