export { callHook, createWarnings, type WarnOnce, warnOf } from "../application-hook.js";
export { type CoreHost, coreUrl } from "./core/core-url.js";
export { EMBEDDED_COOKIES } from "./embedded-backend.js";
export { openBackend } from "./open-backend.js";
export type * from "./session-backend.js";
export { UseReports } from "./use-reports.js";
