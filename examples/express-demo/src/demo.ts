import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { readConfig, startCore } from "@pawl/core";
import { createPawl, type Pawl } from "@pawl/node";
import type { Payload } from "./application.js";
import { browserFlags, type Certificate, makeCertificate } from "./certificate.js";
import { choosePort, listenOnLoopback } from "./loopback.js";
import type { DemoOptions } from "./options.js";
import { createWebServer } from "./web-server.js";

/** A demo that runs. */
export interface RunningDemo {
  readonly url: string;
  /** Where the core listens; absent in embedded mode. */
  readonly coreUrl?: string | undefined;
  /** How a browser is started that trusts the demo's certificate; absent over plain http. */
  readonly browserFlags?: readonly string[] | undefined;
  /** What the user should know: ports that were not the usual ones. */
  readonly notices: readonly string[];
  /** Ends application, SDK and core, in this order. */
  close(): Promise<void>;
}

interface Backend {
  readonly pawl: Pawl<Payload>;
  readonly description: string;
  readonly coreUrl?: string | undefined;
  close(): Promise<void>;
}

const idleMinutes = 30;

/** Starts core (unless embedded) and application. @throws Error when a port asked for is taken, or the folder cannot be written */
export const startDemo = async (options: DemoOptions): Promise<RunningDemo> => {
  const notices: string[] = [];
  const portFor = async (chosen: number | undefined, usual: number, whose: string): Promise<number> => {
    if (chosen !== undefined) return chosen;
    const { port, moved } = await choosePort(usual);
    if (moved) notices.push(`Port ${usual} is taken, the ${whose} listens on ${port}`);
    return port;
  };

  await mkdir(options.data, { recursive: true });
  const certificate: Certificate | undefined = options.https ? makeCertificate(options.data) : undefined;
  const backend =
    options.mode === "embedded"
      ? openEmbedded(options)
      : await openWithCore(options, await portFor(options.corePort, 3567, "core"));
  try {
    const app = createWebServer({
      pawl: backend.pawl,
      settings: {
        mode: options.mode,
        backend: backend.description,
        https: options.https,
        accessLifetime: options.accessLifetime,
        reuseWindow: options.reuseWindow,
        idleMinutes,
      },
      certificate: certificate?.cert,
    });
    await backend.pawl.ready();
    const server = await listenOnLoopback(app, await portFor(options.port, 3000, "application"), certificate);
    return {
      url: `${options.https ? "https" : "http"}://localhost:${server.port}`,
      browserFlags: certificate && browserFlags(certificate, resolve(options.data, "browser")),
      coreUrl: backend.coreUrl,
      notices,
      async close() {
        await server.close();
        await backend.close();
      },
    };
  } catch (error) {
    await backend.close();
    throw error;
  }
};

/** The engine in this process, on a SQLite file. */
const openEmbedded = ({ data, accessLifetime, reuseWindow, https }: DemoOptions): Backend => {
  const pawl = createPawl<Payload>({
    storage: `sqlite:${resolve(data, "embedded.db")}`,
    accessTokenValidity: `${accessLifetime}s`,
    reuseWindow: `${reuseWindow}s`,
    idleTimeout: `${idleMinutes}m`,
    deviceBinding: https ? "prefer" : "off",
  });
  return { pawl, description: "the engine runs in the application, sessions in SQLite", close: () => pawl.close() };
};

/** A core as a service of its own: the same as `pawl start` with these keys. The application knows only its address. */
const openWithCore = async (options: DemoOptions, port: number): Promise<Backend> => {
  const core = await startCore(
    readConfig({
      cwd: options.data,
      env: {
        PAWL_PORT: String(port),
        PAWL_STORAGE: "sqlite:./core.db",
        PAWL_ACCESS_TOKEN_VALIDITY: String(options.accessLifetime),
        PAWL_REFRESH_TOKEN_REUSE_WINDOW: String(options.reuseWindow),
        PAWL_SESSION_IDLE_TIMEOUT: `${idleMinutes}m`,
        PAWL_DEVICE_BINDING: options.https ? "prefer" : "off",
        PAWL_LOG_LEVEL: "warn",
      },
    }),
  );
  const coreUrl = `http://localhost:${core.address.port}`;
  const pawl = createPawl<Payload>({ core: [coreUrl] });
  return {
    pawl,
    coreUrl,
    description: `core at ${coreUrl}, sessions in SQLite`,
    async close() {
      await pawl.close();
      await core.close();
    },
  };
};
