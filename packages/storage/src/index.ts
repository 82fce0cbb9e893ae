export * from "./clock.js";
export * from "./errors.js";
export * from "./identifiers.js";
export * from "./memory-storage.js";
export * from "./open-storage.js";
export * from "./records.js";
export * from "./storage.js";
