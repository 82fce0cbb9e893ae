import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { type Millis, millis, PUBLIC_TENANT, type SessionId, type SigningAlgorithm, type UserId } from "@pawl/storage";
import { createAccessTokenSigner } from "../src/tokens/access-token.js";
import type { AccessTokenSigner } from "../src/tokens/access-token-format.js";
import { createAccessTokenVerifier, type KeyedAccessTokenVerifier } from "../src/verification/access-token-verifier.js";
import type { VerificationKey } from "../src/tokens/jwt.js";
import { type MasterKey, parseMasterKeys } from "../src/keys/master-key.js";
import { handleOf } from "../src/session-handle.js";
import type { AccessTokenClaims, AccessTokenForm } from "../src/session.js";
import { HOUR, type StandingClock } from "./standing-clock.js";

export const SESSION_ID = "3f2a7c11-5b0e-4d6a-9c3f-0a1b2c3d4e5f" as SessionId;
export const ANTI_CSRF = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";

/** A master key of one repeated byte. */
export const masterKeyText = (byte: number): string => Buffer.alloc(32, byte).toString("base64");
export const masterKeys = (...bytes: readonly number[]): readonly MasterKey[] =>
  parseMasterKeys(bytes.map(masterKeyText).join(","));

export interface TokenKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly signer: AccessTokenSigner;
  readonly verification: VerificationKey;
}

export const makeKey = (algorithm: SigningAlgorithm, kid: string): TokenKey => {
  const { privateKey, publicKey } =
    algorithm === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    privateKey,
    publicKey,
    signer: createAccessTokenSigner({ kid, algorithm, privateKey }),
    verification: { kid, algorithm, publicKey },
  };
};

export const claimsAt = (
  now: Millis,
  form: AccessTokenForm,
  changed: Partial<AccessTokenClaims> = {},
): AccessTokenClaims => ({
  form,
  handle: handleOf({ id: SESSION_ID, tenantId: PUBLIC_TENANT }),
  tenantId: PUBLIC_TENANT,
  userId: "user-1" as UserId,
  seq: 3,
  parentSeq: 2,
  antiCsrfToken: ANTI_CSRF,
  payload: { role: "admin", nested: { list: [1, "two", null, { three: true }] } },
  payloadVersion: 0,
  issuedAt: now,
  expiresAt: millis(now + HOUR),
  ...changed,
});

export const makeVerifier = (clock: StandingClock, keys: readonly TokenKey[]): KeyedAccessTokenVerifier =>
  createAccessTokenVerifier({
    clock,
    keys: keys.map((key) => key.verification),
    accessTokenValidity: millis(HOUR),
    enableAntiCsrf: true,
  });
