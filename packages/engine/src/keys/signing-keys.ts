import { createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import {
  type EventType,
  type Millis,
  millis,
  type SigningAlgorithm,
  type SigningKeyKind,
  type SigningKeyRecord,
  type Storage,
} from "@pawl/storage";
import { createAccessTokenSigner } from "../tokens/access-token.js";
import type { AccessTokenSigner } from "../tokens/access-token-format.js";
import { EngineError } from "../errors.js";
import type { VerificationKey } from "../tokens/jwt.js";
import { createKeySet, type KeySet, type PublicSigningKey, type SigningKeyInformation } from "./key-set.js";
import type { MasterKeyRing } from "./master-key-ring.js";
import { resealSigningKeys } from "./master-key-rotation.js";
import { type MasterKey, openPrivateKey, sealedWith, sealPrivateKey } from "./master-key.js";
import type { Policy } from "../policy.js";
import { randomUuid, type RandomSource } from "../random.js";

/** How long a key is published before it signs. Keys have to be reloaded (`maintain`) at least twice in this time. */
export const SIGNING_KEY_LEAD: Millis = millis(60_000);

export interface SigningKeysOptions {
  readonly storage: Storage;
  readonly masterKeys: Pick<MasterKeyRing, "keys" | "reload">;
  readonly random: RandomSource;
  readonly policy: Pick<Policy, "accessTokenValidity" | "signingKeyUpdateInterval">;
  /** Called with all verification keys whenever they changed, also before `createSigningKeys` resolves. */
  readonly onChange?: (keys: readonly VerificationKey[]) => void;
}

/** The signing keys of a store, as this process knows them. */
export interface SigningKeys {
  /** Creates the first key of an algorithm and kind, which signs at once. Nodes that race end with the same one. */
  ensure(algorithm: SigningAlgorithm, kind: SigningKeyKind): Promise<void>;
  /**
   * The key that signs now: the newest whose time has come.
   * @throws EngineError `signing_key_missing` when there is none: call `ensure` first.
   */
  signer(algorithm: SigningAlgorithm, kind: SigningKeyKind, now: Millis): AccessTokenSigner;
  /** All published keys, newest first. */
  verificationKeys(): readonly VerificationKey[];
  keySet(algorithm?: SigningAlgorithm): KeySet;
  /** Reads the keys again from the store. @throws EngineError `master_key_wrong`, `signing_key_corrupt`. */
  reload(): Promise<void>;
  /** Reloads, seals anew what another master key sealed, creates the dynamic keys that are due (of algorithms ensured here), deletes those no token can need. */
  maintain(): Promise<void>;
  /** Adds a dynamic key now; it signs after `SIGNING_KEY_LEAD`. */
  rotate(algorithm: SigningAlgorithm): Promise<SigningKeyInformation>;
  /** Newest first. */
  list(): readonly SigningKeyInformation[];
  /** The keys of one algorithm and kind that are published, newest first. */
  published(algorithm: SigningAlgorithm, kind: SigningKeyKind): readonly PublicSigningKey[];
  /** When the next dynamic key of an algorithm is due to be published; now, when there is none. */
  nextAt(algorithm: SigningAlgorithm): Millis;
}

/** A stored key, opened. */
interface SigningKey {
  readonly record: SigningKeyRecord;
  readonly signer: AccessTokenSigner;
  readonly verification: VerificationKey;
}

const MAX_ATTEMPTS = 8;
const generate = promisify(generateKeyPair);

const generatePair = (algorithm: SigningAlgorithm): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> =>
  algorithm === "ES256" ? generate("ec", { namedCurve: "P-256" }) : generate("rsa", { modulusLength: 2048 });

const encodePublicKey = (key: KeyObject): string => key.export({ type: "spki", format: "der" }).toString("base64");

/**
 * Opens a stored key. Its public half has to match the sealed private one, so that an attacker who can only write to the
 * store cannot plant a key that is trusted.
 */
const openSigningKey = (record: SigningKeyRecord, masterKeys: readonly MasterKey[]): SigningKey => {
  const privateKey = openPrivateKey(record.sealedPrivateKey, record, masterKeys);
  const publicKey = createPublicKey(privateKey);
  if (encodePublicKey(publicKey) !== record.publicKey)
    throw new EngineError("signing_key_corrupt", `signing key ${record.kid}: its public key was changed in the store`);
  const { kid, algorithm, kind } = record;
  return {
    record,
    signer: createAccessTokenSigner({ kid, algorithm, privateKey }),
    verification: { kid, algorithm, kind, publicKey },
  };
};

/**
 * Loads the signing keys of a store.
 * @throws EngineError `master_key_wrong`, `signing_key_corrupt`.
 */
export const createSigningKeys = async (options: SigningKeysOptions): Promise<SigningKeys> => {
  const { storage, masterKeys, random, policy } = options;
  /** Newest first. */
  let keys: readonly SigningKey[] = [];
  let reloadsStarted = 0;
  let reloadApplied = 0;
  const dynamicInUse = new Set<SigningAlgorithm>();

  const ofPair = (algorithm: SigningAlgorithm, kind: SigningKeyKind): readonly SigningKey[] =>
    keys.filter(({ record }) => record.algorithm === algorithm && record.kind === kind);

  const active = (algorithm: SigningAlgorithm, kind: SigningKeyKind, now: Millis): SigningKey | undefined => {
    const candidates = ofPair(algorithm, kind);
    // Before the time of the first key, on a clock that lags, it is still the only one that can sign.
    return candidates.find(({ record }) => record.signsFrom <= now) ?? candidates.at(-1);
  };

  const reload = async (): Promise<void> => {
    const ticket = ++reloadsStarted;
    const records = await storage.getSigningKeys();
    // An answer that a later one has overtaken would bring back keys that are gone.
    if (ticket < reloadApplied) return;
    const canOpen = ({ sealedPrivateKey }: SigningKeyRecord): boolean =>
      masterKeys.keys.some(({ id }) => id === sealedWith(sealedPrivateKey));
    if (!records.every(canOpen)) await masterKeys.reload();
    const known = new Map(keys.map((key) => [key.record.kid, key]));
    const opened = records.toReversed().map((record) => {
      const key = known.get(record.kid);
      return key?.record.sealedPrivateKey === record.sealedPrivateKey && key.record.publicKey === record.publicKey
        ? key
        : openSigningKey(record, masterKeys.keys);
    });
    reloadApplied = ticket;
    const isChanged = opened.length !== keys.length || opened.some((key, index) => key !== keys[index]);
    keys = opened;
    if (isChanged) options.onChange?.(verificationKeys());
  };

  const writeEvents = (
    type: EventType,
    changed: readonly Pick<SigningKeyRecord, "kid" | "algorithm">[],
  ): Promise<void> => {
    const at = storage.now();
    return storage.appendEvents(
      changed.map(({ kid, algorithm }) => ({
        key: `${type}:${kid}`,
        at,
        type,
        detail: JSON.stringify({ kid, algorithm }),
        count: 1,
      })),
    );
  };

  const nameKey = (kind: SigningKeyKind, after: SigningKey | undefined): { kid: string; createdAt: Millis } => {
    let createdAt = Math.max(storage.now(), (after?.record.createdAt ?? 0) + 1);
    if (kind === "static") return { kid: `s-${randomUuid(random)}`, createdAt: millis(createdAt) };
    while (keys.some((key) => key.record.kid === `d-${createdAt}`)) createdAt += 1;
    return { kid: `d-${createdAt}`, createdAt: millis(createdAt) };
  };

  /** Adds a key after the newest known one, unless another node does first: then that node's stands. */
  const add = async (algorithm: SigningAlgorithm, kind: SigningKeyKind): Promise<void> => {
    const newest = ofPair(algorithm, kind)[0];
    const { publicKey, privateKey } = await generatePair(algorithm);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const { kid, createdAt } = nameKey(kind, newest);
      const added: SigningKeyRecord = {
        kid,
        algorithm,
        kind,
        publicKey: encodePublicKey(publicKey),
        sealedPrivateKey: sealPrivateKey(privateKey, { kid, algorithm }, { masterKeys: masterKeys.keys, random }),
        createdAt,
        signsFrom: newest === undefined ? createdAt : millis(createdAt + SIGNING_KEY_LEAD),
      };
      const isAdded = await storage.addSigningKey(added, newest?.record.kid);
      await reload();
      if (isAdded) return writeEvents("signing_key_created", [added]);
      if (ofPair(algorithm, kind)[0] !== newest) return;
      // The name was taken by a key of another algorithm, which is known now: the next millisecond is free.
    }
    throw new EngineError("signing_key_missing", `no ${kind} signing key for ${algorithm} could be added to the store`);
  };

  /** Whether every token the key signed has long expired: clocks differ, and a node may learn late of its successor. */
  const isOver = (key: SigningKey, now: Millis): boolean => {
    const siblings = ofPair(key.record.algorithm, "dynamic");
    const successor = siblings[siblings.indexOf(key) - 1];
    return (
      successor !== undefined && now >= successor.record.signsFrom + 2 * policy.accessTokenValidity + SIGNING_KEY_LEAD
    );
  };

  const information = (key: SigningKey, now: Millis): SigningKeyInformation => {
    const { kid, algorithm, kind, createdAt, signsFrom } = key.record;
    const isActive = active(algorithm, kind, now) === key;
    return {
      kid,
      algorithm,
      kind,
      createdAt,
      signsFrom,
      status: isActive ? "active" : signsFrom > now ? "next" : "retired",
    };
  };

  const nextAt = (algorithm: SigningAlgorithm): Millis => {
    const newest = ofPair(algorithm, "dynamic")[0];
    if (newest === undefined) return storage.now();
    return millis(newest.record.signsFrom + policy.signingKeyUpdateInterval - SIGNING_KEY_LEAD);
  };

  const verificationKeys = (): readonly VerificationKey[] => keys.map((key) => key.verification);

  await reload();
  return {
    verificationKeys,
    reload,
    keySet: (algorithm) => createKeySet(verificationKeys(), algorithm),
    list: () => keys.map((key) => information(key, storage.now())),
    published: (algorithm, kind) =>
      ofPair(algorithm, kind).map((key) => ({
        ...information(key, storage.now()),
        publicKey: key.record.publicKey,
      })),
    nextAt,

    async ensure(algorithm, kind) {
      if (kind === "dynamic") dynamicInUse.add(algorithm);
      if (ofPair(algorithm, kind).length === 0) await add(algorithm, kind);
    },

    signer(algorithm, kind, now) {
      const key = active(algorithm, kind, now);
      if (key === undefined)
        throw new EngineError("signing_key_missing", `there is no ${kind} signing key for ${algorithm} yet`);
      return key.signer;
    },

    async maintain() {
      await reload();
      const records = keys.map((key) => key.record);
      const resealed = await resealSigningKeys(records, { storage, masterKeys: masterKeys.keys, random });
      if (resealed.length > 0) await reload();
      for (const algorithm of dynamicInUse) if (storage.now() >= nextAt(algorithm)) await add(algorithm, "dynamic");
      const now = storage.now();
      const over = keys.filter((key) => isOver(key, now)).map((key) => key.record);
      if (over.length === 0) return;
      await storage.deleteSigningKeys(over.map(({ kid }) => kid));
      await writeEvents("signing_key_deleted", over);
      await reload();
    },

    async rotate(algorithm) {
      await reload();
      await add(algorithm, "dynamic");
      return information(ofPair(algorithm, "dynamic")[0] as SigningKey, storage.now());
    },
  };
};
