import { type RandomSource, type SessionEngine, systemRandom } from "@pawl/engine";
import { openEngine } from "@pawl/engine/host";
import type { Clock } from "@pawl/storage";
import type { Logger } from "pino";
import type { CoreConfig } from "../config/core-config.js";
import { createCdiDialect } from "../dialects/cdi/cdi-dialect.js";
import { createCdi1Dialect } from "../dialects/cdi-1/cdi-1-dialect.js";
import { createServiceDialect } from "../dialects/service/service-dialect.js";
import { createV1Dialect } from "../dialects/v1/v1-dialect.js";
import { version } from "../version.js";
import { assertGuarded, createAccessControl } from "./access-control.js";
import { createHttpServer } from "./http-server.js";
import { defaultLimits, type Limits } from "./limits.js";
import { createCoreLog } from "./log.js";
import { warningOfThefts } from "./theft-warning.js";

/** What a test or an embedding program may replace. */
export interface StartCoreOptions {
  /** Time of the engine and of a storage that has no clock of its own. */
  readonly clock?: Clock | undefined;
  readonly random?: RandomSource | undefined;
  /** Takes the place of the log files that the configuration names. */
  readonly logger?: Logger | undefined;
  readonly limits?: { readonly [Name in keyof Limits]?: Limits[Name] | undefined } | undefined;
}

/** A listening core. */
export interface RunningCore {
  /** Where it listens; the port is the one taken when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
  readonly engine: SessionEngine;
  /** Reopens the log files and rereads the key files (SIGHUP); key files are also reread every 20 s. */
  reopen(): Promise<void>;
  /**
   * Answers requests in flight, refuses new ones (503), ends the feeds, then closes engine, storage and log. Connections
   * that are not done within the grace period are cut.
   */
  close(): Promise<void>;
}

/**
 * Opens log, storage and engine as configured, and listens.
 * @throws ConfigError, StorageError, EngineError, or a system error (`EADDRINUSE`, `EACCES`) when the core cannot
 * serve; nothing is left open then.
 */
export const startCore = async (config: CoreConfig, options: StartCoreOptions = {}): Promise<RunningCore> => {
  assertGuarded(config);
  const { clock, random = systemRandom } = options;
  const given = Object.entries(options.limits ?? {}).filter(([, limit]) => limit !== undefined);
  const limits: Limits = { ...defaultLimits, ...(Object.fromEntries(given) as Partial<Limits>) };
  const nothing = (): undefined => undefined;
  const log =
    options.logger === undefined ? createCoreLog(config) : { logger: options.logger, reopen: nothing, close: nothing };
  const { logger } = log;
  const closers: (() => void | Promise<void>)[] = [log.close];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close();
  };

  try {
    const opened = await openEngine({
      storage: config.storage,
      policy: config.policy,
      random,
      clock,
      masterKey: config.masterKey,
      masterKeyFile: config.masterKeyFile,
      revocationLog: config.revocationLog,
      onBackgroundError: (error) => logger.error({ err: error }, "background work failed; it is tried again"),
      onWarning: (message) => logger.warn(message),
    });
    closers.push(() => opened.close());
    const { storage } = opened;
    const engine = warningOfThefts(opened.engine, logger);
    const cdi1 = config.cdi1.enabled ? [createCdi1Dialect({ engine, config, random, processId: process.pid })] : [];
    const server = createHttpServer({
      dialects: [
        createServiceDialect({ storage, readyTimeout: limits.readyTimeout }),
        createV1Dialect({ engine, config, version, heartbeat: limits.heartbeat }),
        createCdiDialect({ engine, config, random }),
        ...cdi1,
      ],
      access: createAccessControl(config),
      limits,
      log: logger,
    });
    // "localhost" is what the original listened on: 127.0.0.1, also where the resolver would name ::1 first.
    const host = config.host.toLowerCase() === "localhost" ? "127.0.0.1" : config.host;
    const { port } = await server.listen({ host, port: config.port });
    closers.push(() => server.close());
    logger.info({ host: config.host, port }, "listening");

    const reopen = async (): Promise<void> => {
      log.reopen();
      for (const task of [() => engine.maintainMasterKeys(), () => engine.maintainSigningKeys()])
        await task().catch((error: unknown) => logger.error({ err: error }, "files cannot be reread"));
    };
    let closing: Promise<void> | undefined;
    return {
      address: { host: config.host, port },
      engine,
      reopen,
      close: () => (closing ??= closeAll()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
};
