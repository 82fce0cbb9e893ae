export * from "./event-schemas.js";
export * from "./key-schemas.js";
export * from "./openapi.js";
export * from "./problems.js";
export * from "./routes.js";
export * from "./session-schemas.js";
export { DEFAULT_PAGE_LIMIT } from "./values.js";
