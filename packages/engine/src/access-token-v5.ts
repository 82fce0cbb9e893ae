import { millis, type TenantId, type UserId } from "@pawl/storage";
import { type AccessTokenFormat, parseSeq } from "./access-token-format.js";
import type { JsonObject, SessionHandle } from "./session.js";

const SECOND = 1000;

const protectedClaims: ReadonlySet<string> = new Set([
  "sub",
  "exp",
  "iat",
  "tId",
  "rsub",
  "sessionHandle",
  "refreshTokenHash1",
  "parentRefreshTokenHash1",
  "antiCsrfToken",
]);

/** A payload that was stored for a form with nested payload may hold such names: they must not stand for ours. */
const withoutProtectedClaims = (payload: JsonObject): JsonObject =>
  Object.keys(payload).some((name) => protectedClaims.has(name))
    ? Object.fromEntries(Object.entries(payload).filter(([name]) => !protectedClaims.has(name)))
    : payload;

/** Access tokens of the SuperTokens CDI 4.0 and later, and of our own SDK: payload at the root, times in seconds. */
export const accessTokenV5: AccessTokenFormat = {
  form: "v5",
  version: "5",
  encoding: "base64url",
  algorithms: ["ES256", "RS256"],
  timeUnit: millis(SECOND),
  protectedClaims,

  header: (key) =>
    Buffer.from(JSON.stringify({ alg: key.algorithm, typ: "JWT", version: "5", kid: key.kid })).toString("base64url"),

  // Two texts joined: an object made of both at once is several times slower to write.
  body(claims) {
    const own = JSON.stringify({
      sub: claims.userId,
      iat: Math.floor(claims.issuedAt / SECOND),
      exp: Math.floor(claims.expiresAt / SECOND),
      tId: claims.tenantId,
      rsub: claims.userId,
      sessionHandle: claims.handle,
      refreshTokenHash1: String(claims.seq),
      parentRefreshTokenHash1: claims.parentSeq === undefined ? null : String(claims.parentSeq),
      antiCsrfToken: claims.antiCsrfToken ?? null,
    });
    const payload = JSON.stringify(withoutProtectedClaims(claims.payload));
    return payload === "{}" ? own : `${own.slice(0, -1)},${payload.slice(1)}`;
  },

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
