export { callHook, createWarnings, type WarnOnce, warnOf } from "../application-hook.js";
export type { CoreHost } from "./core/core-url.js";
export { EMBEDDED_COOKIES } from "./embedded-backend.js";
export { openBackend } from "./open-backend.js";
export type * from "./session-backend.js";
export {
  checkOptions,
  type Duration,
  flag,
  group,
  hook,
  list,
  objectWith,
  oneOf,
  type Option,
  type OptionsOf,
  text,
  unshown,
  type WithRequired,
} from "../options/option.js";
export {
  checkBackendOptions,
  clientTable,
  coreDurations,
  engineTable,
  originList,
  policyOf,
} from "../options/backend-options.js";
export { isForeign, verifyBest } from "@pawl/engine";
export { UseReports } from "./use-reports.js";
export type { SessionEvent } from "./operation.js";
