import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import type { SigningAlgorithm } from "@pawl/storage";
import { EngineError } from "../errors.js";
import type { RandomSource } from "../random.js";

/** The key from which all others are derived. It never shows its bytes when printed, logged or serialised. */
export interface MasterKey {
  /** 0 to 255; stands in what was sealed, so that no key is tried in vain. */
  readonly id: number;
  /** 32 bytes. */
  readonly bytes: Buffer;
}

/** What a sealed private key is bound to. */
export interface SigningKeyName {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
}

const HOW_TO_MAKE_ONE = "make one with:  openssl rand -base64 32";

class HiddenMasterKey implements MasterKey {
  readonly id: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.id = createHash("sha256").update("pawl master key id 1\0").update(bytes).digest().readUInt8(0);
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  toJSON(): string {
    return `[master key ${this.id}]`;
  }

  toString(): string {
    return this.toJSON();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toJSON();
  }
}

const parseMasterKey = (text: string, position: number): MasterKey => {
  const bytes = /^[A-Za-z0-9+/]{43}=?$/.test(text) ? Buffer.from(text, "base64") : undefined;
  if (bytes?.length !== 32 || bytes.toString("base64").slice(0, 43) !== text.slice(0, 43))
    throw new EngineError(
      "master_key_invalid",
      `master key ${position} is not the base64 of 32 bytes; ${HOW_TO_MAKE_ONE}`,
    );
  return new HiddenMasterKey(bytes);
};

/**
 * Reads master keys: base64 of 32 bytes each, separated by commas or line ends.
 * @throws EngineError `master_key_missing` for none, `master_key_invalid` for a bad one or two with one id.
 */
export const parseMasterKeys = (text: string): readonly MasterKey[] => {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  if (parts.length === 0) throw new EngineError("master_key_missing", `no master key was given; ${HOW_TO_MAKE_ONE}`);
  const keys = parts.map((part, index) => parseMasterKey(part, index + 1));
  if (new Set(keys.map((key) => key.id)).size < keys.length)
    throw new EngineError(
      "master_key_invalid",
      "two master keys are equal or have the same id by chance; make another new one, and keep those in use",
    );
  return keys;
};

/** The key that encrypts: the first. */
export const sealingKey = (masterKeys: readonly MasterKey[]): MasterKey => {
  const first = masterKeys[0];
  if (first === undefined) throw new EngineError("master_key_missing", `no master key was given; ${HOW_TO_MAKE_ONE}`);
  return first;
};

/** A 256-bit key for one purpose: HKDF-SHA256 (RFC 5869) of the master key with the label as its info. */
export const deriveKey = (master: MasterKey, label: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync("sha256", master.bytes, "", `pawl ${label} 1`, 32)));

/** A value by which a store recognises a master key; tells nothing about it. */
export const checkValue = (key: MasterKey): string =>
  createHmac("sha256", deriveKey(key, "key check")).update("pawl").digest().subarray(0, 16).toString("base64url");

/** A value by which a store recognises the first of the master keys; tells nothing about it. */
export const keyCheck = (masterKeys: readonly MasterKey[]): string => checkValue(sealingKey(masterKeys));

/** Whether a value of `keyCheck` belongs to one of the keys. */
export const keyCheckMatches = (stored: string, masterKeys: readonly MasterKey[]): boolean =>
  masterKeys.some((key) => {
    const own = Buffer.from(checkValue(key));
    const other = Buffer.from(stored);
    return own.length === other.length && timingSafeEqual(own, other);
  });

const PRIVATE_KEY_LABEL = "signing key";
const additionalData = (name: SigningKeyName): Buffer => Buffer.from(`${name.kid}\0${name.algorithm}`);

/** The id of the master key that a sealed private key was sealed with. */
export const sealedWith = (sealed: string): number | undefined => Buffer.from(sealed.slice(0, 2), "base64url")[0];

/** Seals a private key (AES-256-GCM, bound to its `kid` and algorithm): base64url of key id, nonce, ciphertext, tag. */
export const sealPrivateKey = (
  privateKey: KeyObject,
  name: SigningKeyName,
  using: { readonly masterKeys: readonly MasterKey[]; readonly random: RandomSource },
): string => {
  const master = sealingKey(using.masterKeys);
  const nonce = using.random.bytes(12);
  const cipher = createCipheriv("aes-256-gcm", deriveKey(master, PRIVATE_KEY_LABEL), nonce);
  cipher.setAAD(additionalData(name));
  const plain = privateKey.export({ type: "pkcs8", format: "der" });
  const sealed = Buffer.concat([
    Buffer.of(master.id),
    nonce,
    cipher.update(plain),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  plain.fill(0);
  return sealed.toString("base64url");
};

/**
 * Opens what `sealPrivateKey` made.
 * @throws EngineError `master_key_wrong` when another master key sealed it, `signing_key_corrupt` when it was changed.
 */
export const openPrivateKey = (sealed: string, name: SigningKeyName, masterKeys: readonly MasterKey[]): KeyObject => {
  const bytes = Buffer.from(sealed, "base64url");
  const master = masterKeys.find((key) => key.id === bytes[0]);
  if (master === undefined)
    throw new EngineError(
      "master_key_wrong",
      `signing key ${name.kid} was sealed with another master key; give that one too, after the new one`,
    );
  try {
    const decipher = createDecipheriv("aes-256-gcm", deriveKey(master, PRIVATE_KEY_LABEL), bytes.subarray(1, 13), {
      authTagLength: 16,
    });
    decipher.setAAD(additionalData(name));
    decipher.setAuthTag(bytes.subarray(-16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(13, -16)), decipher.final()]);
    const privateKey = createPrivateKey({ key: plain, format: "der", type: "pkcs8" });
    plain.fill(0);
    return privateKey;
  } catch (cause) {
    throw new EngineError(
      "signing_key_corrupt",
      `signing key ${name.kid} cannot be opened: it was changed in the store, or the master key is another one`,
      { cause },
    );
  }
};
