/** @import { SessionId, TenantId, UserId } from "@pawl/storage" */

export const userId = (/** @type {string} */ name) => /** @type {UserId} */ (name);
export const tenantId = (/** @type {string} */ name) => /** @type {TenantId} */ (name);
export const sessionId = (/** @type {string} */ text) => /** @type {SessionId} */ (text);
