import { type Millis, millis, nextFlight, type Storage } from "@pawl/storage";
import { EngineError } from "../errors.js";
import { claimMasterKeys, type MasterKeyFacts, readMasterKeyFacts, writeMasterKeyNeed } from "./master-key-facts.js";
import type { MasterKey } from "./master-key.js";
import type { RandomSource } from "../random.js";
import { createRefreshTokenSeal, masterKeyIdOf, type RefreshTokenSeal } from "../tokens/refresh-token.js";

/** How far ahead, in milliseconds, a node announces that it seals with a key. */
const SEALING_LEASE = 3_600_000;

export interface MasterKeyRingOptions {
  readonly storage: Storage;
  /** The keys as they were given at the start. */
  readonly masterKeys: readonly MasterKey[];
  /** Reads them anew, where they stand in a file. */
  readonly readMasterKeys: (() => Promise<readonly MasterKey[]>) | undefined;
  readonly refreshTokenValidity: Millis;
  readonly random: RandomSource;
}

/** The master keys as this process knows them. Which one seals is a fact of the store, the same for every node. */
export interface MasterKeyRing {
  /** The one that seals first; all open. */
  readonly keys: readonly MasterKey[];
  /** Seals and opens with the keys as they are now. */
  readonly refreshTokens: RefreshTokenSeal;
  /**
   * Reads keys and facts anew, and says in the store until when the sealing key is needed. What was known before stays in
   * use when that fails.
   * @throws EngineError `master_key_missing` when the store needs a key that was not given.
   */
  reload(): Promise<void>;
  /**
   * Reloads when one of these tokens was sealed with a key that is not known here. @returns undefined when all are known.
   * @throws EngineError `master_key_missing` when the store knows the key but this process does not have it: then nothing
   * can be said about the session.
   */
  loadKeysOf(tokens: readonly unknown[]): Promise<void> | undefined;
}

/**
 * Checks master keys against the store, and follows changes of both.
 * @throws EngineError `master_key_missing`, `master_key_wrong`, `master_key_invalid`.
 */
export const createMasterKeyRing = async (options: MasterKeyRingOptions): Promise<MasterKeyRing> => {
  const { storage, refreshTokenValidity, random, readMasterKeys } = options;
  let given = options.masterKeys;
  let keys: readonly MasterKey[] = [];
  let facts: MasterKeyFacts = { sealing: -1, keys: new Map() };
  let refreshTokens: RefreshTokenSeal;

  /** The one that seals first, without those that were removed. @throws EngineError `master_key_missing`. */
  const usableKeys = (): readonly MasterKey[] => {
    const sealing = given.find(({ id }) => id === facts.sealing);
    if (sealing === undefined) throw missing(facts.sealing, "the store seals with it");
    for (const [id, { neededUntil = 0 }] of facts.keys)
      if (neededUntil > storage.now() && !given.some((key) => key.id === id))
        throw missing(id, `sessions need it until ${new Date(neededUntil).toISOString()}`);
    return [sealing, ...given.filter((key) => key !== sealing && facts.keys.get(key.id)?.removed !== true)];
  };

  const read = async (): Promise<void> => {
    const found = (await readMasterKeys?.()) ?? given;
    if (keys.length === 0 || found.some(({ id }) => !facts.keys.has(id))) await claimMasterKeys(storage, found);
    given = found;
    facts = await readMasterKeyFacts(storage);
    const next = usableKeys();
    // Announced before the first token is sealed with it.
    const least = storage.now() + refreshTokenValidity + SEALING_LEASE / 2;
    if ((facts.keys.get(facts.sealing)?.neededUntil ?? 0) < least)
      await writeMasterKeyNeed(storage, facts.sealing, millis(least + SEALING_LEASE / 2));
    if (next.length === keys.length && next.every((key, index) => key.id === keys[index]?.id)) return;
    keys = next;
    refreshTokens = createRefreshTokenSeal(keys, random);
  };

  const reload = nextFlight(read);

  const unknown = (tokens: readonly unknown[]): readonly number[] =>
    tokens.flatMap((token) => {
      const id = typeof token === "string" ? masterKeyIdOf(token) : undefined;
      return id === undefined || keys.some((key) => key.id === id) ? [] : [id];
    });

  await read();
  return {
    get keys() {
      return keys;
    },
    refreshTokens: {
      seal: (claims) => refreshTokens.seal(claims),
      open: (token) => refreshTokens.open(token),
    },
    reload,
    loadKeysOf: (tokens) => (unknown(tokens).length === 0 ? undefined : reloadFor(tokens)),
  };

  async function reloadFor(tokens: readonly unknown[]): Promise<void> {
    await reload().catch((error: unknown) => {
      if (!(error instanceof EngineError)) throw error;
    });
    for (const id of unknown(tokens)) {
      const { neededUntil = 0 } = facts.keys.get(id) ?? {};
      if (neededUntil > storage.now()) throw missing(id, "a session needs it");
    }
  }
};

const missing = (id: number, why: string): EngineError =>
  new EngineError(
    "master_key_missing",
    `master key ${id} was not given, and ${why}: give it too (or see pawl keys rotate-master --remove)`,
  );
