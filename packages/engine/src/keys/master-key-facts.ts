import { type Millis, millis, type Storage } from "@pawl/storage";
import { readAllPages } from "../all-pages.js";
import { EngineError } from "../errors.js";
import { replaceFact } from "../fact.js";
import { checkValue, keyCheck, keyCheckMatches, type MasterKey } from "./master-key.js";

/** What a store remembers of a master key. */
interface MasterKeyFact {
  /** The value by which it recognises the key. */
  readonly check: string;
  /** Until when refresh tokens sealed with it may live; undefined while it never sealed one. */
  readonly neededUntil: Millis | undefined;
  /** Whether an operator took it out of use for good. */
  readonly removed: boolean;
}

/** What a store remembers of its master keys, by id: no key, and nothing that reveals one. */
export interface MasterKeyFacts {
  /** The key that seals, on every node. */
  readonly sealing: number;
  readonly keys: ReadonlyMap<number, MasterKeyFact>;
}

const PREFIX = "master_key_";
/** The key that a store was made with. */
const FIRST_CHECK = `${PREFIX}check`;
const SEALING = `${PREFIX}sealing`;
const checkName = (id: number): string => `${FIRST_CHECK}_${id}`;
const neededName = (id: number): string => `${PREFIX}needed_until_${id}`;
const REMOVED = "removed";

/**
 * Compares the master keys with the check values in the store, so that a wrong key is refused at once. The first keys a
 * store sees become its own, and the first of them seals; a key given together with a known one becomes known.
 * @throws EngineError `master_key_wrong` when the store knows none of them, `master_key_invalid` when one has the id of
 * another that the store knows.
 */
export const claimMasterKeys = async (
  storage: Pick<Storage, "claimMeta">,
  masterKeys: readonly MasterKey[],
): Promise<void> => {
  const isKnown = async (key: MasterKey): Promise<boolean> => {
    const stored = await storage.claimMeta(checkName(key.id));
    return stored !== undefined && keyCheckMatches(stored, [key]);
  };
  const first = await storage.claimMeta(FIRST_CHECK, keyCheck(masterKeys));
  let known = keyCheckMatches(first, masterKeys);
  for (const key of masterKeys) known ||= await isKnown(key);
  if (!known)
    throw new EngineError(
      "master_key_wrong",
      "the store was made with another master key; give that one (a new one may stand beside it)",
    );
  for (const key of masterKeys)
    if (!keyCheckMatches(await storage.claimMeta(checkName(key.id), checkValue(key)), [key]))
      throw new EngineError(
        "master_key_invalid",
        `master key ${key.id} has the id of another one that the store knows; make another new one`,
      );
  const sealing = masterKeys.find((key) => keyCheckMatches(first, [key])) ?? masterKeys[0];
  await storage.claimMeta(SEALING, String(sealing?.id));
};

/** Reads what the store remembers; undefined when it has not seen a key yet. */
const findMasterKeyFacts = async (storage: Pick<Storage, "listMeta">): Promise<MasterKeyFacts | undefined> => {
  const found = await readAllPages((page) => storage.listMeta(PREFIX, page));
  const facts = new Map(found.map(({ name, value }) => [name, value]));
  const sealing = facts.get(SEALING);
  if (sealing === undefined) return undefined;
  const keys = new Map<number, MasterKeyFact>();
  for (const name of facts.keys()) {
    const id = Number(/^master_key_check_(\d+)$/.exec(name)?.[1]);
    const check = facts.get(name);
    if (Number.isNaN(id) || check === undefined) continue;
    const needed = facts.get(neededName(id));
    const isTime = needed !== undefined && needed !== REMOVED;
    keys.set(id, { check, neededUntil: isTime ? millis(Number(needed)) : undefined, removed: needed === REMOVED });
  }
  return { sealing: Number(sealing), keys };
};

/** Reads what the store remembers. @throws EngineError `master_key_missing` when it has not seen a key yet. */
export const readMasterKeyFacts = async (storage: Pick<Storage, "listMeta">): Promise<MasterKeyFacts> => {
  const facts = await findMasterKeyFacts(storage);
  if (facts === undefined)
    throw new EngineError("master_key_missing", "the store has not been used yet: it knows no master key");
  return facts;
};

/** A master key that sessions need, for the store they are moved to: no key, and nothing that reveals one. */
export interface MasterKeyNeed {
  readonly id: number;
  readonly check: string;
  readonly neededUntil: Millis;
}

/** The master keys that the sessions of a store need. */
export const listMasterKeyNeeds = async (
  storage: Pick<Storage, "listMeta" | "now">,
): Promise<readonly MasterKeyNeed[]> => {
  const facts = await findMasterKeyFacts(storage);
  return [...(facts?.keys ?? [])].flatMap(([id, { check, neededUntil = 0 }]) =>
    neededUntil > storage.now() ? [{ id, check, neededUntil: millis(neededUntil) }] : [],
  );
};

/**
 * Lets a store know of the master keys that sessions need which are moved to it: its nodes then ask for them.
 * @throws EngineError `master_key_wrong` when the store has another key of such an id.
 */
export const addMasterKeyNeeds = async (
  storage: Pick<Storage, "claimMeta" | "replaceMeta">,
  needs: readonly MasterKeyNeed[],
): Promise<void> => {
  for (const { id, check } of needs)
    if ((await storage.claimMeta(checkName(id), check)) !== check)
      throw new EngineError(
        "master_key_wrong",
        `the store has another master key of the id ${id}: these sessions cannot go on there`,
      );
  for (const { id, neededUntil } of needs) await writeMasterKeyNeed(storage, id, neededUntil);
};

/** Makes another key the one that seals. @returns false when another one than `from` seals by now. */
export const replaceSealingKey = (storage: Pick<Storage, "replaceMeta">, from: number, to: number): Promise<boolean> =>
  storage.replaceMeta(SEALING, String(from), String(to));

/** Writes until when a key is needed, or that it never is again. */
export const writeMasterKeyNeed = async (
  storage: Pick<Storage, "claimMeta" | "replaceMeta">,
  id: number,
  until: Millis | "removed",
): Promise<void> => {
  await replaceFact(storage, neededName(id), {
    initial: String(until),
    change: (present) =>
      present === REMOVED || (until !== REMOVED && Number(present) >= until) ? present : String(until),
  });
};
