import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import { type Millis, millis, type SessionId } from "@pawl/storage";
import { antiCsrfToken } from "./anti-csrf.js";
import { deriveKey, type MasterKey, sealingKey } from "../keys/master-key.js";
import { formatUuid, type RandomSource } from "../random.js";
import type { RefreshToken } from "../session.js";

/** What is sealed in a refresh token. */
export interface RefreshTokenClaims {
  readonly id: SessionId;
  /** 0 to 2^48 - 1. */
  readonly seq: number;
  /** The store's time at which this copy was sealed. */
  readonly iat: Millis;
  /**
   * The token from which this one was minted, so that a store which lost that rotation can do it again; absent for a
   * session's first, and where it is more than 127 behind.
   */
  readonly parent?: number | undefined;
  /** Whether an anti-CSRF token was issued for the session. */
  readonly antiCsrf: boolean;
  /** 32 bytes, made once per session; its row holds only their hash. */
  readonly secret: Buffer;
  /** Of a token that another core handed out before its session was imported; never sealed. */
  readonly imported?: ImportedClaims | undefined;
}

interface ImportedClaims {
  /** That of its session, also where it is too old to give the secret. */
  readonly secretHash: string;
  /** The anti-CSRF token that was issued with it. */
  readonly antiCsrfToken: string | undefined;
}

/** Seals and opens refresh tokens. */
export interface RefreshTokenSeal {
  seal(claims: RefreshTokenClaims): RefreshToken;
  /** @returns undefined for everything that `seal` did not make with one of the keys, whatever it is. */
  open(token: string): RefreshTokenClaims | undefined;
}

const PREFIX = "pawl_rt_1.";
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
/** A token begins with the key id, the salt of its key, and the nonce. */
const SALT_AT = 1;
const NONCE_AT = SALT_AT + SALT_BYTES;
const HEAD_BYTES = NONCE_AT + NONCE_BYTES;
/** Session id, seq, iat, flags, secret. */
const PLAIN_BYTES = 16 + 6 + 6 + 1 + 32;
const TOKEN_BYTES = HEAD_BYTES + PLAIN_BYTES + TAG_BYTES;
const TOKEN_LENGTH = PREFIX.length + Math.ceil((TOKEN_BYTES * 4) / 3);
const ANTI_CSRF_FLAG = 1;
/** How many tokens share a key: the chance that two of them share a nonce too is 2^-57. */
const TOKENS_PER_KEY = 2 ** 20;
const MAX_KNOWN_KEYS = 256;
/** The seven other bits of the flags: how far the parent is behind, 0 for none. */
const PARENT_SHIFT = 1;
const MAX_PARENT_DISTANCE = 127;

const parentDistance = ({ seq, parent = seq }: RefreshTokenClaims): number =>
  seq - parent <= MAX_PARENT_DISTANCE ? seq - parent : 0;

/** The id of the master key that sealed a token, by its form; undefined for what has no such form. */
export const masterKeyIdOf = (token: string): number | undefined =>
  token.length === TOKEN_LENGTH && token.startsWith(PREFIX)
    ? Buffer.from(token.slice(PREFIX.length, PREFIX.length + 2), "base64url")[0]
    : undefined;

const writeClaims = (claims: RefreshTokenClaims, plain: Buffer): void => {
  plain.write(claims.id.replaceAll("-", ""), 0, 16, "hex");
  plain.writeUIntBE(claims.seq, 16, 6);
  plain.writeUIntBE(claims.iat, 22, 6);
  plain.writeUInt8((parentDistance(claims) << PARENT_SHIFT) | (claims.antiCsrf ? ANTI_CSRF_FLAG : 0), 28);
  claims.secret.copy(plain, 29);
};

const decodeClaims = (plain: Buffer): RefreshTokenClaims => {
  const seq = plain.readUIntBE(16, 6);
  const flags = plain.readUInt8(28);
  const distance = flags >> PARENT_SHIFT;
  return {
    id: formatUuid(plain.subarray(0, 16)) as SessionId,
    seq,
    iat: millis(plain.readUIntBE(22, 6)),
    ...(distance > 0 ? { parent: seq - distance } : {}),
    antiCsrf: (flags & ANTI_CSRF_FLAG) !== 0,
    secret: plain.subarray(29),
  };
};

/** A master key, prepared for refresh tokens. */
interface SealKey {
  readonly id: Buffer;
  readonly key: KeyObject;
  readonly additionalData: Buffer;
}

const prepareKey = (master: MasterKey): SealKey => {
  const id = Buffer.of(master.id);
  return { id, key: deriveKey(master, "refresh token"), additionalData: Buffer.concat([Buffer.from(PREFIX), id]) };
};

/**
 * The key of the tokens that begin with these bytes. A key object, although a cipher takes bytes: to find out that they
 * are none, Node 24 throws and catches errors, 13 µs each time.
 */
const tokenKey = ({ key }: SealKey, head: Buffer): KeyObject =>
  createSecretKey(createHmac("sha256", key).update(head.subarray(SALT_AT, NONCE_AT)).digest());

/**
 * Keys by how their tokens begin. Only a key that opened a token is remembered, so that an attacker cannot fill this with
 * salts; a process sees one for each sealing process and million tokens.
 */
const remember = (known: Map<string, KeyObject>, beginning: string, key: KeyObject): void => {
  if (known.has(beginning)) return;
  const [oldest] = known.keys();
  if (oldest !== undefined && known.size === MAX_KNOWN_KEYS) known.delete(oldest);
  known.set(beginning, key);
};

/**
 * A seal over a list of master keys: the first seals, each opens what it sealed. No master key seals tokens itself, for
 * with random nonces AES-256-GCM wears out (NIST SP 800-38D section 8.3: 2^32 uses): a key for each `tokensPerKey` tokens
 * is made of it (HMAC-SHA256 of 16 random bytes, which stand in the token).
 * @throws EngineError `master_key_missing` for an empty list.
 */
export const createRefreshTokenSeal = (
  masterKeys: readonly MasterKey[],
  random: RandomSource,
  { tokensPerKey = TOKENS_PER_KEY }: { readonly tokensPerKey?: number } = {},
): RefreshTokenSeal => {
  const keys = new Map(masterKeys.map((key) => [key.id, prepareKey(key)]));
  const known = new Map<string, KeyObject>();
  const master = prepareKey(sealingKey(masterKeys));
  /** What is being sealed; nothing of it stays. */
  const plain = Buffer.alloc(PLAIN_BYTES);
  let sealing: { readonly head: Buffer; readonly key: KeyObject } | undefined;
  let left = 0;

  const sealingTokenKey = (): { readonly head: Buffer; readonly key: KeyObject } => {
    if (sealing === undefined || left === 0) {
      const head = Buffer.concat([master.id, random.bytes(SALT_BYTES)]);
      sealing = { head, key: tokenKey(master, head) };
      left = tokensPerKey;
    }
    left -= 1;
    return sealing;
  };

  return {
    seal(claims) {
      const { head, key } = sealingTokenKey();
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(master.additionalData);
      writeClaims(claims, plain);
      const sealed = cipher.update(plain);
      plain.fill(0);
      cipher.final();
      const bytes = Buffer.concat([head, nonce, sealed, cipher.getAuthTag()], TOKEN_BYTES);
      return (PREFIX + bytes.toString("base64url")) as RefreshToken;
    },

    open(token) {
      if (token.length !== TOKEN_LENGTH || !token.startsWith(PREFIX)) return undefined;
      const text = token.slice(PREFIX.length);
      const bytes = Buffer.from(text, "base64url");
      // The decoder is lenient: only the one canonical spelling of these bytes is the token.
      if (bytes.length !== TOKEN_BYTES || bytes.toString("base64url") !== text) return undefined;
      const sealer = keys.get(bytes.readUInt8(0));
      if (sealer === undefined) return undefined;
      const beginning = bytes.toString("latin1", 0, NONCE_AT);
      const key = known.get(beginning) ?? tokenKey(sealer, bytes);
      const nonce = bytes.subarray(NONCE_AT, HEAD_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(sealer.additionalData);
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const opened = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      remember(known, beginning, key);
      return decodeClaims(opened);
    },
  };
};

/** Base64url SHA-256 of a session's secret: what its row holds. */
export const secretHash = (secret: Buffer): string => hash("sha256", secret, "base64url");

/** What the row of a token's session has to hold. */
export const claimedHash = ({ secret, imported }: RefreshTokenClaims): string =>
  imported?.secretHash ?? secretHash(secret);

/** The anti-CSRF token that belongs to a token. */
export const antiCsrfTokenOf = ({ secret, id, imported }: RefreshTokenClaims): string | undefined =>
  imported === undefined ? antiCsrfToken(secret, id) : imported.antiCsrfToken;
