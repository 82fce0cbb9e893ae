import { type Clock, MemoryStorage, openStorage, type Storage } from "@pawl/storage";
import { createEngine } from "./engine.js";
import { EngineError } from "./errors.js";
import { startMaintenance } from "./maintenance.js";
import { claimMasterKeyFile, readMasterKeyFile } from "./master-key-file.js";
import { type MasterKey, parseMasterKeys } from "./master-key.js";
import type { Policy } from "./policy.js";
import { type RandomSource, systemRandom } from "./random.js";
import type { SessionEngine } from "./session-engine.js";

export interface OpenEngineOptions {
  /** A URL such as `sqlite:./pawl.db` or `memory:`, or a storage that is open and stays its owner's to close. */
  readonly storage: string | Storage;
  /** Base64 of 32 bytes; several, separated by commas, when keys change: the first encrypts. */
  readonly masterKey?: string;
  /** A file of the same. Where neither is given, `sqlite:` storage has a key file of its own, `<database>.key`. */
  readonly masterKeyFile?: string;
  readonly policy?: Partial<Policy>;
  /** Replaces the time of a storage that is opened here; tests move it. */
  readonly clock?: Clock;
  readonly random?: RandomSource;
  /** Hears what goes wrong in the background: keys that cannot be renewed, rows that cannot be deleted. */
  readonly onBackgroundError?: (error: unknown) => void;
}

export interface OpenedEngine {
  readonly engine: SessionEngine;
  readonly storage: Storage;
  /** Stops background work, then closes the storage if it was opened here. */
  readonly close: () => Promise<void>;
}

/**
 * Opens everything an engine stands on: storage (brought to this release's schema), master key, engine, maintenance.
 * @throws StorageError when the storage cannot be opened or brought up to date.
 * @throws EngineError `master_key_missing` (the message says how to make one), `master_key_invalid`, `master_key_wrong`,
 * `invalid_input` for a bad policy.
 */
export const openEngine = async (options: OpenEngineOptions): Promise<OpenedEngine> => {
  const { clock, random = systemRandom, policy, onBackgroundError } = options;
  const isUrl = typeof options.storage === "string";
  const storage = isUrl ? await openStorage(options.storage, clock === undefined ? {} : { clock }) : options.storage;
  const closeOwn = async (): Promise<void> => (isUrl ? storage.close() : undefined);
  try {
    await storage.migrate();
    const masterKeys = await resolveMasterKeys(options, { storage, random });
    const engine = await createEngine({ storage, masterKeys, random, ...(policy === undefined ? {} : { policy }) });
    const stopMaintenance = startMaintenance({
      engine,
      ...(onBackgroundError === undefined ? {} : { onError: onBackgroundError }),
    });
    return {
      engine,
      storage,
      close: async () => {
        await stopMaintenance();
        await engine.close();
        await closeOwn();
      },
    };
  } catch (error) {
    await closeOwn();
    throw error;
  }
};

const resolveMasterKeys = async (
  options: OpenEngineOptions,
  using: { readonly storage: Storage; readonly random: RandomSource },
): Promise<readonly MasterKey[]> => {
  const { masterKey, masterKeyFile, storage } = options;
  const databaseFile = typeof storage === "string" ? sqliteFile(storage) : undefined;
  if (masterKey !== undefined && masterKeyFile !== undefined)
    throw new EngineError("invalid_input", "give a master key or a file of master keys, not both");
  if (masterKey !== undefined) return parseMasterKeys(masterKey);
  if (masterKeyFile !== undefined) return readMasterKeyFile(masterKeyFile);
  // What lives in the memory of this process needs no key that outlives it.
  if (using.storage instanceof MemoryStorage || databaseFile === ":memory:")
    return parseMasterKeys(using.random.bytes(32).toString("base64"));
  if (databaseFile !== undefined) return claimMasterKeyFile(`${databaseFile}.key`, using);
  throw new EngineError(
    "master_key_missing",
    "this storage needs a master key, the same on every node that shares it; make one with:  openssl rand -base64 32",
  );
};

/** The database file that a `sqlite:` URL names, as `@pawl/storage-sqlite` reads it. */
const sqliteFile = (url: string): string | undefined => /^sqlite:([^?]+)/su.exec(url)?.[1];
