import { type Clock, openStorage, type Storage } from "@pawl/storage";
import { createEngine } from "../engine.js";
import { catchUpLog, loggedStorage } from "./logged-storage.js";
import { startMaintenance } from "./maintenance.js";
import { claimMasterKeyFile, masterKeyFileWarning } from "./master-key-file.js";
import { type GivenMasterKeys, masterKeySource } from "./master-key-source.js";
import { parseMasterKeys } from "../keys/master-key.js";
import type { PolicyRules } from "../policy.js";
import { openRevocationLog } from "./revocation-log.js";
import { type RandomSource, systemRandom } from "../random.js";
import type { SessionEngine } from "../session-engine.js";

/** A storage that is already open stays its owner's to close. */
export interface OpenEngineOptions extends GivenMasterKeys {
  /** File to which each end of a session is written before it is acknowledged; see `openRevocationLog`. */
  readonly revocationLog?: string | undefined;
  readonly policy?: PolicyRules | undefined;
  /** Replaces the time of a storage that is opened here; tests move it. */
  readonly clock?: Clock | undefined;
  readonly random?: RandomSource | undefined;
  /** Called with what goes wrong in the background: keys that cannot be renewed, rows that cannot be deleted. */
  readonly onBackgroundError?: ((error: unknown) => void) | undefined;
  /** Called at the start with what works but is unsafe: a master key file that every user of the machine can read. */
  readonly onWarning?: ((message: string) => void) | undefined;
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
 * @example
 * const { engine, close } = await openEngine({ storage: "sqlite:./sessions.db" });
 * const { accessToken, refreshToken } = await engine.createSession({ userId });
 * await close();
 */
export const openEngine = async (options: OpenEngineOptions): Promise<OpenedEngine> => {
  const { random = systemRandom, policy, onBackgroundError } = options;
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).toReversed()) await step();
  };
  try {
    const storage = await openOwn(options, closers);
    const source = masterKeySource(options);
    const masterKeys = await (source === undefined
      ? parseMasterKeys(random.bytes(32).toString("base64"))
      : source.isOwnFile
        ? claimMasterKeyFile(source.file, { storage, random })
        : source.read());
    const warning = source?.file === undefined ? undefined : await masterKeyFileWarning(source.file);
    if (warning !== undefined) options.onWarning?.(warning);
    const engine = await createEngine({
      storage,
      masterKeys,
      random,
      readMasterKeys: source?.file === undefined ? undefined : source.read,
      policy,
    });
    closers.push(() => engine.close());
    closers.push(startMaintenance({ engine, onError: onBackgroundError }));
    return { engine, storage, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** The storage, up to date and with its log. */
const openOwn = async (
  { storage: given, clock, revocationLog }: OpenEngineOptions,
  closers: (() => Promise<void>)[],
): Promise<Storage> => {
  const storage = typeof given === "string" ? await openStorage(given, { clock }) : given;
  if (typeof given === "string") closers.push(() => storage.close());
  await storage.migrate();
  if (revocationLog === undefined) return storage;
  const log = await openRevocationLog(revocationLog);
  closers.push(() => log.close());
  await catchUpLog(storage, log);
  return loggedStorage(storage, log);
};
