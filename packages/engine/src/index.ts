export * from "./verification/access-token-verifier.js";
export {
  type KeySet,
  type PublicJwk,
  type PublicSigningKey,
  type SigningKeyInformation,
  verificationKeysFromJwks,
} from "./keys/key-set.js";
export {
  activityInterval,
  defaultPolicy,
  type Policy,
  policyLimits,
  type PolicyPreset,
  policyPresets,
  type PolicyRules,
  policyWith,
  refreshTokenValidityFloor,
  type TheftAction,
} from "./policy.js";
export type { Changed, ChangedPage, ChangeFeed } from "./revocation/change-feed.js";
export type { ToldSession } from "./revocation/session-marks.js";
export type { RevocationFeed, Revoked, RevokedPage } from "./revocation/revocation-feed.js";
export * from "./session.js";
export * from "./session-engine.js";
export { createEngine, type EngineOptions } from "./engine.js";
export { handleOf, parseHandle } from "./session-handle.js";
export { forgetActing } from "./sessions/acting.js";
export {
  checkNewUserId,
  checkTenantId,
  checkUserIdText,
  dataText,
  MAX_USER_ID_BYTES,
  payloadText,
} from "./sessions/session-input.js";
export { formatDuration, parseDuration } from "./duration.js";
export * from "./errors.js";
export { adminEvent } from "./events.js";
export type { Tenant, Tenants } from "./sessions/tenants.js";
export type { JwtInput } from "./tokens/application-jwt.js";
export { accessTokenFormats } from "./tokens/access-token.js";
export type { AccessTokenFormat } from "./tokens/access-token-format.js";
export type { VerificationKey } from "./tokens/jwt.js";
export { type MasterKey, parseMasterKeys } from "./keys/master-key.js";
export { addMasterKeyNeeds, listMasterKeyNeeds, type MasterKeyNeed } from "./keys/master-key-facts.js";
export {
  listMasterKeys,
  type MasterKeyInformation,
  type MasterKeyRotation,
  removeMasterKey,
  rotateMasterKey,
} from "./keys/master-key-rotation.js";
export { type RandomSource, randomUuid, systemRandom } from "./random.js";
export { SIGNING_KEY_LEAD } from "./keys/signing-keys.js";
export { createTheftReports } from "./theft-reports.js";
export { createTwoGenerations, type TwoGenerations } from "./two-generations.js";
