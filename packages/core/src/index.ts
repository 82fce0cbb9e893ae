export type { CoreConfig } from "./config/core-config.js";
export { startCore, type RunningCore, type StartCoreOptions } from "./server/start-core.js";
