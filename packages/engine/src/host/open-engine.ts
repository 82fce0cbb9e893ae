import { type Clock, openStorage, type Storage } from "@pawl/storage";
import { createEngine, type EngineOptions } from "../engine.js";
import { catchUpLog, loggedStorage } from "./logged-storage.js";
import { startMaintenance } from "./maintenance.js";
import type { Webhook } from "../webhooks/webhook.js";
import { claimMasterKeyFile, masterKeyFileWarning } from "./master-key-file.js";
import { type GivenMasterKeys, masterKeySource } from "./master-key-source.js";
import { parseMasterKeys } from "../keys/master-key.js";
import type { PolicyRules } from "../policy.js";
import { openRevocationLog } from "./revocation-log.js";
import { EngineError } from "../errors.js";
import { destinationsOf } from "../webhooks/webhook.js";
import { type RandomSource, systemRandom } from "../random.js";
import type { SessionEngine } from "../session-engine.js";
import { measuredEngine } from "../telemetry/measured-engine.js";
import { measuredStorage } from "../telemetry/measured-storage.js";
import type { Telemetry } from "../telemetry/telemetry.js";

/** A storage that is already open stays its owner's to close. */
export interface OpenEngineOptions extends GivenMasterKeys {
  /** File to which each end of a session is written before it is acknowledged; see `openRevocationLog`. */
  readonly revocationLog?: string | undefined;
  readonly policy?: PolicyRules | undefined;
  /** Replaces the time of a storage that is opened here; tests move it. */
  readonly clock?: Clock | undefined;
  readonly random?: RandomSource | undefined;
  /** Where events are delivered to, at least once. Every process of a store has to say the same. */
  readonly webhooks?: readonly Webhook[] | undefined;
  /** Called with what goes wrong in the background: keys that cannot be renewed, rows that cannot be deleted. */
  readonly onBackgroundError?: ((error: unknown) => void) | undefined;
  /** Called at the start with what works but is unsafe: a master key file that every user of the machine can read. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Is told what the engine and its storage do, and how long it takes; see `createTelemetry`. */
  readonly telemetry?: Telemetry | undefined;
  /** As `EngineOptions.onChangesLost`. */
  readonly onChangesLost?: EngineOptions["onChangesLost"];
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
  const { random = systemRandom, policy, webhooks = [], onBackgroundError, telemetry } = options;
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
      onChangesLost: options.onChangesLost,
    });
    closers.push(() => engine.close());
    closers.push(startMaintenance({ engine, onError: onBackgroundError }));
    if (webhooks.length > 0) closers.push(await deliver(storage, webhooks, onBackgroundError));
    return { engine: telemetry === undefined ? engine : measuredEngine(engine, telemetry), storage, close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Loaded where it is wanted, with the clients that it needs. @returns stop. */
const deliver = async (
  storage: Storage,
  webhooks: readonly Webhook[],
  onError: (error: unknown) => void = () => undefined,
): Promise<() => Promise<void>> => {
  const [{ createDeliveries }, { startDeliveries }] = await Promise.all([
    import("../webhooks/deliveries.js"),
    import("./start-deliveries.js"),
  ]);
  return startDeliveries(createDeliveries({ storage, webhooks, onError }), { storage, onError });
};

/** The storage, up to date and with its log. */
const openOwn = async (
  { storage: given, clock, revocationLog, webhooks = [], telemetry }: OpenEngineOptions,
  closers: (() => Promise<void>)[],
): Promise<Storage> => {
  if (webhooks.length > 0 && typeof given !== "string")
    throw new EngineError(
      "invalid_input",
      "webhooks need a storage that is given as a URL: it puts their events aside",
    );
  const outbox = destinationsOf(webhooks);
  const opened = typeof given === "string" ? await openStorage(given, { clock, outbox }) : given;
  if (typeof given === "string") closers.push(() => opened.close());
  const storage = telemetry === undefined ? opened : measuredStorage(opened, telemetry);
  await storage.migrate();
  if (revocationLog === undefined) return storage;
  const log = await openRevocationLog(revocationLog);
  closers.push(() => log.close());
  await catchUpLog(storage, log);
  return loggedStorage(storage, log);
};
