import type { RandomSource, SessionEngine } from "@pawl/engine";
import type { Clock } from "@pawl/storage";
import type { Logger } from "pino";
import type { CoreConfig } from "../config/core-config.js";

/** What a test or an embedding program may replace. */
export interface StartCoreOptions {
  /** Time of the engine and of a storage that has no clock of its own. */
  readonly clock?: Clock;
  readonly random?: RandomSource;
  /** Takes the place of the log files that the configuration names. */
  readonly logger?: Logger;
}

/** A listening core. */
export interface RunningCore {
  /** Where it listens; the port is the one taken when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
  readonly engine: SessionEngine;
  /**
   * Answers what is in flight, refuses what is new (503), ends the feeds, then lets go of engine, storage and log.
   * Connections that are not done within the grace period are cut.
   */
  close(): Promise<void>;
}

/**
 * Opens storage and engine as configured, and listens.
 * @throws CoreError, StorageError or EngineError when the core cannot serve; nothing is left open then.
 */
export const startCore = async (_config: CoreConfig, _options: StartCoreOptions = {}): Promise<RunningCore> => {
  throw new Error("not written yet");
};
