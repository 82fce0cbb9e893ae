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
/** Further ones where the handle is called `sid`: in the form of Pawl's own API. */
const RESERVED_THERE = /^(iss|aud|jti|client_id|sid|act|auth_time|amr|acr)$/;

/** Reads `front-token`: base64 of JSON `{uid, ate, up}`. @throws when it is malformed. */
export const readFrontToken = (text: string): FrontToken => {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const { uid, ate, up } = JSON.parse(new TextDecoder().decode(bytes)) as {
    readonly uid: string;
    readonly ate: number;
    readonly up: Readonly<Record<string, unknown>>;
  };
  const handle = up["sessionHandle"] ?? up["sid"];
  const isReserved = (name: string): boolean => RESERVED.test(name) || (!up["sessionHandle"] && RESERVED_THERE.test(name));
  return {
    userId: uid,
    payload: Object.fromEntries(Object.entries(up).filter(([name]) => !isReserved(name))),
    handle: handle as string,
    lifetime: ate - Number(up["iat"]) * 1000,
  };
};
