import { millis, type TenantId, type UserId } from "@pawl/storage";
import { type AccessTokenFormat, parseSeq } from "./access-token-format.js";
import type { SessionHandle } from "./session.js";

const SECOND = 1000;

/** Access tokens of the SuperTokens CDI 4.0 and later, and of our own SDK: payload at the root, times in seconds. */
export const accessTokenV5: AccessTokenFormat = {
  form: "v5",
  version: "5",
  encoding: "base64url",
  algorithms: ["ES256", "RS256"],
  timeUnit: millis(SECOND),
  protectedClaims: new Set([
    "sub",
    "exp",
    "iat",
    "tId",
    "rsub",
    "sessionHandle",
    "refreshTokenHash1",
    "parentRefreshTokenHash1",
    "antiCsrfToken",
  ]),

  header: (key) =>
    Buffer.from(JSON.stringify({ alg: key.algorithm, typ: "JWT", version: "5", kid: key.kid })).toString("base64url"),

  // Our claims come last: a payload that was stored for a form with nested payload cannot take their place.
  body: (claims) => ({
    ...claims.payload,
    sub: claims.userId,
    exp: Math.floor(claims.expiresAt / SECOND),
    iat: Math.floor(claims.issuedAt / SECOND),
    tId: claims.tenantId,
    rsub: claims.userId,
    sessionHandle: claims.handle,
    refreshTokenHash1: String(claims.seq),
    parentRefreshTokenHash1: claims.parentSeq === undefined ? null : String(claims.parentSeq),
    antiCsrfToken: claims.antiCsrfToken ?? null,
  }),

  claims({
    sub,
    exp,
    iat,
    tId,
    rsub,
    sessionHandle,
    refreshTokenHash1,
    parentRefreshTokenHash1: parent,
    antiCsrfToken,
    ...payload
  }) {
    const seq = parseSeq(refreshTokenHash1);
    const parentSeq = parseSeq(parent);
    if (
      typeof sub !== "string" ||
      typeof rsub !== "string" ||
      typeof tId !== "string" ||
      typeof sessionHandle !== "string" ||
      seq === undefined ||
      (parent !== null && parentSeq === undefined) ||
      (antiCsrfToken !== null && typeof antiCsrfToken !== "string") ||
      !Number.isSafeInteger(exp) ||
      !Number.isSafeInteger(iat)
    )
      return undefined;
    return {
      form: "v5",
      handle: sessionHandle as SessionHandle,
      tenantId: tId as TenantId,
      userId: sub as UserId,
      seq,
      ...(parentSeq !== undefined && { parentSeq }),
      ...(antiCsrfToken !== null && { antiCsrfToken }),
      payload,
      // Only the second is known: age counts from its end, so that no token seems older than it is (DESIGN 3).
      issuedAt: millis(((iat as number) + 1) * SECOND),
      expiresAt: millis((exp as number) * SECOND),
    };
  },
};
