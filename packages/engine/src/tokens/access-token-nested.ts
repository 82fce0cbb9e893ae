import { millis, type UserId } from "@pawl/storage";
import { type AccessTokenFormat, isJsonObject, lineageText, parseLineage, parseSeq } from "./access-token-format.js";
import { parseHandle } from "../session-handle.js";
import type { AccessTokenClaims, SessionHandle } from "../session.js";

/**
 * Access tokens of the SuperTokens CDI before 2.21: standard base64, one literal header without a key's name, RS256, times
 * in ms, the payload under `userData`.
 */
const nestedFormat = (
  { form, version }: Pick<AccessTokenFormat, "version"> & { readonly form: "v1" | "v2" },
  furtherClaims: object = {},
): AccessTokenFormat => ({
  form,
  version,
  typ: "JWT",
  encoding: "base64",
  algorithms: ["RS256"],
  timeUnit: millis(1),
  protectedClaims: new Set(),
  header: Buffer.from(JSON.stringify({ alg: "RS256", typ: "JWT", version })).toString("base64"),

  // JSON leaves out what is undefined: an absent member is absent, never null.
  body: (claims) =>
    JSON.stringify({
      sessionHandle: claims.handle,
      userId: claims.userId,
      refreshTokenHash1: lineageText(claims),
      parentRefreshTokenHash1: claims.parentSeq === undefined ? undefined : String(claims.parentSeq),
      userData: claims.payload,
      antiCsrfToken: claims.antiCsrfToken,
      expiryTime: claims.expiresAt,
      timeCreated: claims.issuedAt,
      ...furtherClaims,
    }),

  claims({ sessionHandle, userId, userData, antiCsrfToken, expiryTime, timeCreated, ...rest }) {
    // Tokens of this form do not say their tenant: the handle does.
    const owner = typeof sessionHandle === "string" ? parseHandle(sessionHandle) : undefined;
    const lineage = parseLineage(rest["refreshTokenHash1"]);
    const parent = rest["parentRefreshTokenHash1"];
    const parentSeq = parseSeq(parent);
    if (
      owner === undefined ||
      typeof userId !== "string" ||
      lineage === undefined ||
      (parent !== undefined && parentSeq === undefined) ||
      !isJsonObject(userData) ||
      (antiCsrfToken !== undefined && typeof antiCsrfToken !== "string") ||
      !Number.isSafeInteger(expiryTime) ||
      !Number.isSafeInteger(timeCreated)
    )
      return undefined;
    const claims: AccessTokenClaims = {
      form,
      handle: sessionHandle as SessionHandle,
      tenantId: owner.tenantId,
      userId: userId as UserId,
      ...lineage,
      ...(parentSeq !== undefined && { parentSeq }),
      ...(antiCsrfToken !== undefined && { antiCsrfToken }),
      payload: userData,
      issuedAt: millis(timeCreated as number),
      expiresAt: millis(expiryTime as number),
    };
    return claims;
  },
});

/** CDI 1.0. */
export const accessTokenV1 = nestedFormat({ form: "v1", version: "1" }, { isPaid: false });

/** CDI 2.0 to 2.20. */
export const accessTokenV2 = nestedFormat({ form: "v2", version: "2" });
