export * from "./access-token-verifier.js";
export * from "./key-set.js";
export * from "./policy.js";
export * from "./revocation-feed.js";
export * from "./rotation.js";
export * from "./session.js";
export * from "./session-engine.js";
