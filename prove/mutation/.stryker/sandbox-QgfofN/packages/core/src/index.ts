export type { CoreConfig } from "./config/core-config.js";
export { type ConfigInput, readConfig } from "./config/read-config.js";
export { startCore, type RunningCore, type StartCoreOptions } from "./server/start-core.js";
