import { createCipheriv, createDecipheriv, createHmac, hash, type KeyObject } from "node:crypto";
import { type Millis, millis, type SessionId } from "@pawl/storage";
import { deriveKey, type MasterKey, sealingKey } from "./master-key.js";
import { formatUuid, type RandomSource } from "./random.js";
import type { RefreshToken } from "./session.js";

/** What is sealed in a refresh token. */
export interface RefreshTokenClaims {
  readonly id: SessionId;
  /** 0 to 2^48 - 1. */
  readonly seq: number;
  /** The store's time at which this copy was sealed. */
  readonly iat: Millis;
  /** Whether an anti-CSRF token was issued for the session. */
  readonly antiCsrf: boolean;
  /** 32 bytes, made once per session; its row holds only their hash. */
  readonly secret: Buffer;
}

/** Seals and opens refresh tokens (DESIGN 2). */
export interface RefreshTokenSeal {
  seal(claims: RefreshTokenClaims): RefreshToken;
  /** @returns undefined for everything that `seal` did not make with one of the keys, whatever it is. */
  open(token: string): RefreshTokenClaims | undefined;
}

const PREFIX = "pawl_rt_1.";
const TAG_BYTES = 16;
/** Key id, salt of the per-token key, nonce. */
const HEAD_BYTES = 1 + 16 + 12;
/** Session id, seq, iat, flags, secret. */
const PLAIN_BYTES = 16 + 6 + 6 + 1 + 32;
const TOKEN_BYTES = HEAD_BYTES + PLAIN_BYTES + TAG_BYTES;
const TOKEN_LENGTH = PREFIX.length + Math.ceil((TOKEN_BYTES * 4) / 3);
const ANTI_CSRF_FLAG = 1;

const encodeClaims = (claims: RefreshTokenClaims): Buffer => {
  const plain = Buffer.alloc(PLAIN_BYTES);
  plain.write(claims.id.replaceAll("-", ""), 0, 16, "hex");
  plain.writeUIntBE(claims.seq, 16, 6);
  plain.writeUIntBE(claims.iat, 22, 6);
  plain.writeUInt8(claims.antiCsrf ? ANTI_CSRF_FLAG : 0, 28);
  claims.secret.copy(plain, 29);
  return plain;
};

const decodeClaims = (plain: Buffer): RefreshTokenClaims => ({
  id: formatUuid(plain.subarray(0, 16)) as SessionId,
  seq: plain.readUIntBE(16, 6),
  iat: millis(plain.readUIntBE(22, 6)),
  antiCsrf: (plain.readUInt8(28) & ANTI_CSRF_FLAG) !== 0,
  secret: plain.subarray(29),
});

/**
 * A seal over a list of master keys: the first seals, each opens what it sealed. Every token has a key of its own
 * (HMAC-SHA256 of 16 random bytes), so that no number of tokens wears out AES-256-GCM.
 * @throws EngineError `master_key_missing` for an empty list.
 */
export const createRefreshTokenSeal = (masterKeys: readonly MasterKey[], random: RandomSource): RefreshTokenSeal => {
  const keys = new Map<number, KeyObject>(masterKeys.map((key) => [key.id, deriveKey(key, "refresh token")]));
  const sealingId = sealingKey(masterKeys).id;

  const tokenKey = (keyId: number, salt: Buffer): Buffer | undefined => {
    const key = keys.get(keyId);
    return key && createHmac("sha256", key).update(salt).digest();
  };
  const additionalData = (keyId: number): Buffer => Buffer.concat([Buffer.from(PREFIX), Buffer.of(keyId)]);

  return {
    seal(claims) {
      const salt = random.bytes(16);
      const nonce = random.bytes(12);
      const cipher = createCipheriv("aes-256-gcm", tokenKey(sealingId, salt) as Buffer, nonce);
      cipher.setAAD(additionalData(sealingId));
      const sealed = cipher.update(encodeClaims(claims));
      cipher.final();
      const bytes = Buffer.concat([Buffer.of(sealingId), salt, nonce, sealed, cipher.getAuthTag()]);
      return (PREFIX + bytes.toString("base64url")) as RefreshToken;
    },

    open(token) {
      if (token.length !== TOKEN_LENGTH || !token.startsWith(PREFIX)) return undefined;
      const text = token.slice(PREFIX.length);
      const bytes = Buffer.from(text, "base64url");
      // The decoder is lenient: only the one canonical spelling of these bytes is the token.
      if (bytes.length !== TOKEN_BYTES || bytes.toString("base64url") !== text) return undefined;
      const keyId = bytes.readUInt8(0);
      const key = tokenKey(keyId, bytes.subarray(1, 17));
      if (key === undefined) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(17, HEAD_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(additionalData(keyId));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return decodeClaims(plain);
    },
  };
};

/** Base64url SHA-256 of a session's secret: what its row holds. */
export const secretHash = (secret: Buffer): string => hash("sha256", secret, "base64url");
