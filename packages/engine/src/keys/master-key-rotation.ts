import { type Millis, millis, type SigningKeyRecord, type Storage } from "@pawl/storage";
import { EngineError } from "../errors.js";
import { adminEvent } from "../events.js";
import {
  claimMasterKeys,
  type MasterKeyFacts,
  readMasterKeyFacts,
  replaceSealingKey,
  writeMasterKeyNeed,
} from "./master-key-facts.js";
import { type MasterKey, openPrivateKey, sealedWith, sealPrivateKey } from "./master-key.js";
import { resealImportedCores, sealsImportedCore } from "../imported/imported-core.js";
import type { RandomSource } from "../random.js";

/** How long, in milliseconds, a node may go on sealing with the former key before it learns of the change. */
const FOLLOWING = 120_000;

/** A master key as an operator sees it: no key, and nothing that reveals one. */
export interface MasterKeyInformation {
  readonly id: number;
  /** `new` has sealed nothing yet; `opening` opens what it sealed; `removed` was taken out of use for good. */
  readonly state: "sealing" | "opening" | "new" | "removed";
  /** Whether it is among the keys that were given here. */
  readonly given: boolean;
  /** Until when refresh tokens sealed with it may live. */
  readonly neededUntil?: Millis;
  /** The `kid` of each signing key that is sealed with it. */
  readonly signingKeys: readonly string[];
}

interface MasterKeyContext {
  readonly storage: Storage;
  /** As they were given here. */
  readonly masterKeys: readonly MasterKey[];
  /** Who does it, for the audit trail. */
  readonly by?: Readonly<Record<string, unknown>> | undefined;
}

/** The master keys that are given here or that the store remembers, by id. */
export const listMasterKeys = async ({
  storage,
  masterKeys,
}: MasterKeyContext): Promise<readonly MasterKeyInformation[]> => {
  const facts = await readMasterKeyFacts(storage);
  const sealed = await storage.getSigningKeys();
  const information = (id: number): MasterKeyInformation => {
    const { neededUntil } = facts.keys.get(id) ?? {};
    return {
      id,
      state: stateOf(facts, id),
      given: masterKeys.some((key) => key.id === id),
      ...(neededUntil === undefined ? {} : { neededUntil }),
      signingKeys: sealed.filter((key) => sealedWith(key.sealedPrivateKey) === id).map(({ kid }) => kid),
    };
  };
  return [...facts.keys.keys()].toSorted((left, right) => left - right).map(information);
};

const stateOf = ({ sealing, keys }: MasterKeyFacts, id: number): MasterKeyInformation["state"] => {
  const fact = keys.get(id);
  if (id === sealing) return "sealing";
  if (fact?.removed === true) return "removed";
  return fact?.neededUntil === undefined ? "new" : "opening";
};

export interface MasterKeyRotation {
  /** The key that sealed before; the same as `to` when nothing was left to change. */
  readonly from: number;
  readonly to: number;
  /** The `kid` of each signing key that was sealed anew. */
  readonly resealed: readonly string[];
}

/**
 * Makes a key the one that seals on every node, and seals the signing keys anew with it. Each step is whole by itself and
 * a further call does what is left, so it may be stopped anywhere. Nodes follow within a round of their maintenance.
 * @param options.to its id; unless given the one key that has sealed nothing yet, or, without one, the key that seals.
 * @throws EngineError `invalid_input` when `to` is none that may seal, or when it cannot be told which one is meant;
 * `master_key_wrong`, `master_key_missing`.
 */
export const rotateMasterKey = async (
  options: MasterKeyContext & {
    readonly random: RandomSource;
    readonly refreshTokenValidity: Millis;
    readonly to?: number | undefined;
  },
): Promise<MasterKeyRotation> => {
  const { storage, masterKeys, random, refreshTokenValidity } = options;
  await claimMasterKeys(storage, masterKeys);
  const { sealing: from } = await readMasterKeyFacts(storage);
  const keys = await listMasterKeys(options);
  const to = options.to ?? onlyNewKey(keys) ?? from;
  const target = keys.find(({ id }) => id === to);
  if (target?.given !== true || target.state === "removed")
    throw new EngineError(
      "invalid_input",
      `master key ${to} ${target?.state === "removed" ? "was removed for good" : "was not given here"}: it cannot seal`,
    );
  if (to !== from) {
    const now = storage.now();
    // Where no node has said so yet: what it sealed until everybody has followed.
    await writeMasterKeyNeed(storage, from, millis(now + FOLLOWING + refreshTokenValidity));
    if (await replaceSealingKey(storage, from, to))
      await storage.appendEvents([adminEvent(now, { act: "master_key_rotated", from, to, by: options.by })]);
  }
  const ordered = masterKeys.toSorted((left, right) => Number(right.id === to) - Number(left.id === to));
  await resealImportedCores(storage, { masterKeys: ordered, random });
  return {
    from,
    to,
    resealed: await resealSigningKeys(await storage.getSigningKeys(), { storage, masterKeys: ordered, random }),
  };
};

const onlyNewKey = (keys: readonly MasterKeyInformation[]): number | undefined => {
  const fresh = keys.filter(({ state, given }) => state === "new" && given);
  if (fresh.length > 1)
    throw new EngineError(
      "invalid_input",
      `several master keys are new (${fresh.map(({ id }) => id).join(", ")}): say which one is to seal`,
    );
  return fresh[0]?.id;
};

/**
 * Takes a key out of use for good: no node opens anything with it any more.
 * @param options.endSessions also while sessions need it: these have to log in again.
 * @throws EngineError `invalid_input` when the key seals, a signing key or a session needs it, or the store does not know it.
 */
export const removeMasterKey = async (
  options: MasterKeyContext & { readonly id: number; readonly endSessions?: boolean },
): Promise<void> => {
  const { storage, id, endSessions = false } = options;
  const key = (await listMasterKeys(options)).find((known) => known.id === id);
  const refuse = (why: string): EngineError => new EngineError("invalid_input", `master key ${id} ${why}`);
  if (key === undefined) throw refuse("is none that the store knows");
  if (key.state === "sealing") throw refuse("is the one that seals: make another one seal first");
  if (key.signingKeys.length > 0)
    throw refuse(`still seals signing keys (${key.signingKeys.join(", ")}): rotate-master seals them anew`);
  if (await sealsImportedCore(storage, id))
    throw refuse("still seals the key of a core that was imported: rotate-master seals it anew");
  if (key.neededUntil !== undefined && key.neededUntil > storage.now() && !endSessions)
    throw refuse(`is needed until ${new Date(key.neededUntil).toISOString()}: sessions that last used it would end`);
  await writeMasterKeyNeed(storage, id, "removed");
  if (key.state !== "removed")
    await storage.appendEvents([
      adminEvent(storage.now(), { act: "master_key_removed", id, endSessions, by: options.by }),
    ]);
};

/**
 * Seals signing keys with the first master key, those that are sealed with another one.
 * @returns the `kid` of each that was.
 */
export const resealSigningKeys = async (
  records: readonly SigningKeyRecord[],
  using: MasterKeyContext & { readonly random: RandomSource },
): Promise<readonly string[]> => {
  const { storage, masterKeys } = using;
  const resealed: string[] = [];
  for (const record of records) {
    const { kid, sealedPrivateKey } = record;
    if (sealedWith(sealedPrivateKey) === masterKeys[0]?.id) continue;
    const privateKey = openPrivateKey(sealedPrivateKey, record, masterKeys);
    const sealed = sealPrivateKey(privateKey, record, using);
    if (await storage.resealSigningKey(kid, sealedPrivateKey, sealed)) resealed.push(kid);
  }
  return resealed;
};
