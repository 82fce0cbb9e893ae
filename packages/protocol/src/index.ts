export * from "./openapi.js";
export * from "./problems.js";
export * from "./routes.js";
export * from "./schemas.js";
export * from "./validator.js";
