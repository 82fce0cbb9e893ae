import type { KeyObject } from "node:crypto";
import { millis, type Millis, type SigningAlgorithm, type SigningKeyKind } from "@pawl/storage";
import type { AccessTokenFormat, AccessTokenSigner, TokenKeyName } from "./access-token-format.js";
import { accessTokenV3, accessTokenV4, accessTokenV5 } from "./access-token-flat.js";
import { accessTokenV1, accessTokenV2 } from "./access-token-nested.js";
import { accessTokenOAuth, accessTokenPawl } from "./access-token-pawl.js";
import { EngineError } from "../errors.js";
import { decodeJsonObject, signJwt } from "./jwt.js";
import type { AccessTokenClaims, AccessTokenForm, IssuedToken } from "../session.js";

/** Every form an access token may have. */
export const accessTokenFormats: Readonly<Record<AccessTokenForm, AccessTokenFormat>> = {
  v1: accessTokenV1,
  v2: accessTokenV2,
  v3: accessTokenV3,
  v4: accessTokenV4,
  v5: accessTokenV5,
  pawl: accessTokenPawl,
};

/** Every way in which an access token may be written. */
export const allFormats: readonly AccessTokenFormat[] = [...Object.values(accessTokenFormats), accessTokenOAuth];

/** How claims are written. */
export const accessTokenFormatOf = ({ form, oauth }: AccessTokenClaims): AccessTokenFormat =>
  form === "pawl" && oauth !== undefined ? accessTokenOAuth : accessTokenFormats[form];

/** Prepares a private key for signing. */
export const createAccessTokenSigner = (key: TokenKeyName & { readonly privateKey: KeyObject }): AccessTokenSigner => ({
  kid: key.kid,
  algorithm: key.algorithm,
  privateKey: key.privateKey,
  headers: new Map(
    allFormats
      .filter((format) => format.algorithms.includes(key.algorithm))
      .map((format) => [format, typeof format.header === "string" ? format.header : format.header(key)]),
  ),
});

/**
 * Writes and signs an access token in the form its claims name. The times of the answer are those in the token: cut to
 * what the form can say, whole seconds in version 5 (a verifier then reads `issuedAt` as the end of that second).
 * @throws EngineError `invalid_input` when the form does not allow the signer's algorithm.
 */
export const issueAccessToken = (
  claims: AccessTokenClaims,
  signer: AccessTokenSigner,
  payloadText?: string,
): IssuedToken => {
  const format = accessTokenFormatOf(claims);
  const header = signer.headers.get(format);
  if (header === undefined)
    throw new EngineError(
      "invalid_input",
      `access tokens of version ${format.version} are not signed with ${signer.algorithm}`,
    );
  const signed = `${header}.${Buffer.from(format.body(claims, payloadText)).toString(format.encoding)}`;
  const cut = (time: Millis): Millis => millis(Math.floor(time / format.timeUnit) * format.timeUnit);
  return {
    token: `${signed}.${signJwt(signed, signer).toString(format.encoding)}`,
    expiry: cut(claims.expiresAt),
    createdTime: cut(claims.issuedAt),
  };
};

/** Algorithm and kind of the key that signed an authentic token, the latter where the token says. */
export const signedWith = (
  accessToken: string,
): { readonly algorithm: SigningAlgorithm; readonly keyKind?: SigningKeyKind } => {
  const { kid, alg } = decodeJsonObject(accessToken.slice(0, accessToken.indexOf(".")), "base64url") ?? {};
  const algorithm = alg as SigningAlgorithm;
  return typeof kid === "string" ? { algorithm, keyKind: kid.startsWith("d-") ? "dynamic" : "static" } : { algorithm };
};
