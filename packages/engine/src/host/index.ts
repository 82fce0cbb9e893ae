export { catchUpLog, loggedStorage } from "./logged-storage.js";
export {
  type LoggedRevocation,
  openRevocationLog,
  parseLoggedRevocation,
  type RevocationLog,
} from "./revocation-log.js";
export { openEngine, type OpenedEngine, type OpenEngineOptions } from "./open-engine.js";
export { type MaintenanceOptions, type Schedule, startMaintenance } from "./maintenance.js";
export {
  addToMasterKeyFile,
  claimMasterKeyFile,
  masterKeyFileWarning,
  removeFromMasterKeyFile,
} from "./master-key-file.js";
export { type GivenMasterKeys, type MasterKeySource, masterKeySource } from "./master-key-source.js";
