import { defaultPolicy, type Policy } from "@pawl/engine";
import type { CoreConfig } from "@pawl/core";

/** A core on memory and a free port of the loopback, for the SDK's tests. */
export const coreConfig = (policy: Partial<Policy> = {}, changes: Partial<CoreConfig> = {}): CoreConfig => ({
  mode: "DEV",
  host: "127.0.0.1",
  port: 0,
  storage: "memory:",
  policy: { ...defaultPolicy, ...policy },
  keyKind: "dynamic",
  cdiSigningAlgorithm: "RS256",
  cookies: { domain: "localhost", secure: false, accessTokenPath: "/", refreshApiPath: "/session/refresh" },
  cdiVerifyKnows: false,
  cdi1: { enabled: false, withoutKey: false, keyKind: "static" },
  apiKeys: [],
  ipAllow: [],
  logLevel: "none",
  maxServerPoolSize: 10,
  ...changes,
});
