export { CheckedStorage } from "../checked-storage.js";
export * from "./call-batch.js";
export * from "./event-position.js";
export * from "./history-page.js";
export * from "./page.js";
export * from "./schema-version.js";
export * from "./sql-rows.js";
export * from "./sweep.js";
export * from "./wake-listeners.js";
