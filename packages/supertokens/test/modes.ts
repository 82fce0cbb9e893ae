import { startCore } from "@pawl/core";
import type { Policy } from "@pawl/engine";
import { MemoryStorage } from "@pawl/storage";
import { readDuration } from "../src/duration.js";
import { createPawl, type CoreOptions, type EmbeddedOptions, type Pawl } from "../src/index.js";
import { type TestClock, testClock } from "../src/testing.js";
import { coreConfig } from "./core-config.js";

/** What a test says, whichever backend it runs on. */
export interface Rules extends Pick<EmbeddedOptions, "cookies" | "onTokenTheft" | "csrf" | "origins" | "headerMode"> {
  readonly reuseWindow?: string;
  readonly accessTokenValidity?: string;
  readonly refreshTokenValidity?: string;
  readonly theftAction?: Policy["theftAction"];
  readonly enableAntiCsrf?: boolean;
  readonly checkDatabase?: boolean;
  readonly maxSessionsPerUser?: number;
  readonly signingAlgorithm?: Policy["signingAlgorithm"];
  /** With a core alone: the documented API has no such option. */
  readonly deviceBinding?: Policy["deviceBinding"];
}

/** The SDK on one backend. */
export interface Running {
  readonly pawl: Pawl;
  readonly clock: TestClock;
  /** A further instance over the same sessions, as in another process. */
  another(): Promise<Pawl>;
  close(): Promise<void>;
}

export type ModeName = "embedded" | "core";

const MASTER_KEY = Buffer.alloc(32, 7).toString("base64");

const startEmbedded = async (rules: Rules): Promise<Running> => {
  const clock = testClock(Date.UTC(2030, 0, 1));
  const storage = new MemoryStorage({ clock });
  const open = async (): Promise<Pawl> => {
    const pawl = createPawl({
      storage,
      masterKey: MASTER_KEY,
      ...rules,
      cookies: { domain: "localhost", secure: false, sameSite: "lax", ...rules.cookies },
    });
    await pawl.ready();
    return pawl;
  };
  return running(await open(), clock, open, () => storage.close());
};

const startWithCore = async ({
  cookies = {},
  onTokenTheft,
  csrf,
  origins,
  headerMode,
  ...policy
}: Rules): Promise<Running> => {
  const clock = testClock(Date.UTC(2030, 0, 1));
  const { reuseWindow, accessTokenValidity, refreshTokenValidity, ...others } = policy;
  const durations = Object.entries({ reuseWindow, accessTokenValidity, refreshTokenValidity })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, readDuration(name, value as string)]);
  const core = await startCore(coreConfig({ ...others, ...Object.fromEntries(durations) }), { clock });
  const options: CoreOptions = {
    core: [{ hostname: core.address.host, port: core.address.port }],
    clock,
    cookies: { sameSite: "lax", ...cookies },
    ...(csrf === undefined ? {} : { csrf }),
    ...(origins === undefined ? {} : { origins }),
    ...(headerMode === undefined ? {} : { headerMode }),
    ...(onTokenTheft === undefined ? {} : { onTokenTheft }),
  };
  const open = async (): Promise<Pawl> => {
    const pawl = createPawl(options);
    await pawl.ready();
    return pawl;
  };
  return running(await open(), clock, open, () => core.close());
};

const running = (
  pawl: Pawl,
  clock: TestClock,
  open: () => Promise<Pawl>,
  closeBackend: () => Promise<void>,
): Running => {
  const instances = [pawl];
  return {
    pawl,
    clock,
    async another() {
      const instance = await open();
      instances.push(instance);
      return instance;
    },
    async close() {
      for (const instance of instances) await instance.close();
      await closeBackend();
    },
  };
};

/** Both ways the SDK runs; a suite over them says the same of each. */
export const modes: readonly { readonly name: ModeName; start(rules?: Rules): Promise<Running> }[] = [
  { name: "embedded", start: (rules = {}) => startEmbedded(rules) },
  { name: "core", start: (rules = {}) => startWithCore(rules) },
];
