/** What an access token of Pawl tells, unverified. */
export interface SeenToken {
  readonly handle: string;
  readonly userId: string;
  /** Ms since the epoch. */
  readonly expiresAt: number;
}

const REFRESH_TOKEN = /^pawl_rt_/;

export const isRefreshToken = (value: string): boolean => REFRESH_TOKEN.test(value);

/** Whether a text, the body of an answer say, holds a refresh token. */
export const holdsRefreshToken = (text: string): boolean => text.includes("pawl_rt_");

/** Reads an access token, whichever form it has; undefined for what is none. */
export const readAccessToken = (value: string): SeenToken | undefined => {
  const [, body = "", signature] = value.split(".");
  if (signature === undefined) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Readonly<Record<string, unknown>>;
    const { sub, userId = sub, sid, sessionHandle: handle = sid, exp, expiryTime } = claims;
    const expiresAt = typeof exp === "number" ? exp * 1000 : expiryTime;
    if (typeof handle !== "string" || typeof userId !== "string" || typeof expiresAt !== "number") return undefined;
    return { handle, userId, expiresAt };
  } catch {
    return undefined;
  }
};
