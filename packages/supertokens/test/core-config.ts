import { defaultPolicy, type Policy } from "@pawl/engine";
import { type CoreConfig, readConfig } from "@pawl/core";

/** A core on memory and a free port of the loopback, for the SDK's tests. */
export const coreConfig = (policy: Partial<Policy> = {}, changes: Partial<CoreConfig> = {}): CoreConfig => ({
  ...readConfig({ env: {}, cwd: import.meta.dirname }),
  host: "127.0.0.1",
  port: 0,
  storage: "memory:",
  policy: { ...defaultPolicy, ...policy },
  cookies: { domain: "localhost", secure: false, accessTokenPath: "/", refreshApiPath: "/session/refresh" },
  logLevel: "none",
  ...changes,
});
