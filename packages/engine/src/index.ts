export * from "./verification/access-token-verifier.js";
export { isForeign, type Verified, verifyBest } from "./verification/verified-tokens.js";
export {
  type KeySet,
  type PublicJwk,
  type PublicSigningKey,
  type SigningKeyInformation,
  verificationKeysFromJwks,
} from "./keys/key-set.js";
export {
  accessTokenLife,
  activityInterval,
  defaultPolicy,
  type DeviceBinding,
  LEAST_BOUND_LIFE,
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
export type { BindOutcome, BindSessionInput } from "./binding/binding.js";
export * from "./session.js";
export type { AdoptSessionInput, FormerSession } from "./sessions/former-session.js";
export type { CountName } from "./counts/counts.js";
export type { Count, CountRange } from "./counts/list-counts.js";
export type { LiveSessions } from "./counts/live-count.js";
export * from "./session-engine.js";
export { createEngine, type EngineOptions } from "./engine.js";
export { handleOf, parseHandle } from "./session-handle.js";
export { eraseUser } from "./sessions/erasure.js";
export { providerLoginOf } from "./sessions/provider-login.js";
export {
  checkFormer,
  checkNewUserId,
  checkTenantId,
  checkUserIdText,
  dataText,
  MAX_USER_ID_BYTES,
  payloadText,
} from "./sessions/session-input.js";
export { type IdentityProvider, isIdentityProvider, PROVIDER_FORM } from "./identity-provider/identity-provider.js";
export {
  areWebhooks,
  destinationsOf,
  isWebhook,
  type Webhook,
  WEBHOOK_FORM,
  webhookEvents,
} from "./webhooks/webhook.js";
export { formatDuration, parseDuration } from "./duration.js";
export * from "./errors.js";
export { adminEvent } from "./events.js";
export { replaceFact } from "./fact.js";
export type { Tenant, Tenants } from "./sessions/tenants.js";
export type { JwtInput } from "./tokens/application-jwt.js";
export { accessTokenFormatOf, accessTokenFormats } from "./tokens/access-token.js";
export { type AudienceRule, audienceRuleOf, issuerFault, oauthClaims } from "./tokens/audience-rule.js";
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
export { addImportedCores, claimImportedCore, type ImportedCore, listImportedCores } from "./imported/imported-core.js";
export { importedSession, type OriginalSession } from "./imported/imported-session.js";
export { type RandomSource, randomUuid, systemRandom } from "./random.js";
export { SIGNING_KEY_LEAD } from "./keys/signing-keys.js";
export { createLossReports } from "./loss-reports.js";
export { createTheftReports } from "./theft-reports.js";
export { createUseNotes, type SeenUse } from "./use-notes.js";
export { createTwoGenerations, type TwoGenerations } from "./two-generations.js";
