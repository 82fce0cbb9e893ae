import { millis, type UserId } from "@pawl/storage";
import { type AccessTokenFormat, parseSeq } from "./access-token-format.js";
import { parseHandle } from "./session-handle.js";
import type { JsonObject, SessionHandle } from "./session.js";

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Access tokens of the SuperTokens CDI 1.0: standard base64, one literal header, times in ms, payload nested. */
export const accessTokenV1: AccessTokenFormat = {
  form: "v1",
  version: "1",
  encoding: "base64",
  algorithms: ["RS256"],
  timeUnit: millis(1),
  protectedClaims: new Set(),
  header: Buffer.from('{"alg":"RS256","typ":"JWT","version":"1"}').toString("base64"),

  // JSON leaves out what is undefined: an absent member is absent, never null.
  body: (claims) =>
    JSON.stringify({
      sessionHandle: claims.handle,
      userId: claims.userId,
      refreshTokenHash1: String(claims.seq),
      parentRefreshTokenHash1: claims.parentSeq === undefined ? undefined : String(claims.parentSeq),
      userData: claims.payload,
      antiCsrfToken: claims.antiCsrfToken,
      expiryTime: claims.expiresAt,
      timeCreated: claims.issuedAt,
      isPaid: false,
    }),

  claims({ sessionHandle, userId, userData, antiCsrfToken, expiryTime, timeCreated, ...rest }) {
    // Tokens of this form do not say their tenant: the handle does.
    const owner = typeof sessionHandle === "string" ? parseHandle(sessionHandle) : undefined;
    const seq = parseSeq(rest["refreshTokenHash1"]);
    const parent = rest["parentRefreshTokenHash1"];
    const parentSeq = parseSeq(parent);
    if (
      owner === undefined ||
      typeof userId !== "string" ||
      seq === undefined ||
      (parent !== undefined && parentSeq === undefined) ||
      !isObject(userData) ||
      (antiCsrfToken !== undefined && typeof antiCsrfToken !== "string") ||
      !Number.isSafeInteger(expiryTime) ||
      !Number.isSafeInteger(timeCreated)
    )
      return undefined;
    return {
      form: "v1",
      handle: sessionHandle as SessionHandle,
      tenantId: owner.tenantId,
      userId: userId as UserId,
      seq,
      ...(parentSeq !== undefined && { parentSeq }),
      ...(antiCsrfToken !== undefined && { antiCsrfToken }),
      payload: userData,
      issuedAt: millis(timeCreated as number),
      expiresAt: millis(expiryTime as number),
    };
  },
};
