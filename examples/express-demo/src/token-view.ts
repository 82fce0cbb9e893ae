import { createHash } from "node:crypto";
import type { AccessTokenView } from "./page/answers.js";

/** Takes an access token apart for looking at. Nothing is verified: never decide anything by it. */
export const viewAccessToken = (token: string | undefined): AccessTokenView | undefined => {
  try {
    const [header, claims] = (token ?? "").split(".", 2).map(readPart);
    if (header === undefined || claims === undefined) return undefined;
    return {
      header,
      claims,
      userId: String(claims.sub),
      handle: String(claims.sid),
      seq: Number(claims.refreshTokenHash1),
      issuedAt: Number(claims.iat) * 1000,
      expiresAt: Number(claims.exp) * 1000,
    };
  } catch {
    return undefined;
  }
};

/** The first eight hex digits of a refresh token's SHA-256: enough to tell two apart, of no use to anybody else. */
export const fingerprint = (token: string): string => createHash("sha256").update(token).digest("hex").slice(0, 8);

const readPart = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as Record<string, unknown>;
