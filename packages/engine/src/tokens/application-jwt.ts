import type { SigningAlgorithm, SigningKeyKind, Storage } from "@pawl/storage";
import type { Issuer } from "./issuer.js";
import { decodeJsonObject, signJwt, splitJwt, type VerificationKey, verifyJwt } from "./jwt.js";
import { claimsText } from "../sessions/session-input.js";
import type { JsonObject } from "../session.js";

/** A JWT for the application's own use. */
export interface JwtInput {
  readonly payload: JsonObject;
  /** `iss`, where the payload has none. */
  readonly issuer: string;
  /** Seconds, 1 or more. */
  readonly validity: number;
  readonly algorithm: SigningAlgorithm;
  readonly keyKind: SigningKeyKind;
}

/** Without these no SDK, old or new, takes a JWT for a session's access token. */
const sessionClaims: ReadonlySet<string> = new Set(["sessionHandle", "refreshTokenHash1", "rsub"]);

/** Signs JWTs that are no sessions: no `version` in the header, none of the claims that make a session. */
export const createJwtIssue =
  ({ storage, issuer }: { readonly storage: Pick<Storage, "now">; readonly issuer: Issuer }) =>
  async ({ payload, issuer: iss, validity, algorithm, keyKind }: JwtInput): Promise<string> => {
    claimsText(payload, sessionClaims);
    const now = storage.now();
    const signer = await issuer.signer(algorithm, keyKind, now);
    const iat = Math.floor(now / 1000);
    const header = { alg: algorithm, typ: "JWT", kid: signer.kid };
    const encoded = [header, { iss, ...payload, iat, exp: iat + validity }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const signed = encoded.join(".");
    return `${signed}.${signJwt(signed, signer).toString("base64url")}`;
  };

/** Longer ones are not looked at: what `issueJwt` takes is smaller. */
const MAX_LENGTH = 65_536;

/** Whether a token is a JWT that `issueJwt` made, whatever its time. */
export const isApplicationJwt = (token: string, keys: readonly VerificationKey[]): boolean => {
  const parts = token.length > MAX_LENGTH ? undefined : splitJwt(token);
  if (parts === undefined) return false;
  const { typ, alg, kid, version } = decodeJsonObject(parts.header, "base64url") ?? {};
  const key = keys.find((known) => known.kid === kid && known.algorithm === alg);
  return key !== undefined && typ === "JWT" && version === undefined && verifyJwt(parts, key, "base64url");
};
