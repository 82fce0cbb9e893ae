import { type RandomSource, type SessionEngine, systemRandom } from "@pawl/engine";
import { openEngine } from "@pawl/engine/host";
import type { ReceiveLogout } from "@pawl/engine/identity-provider";
import { createWebhooks } from "@pawl/engine/webhooks";
import type { Clock } from "@pawl/storage";
import type { Logger } from "pino";
import type { CoreConfig } from "../config/core-config.js";
import { createCdiDialect } from "../dialects/cdi/cdi-dialect.js";
import { createCdi1Dialect } from "../dialects/cdi-1/cdi-1-dialect.js";
import { createDashboardAccess } from "../dialects/dashboard/dashboard-access.js";
import { createDashboardDialect } from "../dialects/dashboard/dashboard-dialect.js";
import { createGatewayDialect } from "../dialects/gateway/gateway-dialect.js";
import { createOAuthDialect } from "../dialects/oauth/oauth-dialect.js";
import { createMetricsDialect } from "../dialects/service/metrics-dialect.js";
import { createServiceDialect } from "../dialects/service/service-dialect.js";
import { createV1Dialect } from "../dialects/v1/v1-dialect.js";
import { createPrometheus, type Prometheus } from "../telemetry/prometheus.js";
import { version } from "../version.js";
import { assertGuarded, createAccessControl } from "./access-control.js";
import { createHttpServer } from "./http-server.js";
import { defaultLimits, type Limits } from "./limits.js";
import { createCoreLog } from "./log.js";
import { createNodes } from "./nodes.js";
import { auditPolicy } from "./policy-change.js";
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
  /** The port of the metrics alone, where one is configured. */
  readonly metricsPort?: number;
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
    const prometheus = createPrometheus();
    const { telemetry } = prometheus;
    closers.push(() => telemetry.close());
    const opened = await openEngine({
      telemetry,
      storage: config.storage,
      policy: config.policy,
      random,
      clock,
      masterKey: config.masterKey,
      masterKeyFile: config.masterKeyFile,
      revocationLog: config.revocationLog,
      webhooks: config.webhooks,
      onBackgroundError: (error) => logger.error({ err: error }, "background work failed; it is tried again"),
      onWarning: (message) => logger.warn(message),
      onChangesLost: (count) => logger.warn({ count }, "the store has lost changes of sessions, as at a failover"),
    });
    closers.push(() => opened.close());
    const { storage } = opened;
    const engine = warningOfThefts(opened.engine, logger);
    await auditPolicy(storage, opened.engine.policy);
    const webhooks = createWebhooks(storage, config.webhooks);
    let receiver: Promise<ReceiveLogout> | undefined;
    // Loaded where it is wanted, with the library that verifies what others have signed.
    const loadReceiver = async (): Promise<ReceiveLogout> =>
      (await import("@pawl/engine/identity-provider")).createLogoutReceiver({
        engine,
        providers: config.identityProviders,
      });
    const receiveLogout: ReceiveLogout = async (logoutToken) => (await (receiver ??= loadReceiver()))(logoutToken);
    const cdi1 = config.cdi1.enabled ? [createCdi1Dialect({ engine, config, random, processId: process.pid })] : [];
    const dashboard = config.dashboard ? createDashboardAccess(storage, random) : undefined;
    const nodes = createNodes(engine, {
      version,
      onError: (error) => logger.warn({ err: error }, "this node cannot say that it is there; it tries again"),
    });
    const v1 = createV1Dialect({ engine, webhooks, config, nodes, dashboard, version, heartbeat: limits.heartbeat });
    const server = createHttpServer({
      dialects: [
        createServiceDialect({ storage, readyTimeout: limits.readyTimeout }),
        createMetricsDialect(prometheus, "verifier"),
        v1,
        ...(dashboard === undefined ? [] : [await dashboardOver({ access: dashboard, storage, v1 })]),
        createOAuthDialect({ engine, config, receiveLogout, log: logger }),
        createGatewayDialect({ engine }),
        createCdiDialect({ engine, config, random }),
        ...cdi1,
      ],
      access: createAccessControl(config),
      limits,
      log: logger,
      telemetry,
    });
    // "localhost" is what the original listened on: 127.0.0.1, also where the resolver would name ::1 first.
    const host = config.host.toLowerCase() === "localhost" ? "127.0.0.1" : config.host;
    const { port } = await server.listen({ host, port: config.port });
    closers.push(() => server.close());
    await nodes.join(port);
    closers.push(() => nodes.leave());
    logger.info({ host: config.host, port }, "listening");
    const metricsPort = await listenForMetrics(config, { prometheus, host, limits, logger, closers });

    const reopen = async (): Promise<void> => {
      log.reopen();
      for (const task of [() => engine.maintainMasterKeys(), () => engine.maintainSigningKeys()])
        await task().catch((error: unknown) => logger.error({ err: error }, "files cannot be reread"));
    };
    let closing: Promise<void> | undefined;
    return {
      address: { host: config.host, port },
      ...(metricsPort === undefined ? {} : { metricsPort }),
      engine,
      reopen,
      close: () => (closing ??= closeAll()),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
};

/** The dashboard, whose files are read where it is wanted. */
const dashboardOver = async (
  options: Omit<Parameters<typeof createDashboardDialect>[0], "files">,
): Promise<ReturnType<typeof createDashboardDialect>> => {
  const { readDashboardFiles } = await import("@pawl/dashboard");
  return createDashboardDialect({ ...options, files: await readDashboardFiles() });
};

/** Serves the metrics on a port of their own, to whoever reaches it: no key, and nothing else to ask for. */
const listenForMetrics = async (
  config: CoreConfig,
  {
    prometheus,
    host,
    limits,
    logger,
    closers,
  }: {
    readonly prometheus: Prometheus;
    readonly host: string;
    readonly limits: Limits;
    readonly logger: Logger;
    readonly closers: (() => void | Promise<void>)[];
  },
): Promise<number | undefined> => {
  if (config.metricsPort === undefined) return undefined;
  const server = createHttpServer({
    dialects: [createMetricsDialect(prometheus, "open")],
    access: createAccessControl(config),
    limits,
    log: logger,
    telemetry: prometheus.telemetry,
  });
  const { port } = await server.listen({ host, port: config.metricsPort });
  closers.push(() => server.close());
  logger.info({ host: config.host, port }, "listening for readers of metrics");
  return port;
};
