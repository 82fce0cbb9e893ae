export * from "./access-token-verifier.js";
export * from "./key-set.js";
export * from "./policy.js";
export { policyWith } from "./policy-rules.js";
export type { RevocationFeed, Revoked, RevokedPage } from "./revocation-feed.js";
export * from "./rotation.js";
export * from "./session.js";
export * from "./session-engine.js";
export { createEngine, type EngineOptions } from "./engine.js";
export { catchUpLog, loggedStorage } from "./logged-storage.js";
export {
  type LoggedRevocation,
  openRevocationLog,
  parseLoggedRevocation,
  type RevocationLog,
} from "./revocation-log.js";
export { openEngine, type OpenedEngine, type OpenEngineOptions } from "./open-engine.js";
export { type MaintenanceOptions, type Schedule, startMaintenance } from "./maintenance.js";
export { handleOf, isTenantId, parseHandle } from "./session-handle.js";
export { MAX_DATA_BYTES, MAX_PAYLOAD_BYTES, MAX_USER_ID_BYTES } from "./session-input.js";
export { formatDuration, parseDuration } from "./duration.js";
export * from "./errors.js";
export { adminEvent } from "./events.js";
export type { Tenant, Tenants } from "./tenants.js";
export type { JwtInput } from "./application-jwt.js";
export { accessTokenFormats } from "./access-token.js";
export type { AccessTokenFormat } from "./access-token-format.js";
export type { VerificationKey } from "./jwt.js";
export { type MasterKey, parseMasterKeys } from "./master-key.js";
export { addMasterKeyNeeds, listMasterKeyNeeds, type MasterKeyNeed } from "./master-key-facts.js";
export { addToMasterKeyFile, removeFromMasterKeyFile } from "./master-key-file.js";
export {
  listMasterKeys,
  type MasterKeyInformation,
  type MasterKeyRotation,
  removeMasterKey,
  rotateMasterKey,
} from "./master-key-rotation.js";
export { type GivenMasterKeys, type MasterKeySource, masterKeySource } from "./master-key-source.js";
export { createRandomPool, type RandomSource, randomUuid, systemRandom } from "./random.js";
export { SIGNING_KEY_LEAD } from "./signing-keys.js";
