import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPolicy, type Policy } from "@pawl/engine";
import { type Clock, millis } from "@pawl/storage";
import { Client } from "undici";
import { afterAll, onTestFinished } from "vitest";
import type { CoreConfig } from "../src/config/core-config.js";
import { type RunningCore, startCore, type StartCoreOptions } from "../src/server/start-core.js";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into answers of every shape
  readonly json: any;
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON with its content type; a text or bytes as they are, without one. */
  readonly body?: unknown;
}

export interface ListeningCore extends RunningCore {
  readonly port: number;
  send(method: string, path: string, sending?: Sending): Promise<Answer>;
  /** A connection of one's own, for what no HTTP client would send. */
  connect(): Socket;
}

export interface TestConfig extends Omit<Partial<CoreConfig>, "policy"> {
  readonly policy?: Partial<Policy>;
}

/** A configuration of the core: memory storage on a free port, errors alone are logged. */
export const testConfig = ({ policy, ...config }: TestConfig = {}): CoreConfig => ({
  mode: "DEV",
  host: "localhost",
  port: 0,
  dashboard: false,
  storage: "memory:",
  policy: { ...defaultPolicy, ...policy },
  keyKind: "dynamic",
  cdiSigningAlgorithm: "RS256",
  cookies: { domain: "localhost", secure: false, accessTokenPath: "/", refreshApiPath: "/session/refresh" },
  cdiVerifyKnows: false,
  cdi1: { enabled: true, withoutKey: false, keyKind: "static" },
  apiKeys: [],
  verifierApiKeys: [],
  identityProviders: [],
  webhooks: [],
  ipAllow: [],
  logLevel: "error",
  maxServerPoolSize: 10,
  settings: [],
  ...config,
});

/** Starts a core that is closed after the test. */
export const listen = async (config: TestConfig = {}, options: StartCoreOptions = {}): Promise<ListeningCore> => {
  const { core, stop } = await start(config, options);
  onTestFinished(stop);
  return core;
};

let shared: ReturnType<typeof start> | undefined;
afterAll(async () => (await shared)?.stop());

/** The one core with default settings of a test file; its sessions and keys stay from test to test. */
export const sharedCore = async (): Promise<ListeningCore> => (await (shared ??= start({}, {}))).core;

const start = async (
  config: TestConfig,
  options: StartCoreOptions,
): Promise<{ readonly core: ListeningCore; readonly stop: () => Promise<void> }> => {
  const core = await startCore(testConfig(config), options);
  const { port } = core.address;
  const client = new Client(`http://127.0.0.1:${port}`, { pipelining: 1 });
  const stop = async (): Promise<void> => {
    await client.destroy();
    await core.close();
  };
  const listening: ListeningCore = {
    ...core,
    port,
    async send(method, path, { headers = {}, body } = {}) {
      const plain = body === undefined || typeof body === "string" || body instanceof Uint8Array;
      const { statusCode, ...answer } = await client.request({
        method,
        path,
        headers: plain ? headers : { "content-type": "application/json", ...headers },
        body: plain ? (body ?? null) : JSON.stringify(body),
      });
      const text = await answer.body.text();
      return {
        status: statusCode,
        headers: answer.headers,
        text,
        get json() {
          return JSON.parse(text);
        },
      };
    },
    connect() {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("error", () => undefined);
      onTestFinished(() => void socket.destroy());
      return socket;
    },
  };
  return { core: listening, stop };
};

/** A folder that is deleted after the test. */
export const testFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-core-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
};

/** A clock that stands until it is moved. */
export const movableClock = (start = 1_700_000_000_000): Clock & { move(by: number): void } => {
  let now = start;
  return {
    now: () => millis(now),
    move(by) {
      now += by;
    },
  };
};
