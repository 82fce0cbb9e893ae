export * from "./openapi.js";
export * from "./problems.js";
export * from "./routes.js";
export { DEFAULT_PAGE_LIMIT } from "./schemas.js";
