import { millis, type TenantId, type UserId } from "@pawl/storage";
import { accessTokenV5, flatBody, flatHeader } from "./access-token-flat.js";
import { type AccessTokenFormat, isJsonObject, parseSeq } from "./access-token-format.js";
import type { Actor, Authentication, JsonValue, OAuthClaims, SessionHandle } from "../session.js";

const SECOND = 1000;
const VERSION = "pawl";

const ownClaims = ["iss", "aud", "jti", "client_id", "sid", "act", "auth_time", "amr", "acr", "pver", "dbsc"];

/** With those of version 5, so that a payload that fits this form fits every one. */
const protectedClaims: ReadonlySet<string> = new Set([...accessTokenV5.protectedClaims, ...ownClaims]);

/**
 * Access tokens of our own SDK: registered names where there are some (RFC 7519, RFC 8176, RFC 8693, OpenID Connect), and
 * what is not said is absent.
 */
const pawlFormat = (typ: AccessTokenFormat["typ"]): AccessTokenFormat => ({
  form: "pawl",
  version: VERSION,
  typ,
  encoding: "base64url",
  algorithms: ["ES256", "RS256"],
  timeUnit: millis(SECOND),
  protectedClaims,
  header: flatHeader({ version: VERSION, typ }),

  body: (claims, text) =>
    flatBody(
      {
        ...(claims.oauth && oauthMembers(claims.oauth)),
        sub: claims.userId,
        act: claims.actor && { sub: claims.actor.userId },
        sid: claims.handle,
        tId: claims.tenantId,
        iat: Math.floor(claims.issuedAt / SECOND),
        exp: Math.floor(claims.expiresAt / SECOND),
        pver: claims.payloadVersion,
        auth_time: claims.auth && Math.floor(claims.auth.at / SECOND),
        amr: claims.auth?.methods.length === 0 ? undefined : claims.auth?.methods,
        acr: claims.auth?.level,
        dbsc: claims.bound,
        refreshTokenHash1: String(claims.seq),
        parentRefreshTokenHash1: claims.parentSeq === undefined ? undefined : String(claims.parentSeq),
        antiCsrfToken: claims.antiCsrfToken,
      },
      claims.payload,
      { protectedClaims, text },
    ),

  claims(body) {
    const { sub, act, sid, tId, iat, exp, pver, auth_time, amr, acr, dbsc, antiCsrfToken, ...others } = body;
    const { refreshTokenHash1, parentRefreshTokenHash1: parent, iss, aud, client_id, jti, ...payload } = others;
    const seq = parseSeq(refreshTokenHash1);
    const parentSeq = parseSeq(parent);
    const actor = actorOf(act);
    const oauth = oauthOf({ iss, aud, client_id, jti }, typ);
    const auth = authenticationOf({ at: auth_time, methods: amr, level: acr });
    if (
      typeof sub !== "string" ||
      typeof sid !== "string" ||
      typeof tId !== "string" ||
      seq === undefined ||
      (parent !== undefined && parentSeq === undefined) ||
      (antiCsrfToken !== undefined && typeof antiCsrfToken !== "string") ||
      actor === "malformed" ||
      auth === "malformed" ||
      oauth === "malformed" ||
      (dbsc !== undefined && dbsc !== true) ||
      !isTime(iat) ||
      !isTime(exp) ||
      !isTime(pver) ||
      pver < 0
    )
      return undefined;
    return {
      form: "pawl",
      handle: sid as SessionHandle,
      tenantId: tId as TenantId,
      userId: sub as UserId,
      seq,
      ...(parentSeq !== undefined && { parentSeq }),
      ...(antiCsrfToken !== undefined && { antiCsrfToken }),
      payload,
      payloadVersion: pver,
      ...(auth && { auth }),
      ...(actor && { actor }),
      ...(oauth && { oauth }),
      ...(dbsc && { bound: dbsc }),
      // Only the second is known: age counts from its end, so that no token seems older than it is.
      issuedAt: millis((iat + 1) * SECOND),
      expiresAt: millis(exp * SECOND),
    };
  },
});

export const accessTokenPawl = pawlFormat("JWT");

/** The same form where issuer and audience are configured: an access token of RFC 9068. */
export const accessTokenOAuth = pawlFormat("at+jwt");

const oauthMembers = ({ issuer, audience, clientId, tokenId }: OAuthClaims): object => ({
  iss: issuer,
  aud: audience.length === 1 ? audience[0] : audience,
  client_id: clientId,
  jti: tokenId,
});

/** All four, or under the header of the plain form none. */
const oauthOf = (
  claims: Readonly<Record<"iss" | "aud" | "client_id" | "jti", JsonValue | undefined>>,
  typ: AccessTokenFormat["typ"],
): OAuthClaims | "malformed" | undefined => {
  if (typ === "JWT") return Object.values(claims).every((value) => value === undefined) ? undefined : "malformed";
  const { iss, aud, client_id, jti } = claims;
  const audience = Array.isArray(aud) ? aud : [aud];
  return isText(iss) && isText(client_id) && isText(jti) && audience.every(isText)
    ? { issuer: iss, audience, clientId: client_id, tokenId: jti }
    : "malformed";
};

const isText = (value: unknown): value is string => typeof value === "string";

const isTime = (value: JsonValue | undefined): value is number => Number.isSafeInteger(value);

const actorOf = (act: JsonValue | undefined): Actor | "malformed" | undefined => {
  if (act === undefined) return undefined;
  return isJsonObject(act) && typeof act["sub"] === "string" ? { userId: act["sub"] as UserId } : "malformed";
};

const authenticationOf = ({
  at,
  methods,
  level,
}: {
  readonly [Name in keyof Authentication]-?: JsonValue | undefined;
}): Authentication | "malformed" | undefined => {
  if (at === undefined && methods === undefined && level === undefined) return undefined;
  if (!isTime(at) || (level !== undefined && !isText(level))) return "malformed";
  if (methods !== undefined && !(Array.isArray(methods) && methods.every(isText))) return "malformed";
  return { at: millis(at * SECOND), methods: methods ?? [], ...(level !== undefined && { level }) };
};
