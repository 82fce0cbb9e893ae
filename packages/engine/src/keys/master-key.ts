import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import type { SigningAlgorithm } from "@pawl/storage";
import { EngineError } from "../errors.js";
import type { RandomSource } from "../random.js";
import { isSameText } from "../same-text.js";

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
  masterKeys.some((key) => isSameText(checkValue(key), stored));

/** What is sealed for the store: the label separates keys, the name is what the sealed bytes are bound to. */
interface SealedPurpose {
  readonly label: string;
  readonly name: string;
}

interface Sealing {
  readonly masterKeys: readonly MasterKey[];
  readonly random: RandomSource;
}

const privateKeyPurpose = ({ kid, algorithm }: SigningKeyName): SealedPurpose => ({
  label: "signing key",
  name: `${kid}\0${algorithm}`,
});

/** The id of the master key that something was sealed with. */
export const sealedWith = (sealed: string): number | undefined => Buffer.from(sealed.slice(0, 2), "base64url")[0];

/** Seals bytes with the first master key (AES-256-GCM, bound to their name): base64url of key id, nonce, ciphertext, tag. */
export const sealBytes = (plain: Buffer, { label, name }: SealedPurpose, { masterKeys, random }: Sealing): string => {
  const master = sealingKey(masterKeys);
  const nonce = random.bytes(12);
  const cipher = createCipheriv("aes-256-gcm", deriveKey(master, label), nonce);
  cipher.setAAD(Buffer.from(name));
  return Buffer.concat([
    Buffer.of(master.id),
    nonce,
    cipher.update(plain),
    cipher.final(),
    cipher.getAuthTag(),
  ]).toString("base64url");
};

/**
 * Opens what `sealBytes` made.
 * @throws EngineError `master_key_wrong` when another master key sealed it, `signing_key_corrupt` when it was changed.
 */
export const openBytes = (sealed: string, { label, name }: SealedPurpose, masterKeys: readonly MasterKey[]): Buffer => {
  const bytes = Buffer.from(sealed, "base64url");
  const what = `${label} ${name.replace(/\0.*/s, "")}`;
  const master = masterKeys.find((key) => key.id === bytes[0]);
  if (master === undefined)
    throw new EngineError(
      "master_key_wrong",
      `${what} was sealed with another master key; give that one too, after the new one`,
    );
  try {
    const decipher = createDecipheriv("aes-256-gcm", deriveKey(master, label), bytes.subarray(1, 13), {
      authTagLength: 16,
    });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(13, -16)), decipher.final()]);
  } catch (cause) {
    throw corrupt(what, cause);
  }
};

const corrupt = (what: string, cause: unknown): EngineError =>
  new EngineError(
    "signing_key_corrupt",
    `${what} cannot be opened: it was changed in the store, or the master key is another one`,
    { cause },
  );

/** Seals a private key, bound to its `kid` and algorithm, as `sealBytes`. */
export const sealPrivateKey = (privateKey: KeyObject, name: SigningKeyName, using: Sealing): string => {
  const plain = privateKey.export({ type: "pkcs8", format: "der" });
  const sealed = sealBytes(plain, privateKeyPurpose(name), using);
  plain.fill(0);
  return sealed;
};

/** Opens what `sealPrivateKey` made. @throws EngineError as `openBytes`. */
export const openPrivateKey = (sealed: string, name: SigningKeyName, masterKeys: readonly MasterKey[]): KeyObject => {
  const plain = openBytes(sealed, privateKeyPurpose(name), masterKeys);
  try {
    return createPrivateKey({ key: plain, format: "der", type: "pkcs8" });
  } catch (cause) {
    throw corrupt(`signing key ${name.kid}`, cause);
  } finally {
    plain.fill(0);
  }
};
