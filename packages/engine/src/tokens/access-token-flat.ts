import { millis, type TenantId, type UserId } from "@pawl/storage";
import {
  type AccessTokenFormat,
  lineageText,
  parseLineage,
  parseSeq,
  type TokenKeyName,
} from "./access-token-format.js";
import { parseHandle } from "../session-handle.js";
import type { JsonObject, SessionHandle } from "../session.js";

const SECOND = 1000;

/** What a form says of the owner, besides `sub`; its names are protected as the others are. */
interface OwnerClaims {
  /** Whether the tenant stands in `tId`; else only the handle says it. */
  readonly tenant: boolean;
  /** Whether the user stands in `rsub` too: the recipe user, which is the same one here. */
  readonly recipeUser: boolean;
}

const commonClaims = [
  "sub",
  "exp",
  "iat",
  "sessionHandle",
  "refreshTokenHash1",
  "parentRefreshTokenHash1",
  "antiCsrfToken",
] as const;

/** The encoded header of a form of a version. */
export const flatHeader =
  ({ version, typ }: Pick<AccessTokenFormat, "version" | "typ">) =>
  ({ algorithm, kid }: TokenKeyName): string =>
    Buffer.from(JSON.stringify({ alg: algorithm, typ, version, kid })).toString("base64url");

/**
 * Own claims and a payload beside them. A payload that was stored for another form may hold names that are protected in this
 * one: they must not stand for ours.
 * @param text the payload as JSON, where it has been written already.
 */
export const flatBody = (
  own: object,
  payload: JsonObject,
  { protectedClaims, text }: { readonly protectedClaims: ReadonlySet<string>; readonly text: string | undefined },
): string => {
  const isProtected = ([name]: readonly [string, unknown]): boolean => protectedClaims.has(name);
  const members = Object.entries(payload);
  const allowed = members.some(isProtected)
    ? Object.fromEntries(members.filter((member) => !isProtected(member)))
    : payload;
  // An imported row may hold any spelling of its payload: what does not begin as ours do is written anew.
  const written = allowed === payload && text?.startsWith('{"') === true ? text : JSON.stringify(allowed);
  // Two texts joined: an object made of both at once is several times slower to write.
  return written === "{}" ? JSON.stringify(own) : `${JSON.stringify(own).slice(0, -1)},${written.slice(1)}`;
};

/** Access tokens of the SuperTokens CDI 2.21 and later: base64url, a key's name, times in seconds, payload at the root. */
const flatFormat = (
  { form, version }: Pick<AccessTokenFormat, "version"> & { readonly form: "v3" | "v4" | "v5" },
  { tenant, recipeUser }: OwnerClaims,
): AccessTokenFormat => {
  const protectedClaims: ReadonlySet<string> = new Set([
    ...commonClaims,
    ...(tenant ? ["tId"] : []),
    ...(recipeUser ? ["rsub"] : []),
  ]);

  return {
    form,
    version,
    typ: "JWT",
    encoding: "base64url",
    algorithms: ["ES256", "RS256"],
    timeUnit: millis(SECOND),
    protectedClaims,

    header: flatHeader({ version, typ: "JWT" }),

    body: (claims, text) =>
      flatBody(
        {
          sub: claims.userId,
          iat: Math.floor(claims.issuedAt / SECOND),
          exp: Math.floor(claims.expiresAt / SECOND),
          tId: tenant ? claims.tenantId : undefined,
          rsub: recipeUser ? claims.userId : undefined,
          sessionHandle: claims.handle,
          refreshTokenHash1: lineageText(claims),
          parentRefreshTokenHash1: claims.parentSeq === undefined ? null : String(claims.parentSeq),
          antiCsrfToken: claims.antiCsrfToken ?? null,
        },
        claims.payload,
        { protectedClaims, text },
      ),

    claims(body) {
      const {
        sub,
        exp,
        iat,
        tId,
        rsub,
        sessionHandle,
        refreshTokenHash1,
        parentRefreshTokenHash1: parent,
        antiCsrfToken,
        ...rest
      } = body;
      const owner = tenant || typeof sessionHandle !== "string" ? { tenantId: tId } : parseHandle(sessionHandle);
      const lineage = parseLineage(refreshTokenHash1);
      const parentSeq = parseSeq(parent);
      if (
        typeof sub !== "string" ||
        (recipeUser && typeof rsub !== "string") ||
        typeof sessionHandle !== "string" ||
        typeof owner?.tenantId !== "string" ||
        lineage === undefined ||
        (parent !== null && parentSeq === undefined) ||
        (antiCsrfToken !== null && typeof antiCsrfToken !== "string") ||
        !Number.isSafeInteger(exp) ||
        !Number.isSafeInteger(iat)
      )
        return undefined;
      return {
        form,
        handle: sessionHandle as SessionHandle,
        tenantId: owner.tenantId as TenantId,
        userId: sub as UserId,
        ...lineage,
        ...(parentSeq !== undefined && { parentSeq }),
        ...(antiCsrfToken !== null && { antiCsrfToken }),
        payload: {
          ...rest,
          // Where they are not ours they are the application's.
          ...(!tenant && tId !== undefined && { tId }),
          ...(!recipeUser && rsub !== undefined && { rsub }),
        },
        // Only the second is known: age counts from its end, so that no token seems older than it is.
        issuedAt: millis(((iat as number) + 1) * SECOND),
        expiresAt: millis((exp as number) * SECOND),
      };
    },
  };
};

/** CDI 2.21. */
export const accessTokenV3 = flatFormat({ form: "v3", version: "3" }, { tenant: false, recipeUser: false });

/** CDI 3. */
export const accessTokenV4 = flatFormat({ form: "v4", version: "4" }, { tenant: true, recipeUser: false });

/** CDI 4.0 and later. */
export const accessTokenV5 = flatFormat({ form: "v5", version: "5" }, { tenant: true, recipeUser: true });
