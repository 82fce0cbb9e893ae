import { type CoreConfig, readConfig, type RunningCore, startCore } from "@pawl/core";
import { defaultPolicy, type Policy } from "@pawl/engine";
import { type Clock, type Millis, millis } from "@pawl/storage";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The machine's clock, moved by what a test says: the SDK under test reads the machine's own. */
export class MovedClock implements Clock {
  #offset = 0;
  now(): Millis {
    return millis(Date.now() + this.#offset);
  }
  advance(by: number): void {
    this.#offset += by;
  }
}

/** The time at which it was made, moved by what a test says: for tests whose client has no clock. */
export class StandingClock extends MovedClock {
  readonly #start = Date.now();
  #moved = 0;
  override now(): Millis {
    return millis(this.#start + this.#moved);
  }
  override advance(by: number): void {
    this.#moved += by;
  }
}

export interface TestCore extends RunningCore {
  readonly clock: MovedClock;
  readonly url: string;
  readonly host: { readonly hostname: string; readonly port: number };
}

export interface TestCoreOptions {
  readonly policy?: Partial<Policy>;
  readonly config?: Partial<CoreConfig>;
  /** An existing data folder, to start again on the same sessions. */
  readonly folder?: string;
  readonly clock?: MovedClock;
}

/** Starts a core on SQLite in a folder of its own, on a free port, with the documented defaults unless told otherwise. */
export const startTestCore = async (options: TestCoreOptions = {}): Promise<TestCore> => {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "pawl-e2e-"));
  const clock = options.clock ?? new MovedClock();
  const core = await startCore(
    {
      ...readConfig({ env: {}, cwd: folder }),
      host: "127.0.0.1",
      port: 0,
      storage: `sqlite:${join(folder, "sessions.db")}`,
      policy: { ...defaultPolicy, ...options.policy },
      cookies: { domain: "localhost", secure: false, accessTokenPath: "/", refreshApiPath: "/session/refresh" },
      logLevel: "none",
      ...options.config,
    },
    { clock },
  );
  const { host: hostname, port } = core.address;
  return {
    ...core,
    clock,
    url: `http://${hostname}:${port}`,
    host: { hostname, port },
    close: async () => {
      await core.close();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** The documented sequences that refresh at once run without a reuse window, and leave a theft to the application. */
export const atOnce: TestCoreOptions = {
  policy: { reuseWindow: millis(0), theftAction: "report" },
};

/** Both ways to run what refreshes: the documented sequences as they stand, and what is expected with our defaults. */
export const bothSettings = [
  { settings: "window 0, report", options: atOnce },
  { settings: "the defaults", options: {} as TestCoreOptions },
] as const;
