import {
  PUBLIC_TENANT,
  type RevocationCause,
  type RevocationSelector,
  type SessionId,
  type SessionReference,
  type Storage,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { EngineError } from "../errors.js";
import type { RevocationMarks } from "./revocation-feed.js";
import type { SessionEngine } from "../session-engine.js";
import { parseHandle } from "../session-handle.js";
import { readAllPages } from "../all-pages.js";
import { checkCause, checkTenantId, checkUserIdText } from "../sessions/session-input.js";
import type { SessionHandle } from "../session.js";

/** The ways to end sessions on purpose. The local verifier refuses them before the promise resolves. */
export const createRevocation = ({
  storage,
  marks,
}: {
  readonly storage: Storage;
  readonly marks: RevocationMarks;
}): Pick<SessionEngine, "revokeSessions" | "revokeAllForUser" | "revokeTenant"> => {
  const end = async (selector: RevocationSelector, cause: RevocationCause): Promise<readonly SessionHandle[]> =>
    marks.mark(await storage.revokeSessions(selector, cause), storage.now());

  /** The tenants in which a user has live sessions; always `public`, and first. */
  const tenantsOf = async (userId: UserId): Promise<readonly TenantId[]> => {
    const references = await readAllPages((page) => storage.listSessionReferences({ userId }, page));
    return [...new Set([PUBLIC_TENANT, ...references.map(({ tenantId }) => tenantId)])];
  };

  return {
    async revokeSessions(handles, given) {
      const cause = checkCause(given);
      const idsByTenant = new Map<TenantId, Set<SessionId>>();
      for (const handle of handles) {
        const session = parseHandle(handle);
        if (session === undefined) continue;
        const ids = idsByTenant.get(session.tenantId) ?? new Set();
        idsByTenant.set(session.tenantId, ids.add(session.id));
      }
      const ended: SessionHandle[] = [];
      for (const [tenantId, ids] of idsByTenant)
        ended.push(...(await end({ kind: "ids", ids: [...ids], tenantId }, cause)));
      return ended;
    },

    async revokeAllForUser({ userId, tenantId, acrossTenants, except }, given) {
      const cause = checkCause(given);
      checkUserIdText(userId);
      const tenants = acrossTenants === true ? await tenantsOf(userId) : [checkTenantId(tenantId)];
      const kept = except === undefined ? undefined : exempted(except, tenants);
      const ended: SessionHandle[] = [];
      // Each tenant as a whole: a session created meanwhile either ends too or comes later.
      for (const tenant of tenants) {
        const exceptId = kept?.tenantId === tenant ? { exceptId: kept.id } : {};
        ended.push(...(await end({ kind: "user", tenantId: tenant, userId, ...exceptId }, cause)));
      }
      return ended;
    },

    async revokeTenant(tenantId, given) {
      return end({ kind: "tenant", tenantId: checkTenantId(tenantId) }, checkCause(given));
    },
  };
};

/** A typing error here would end the very session that was to be kept, so it is refused. */
const exempted = (handle: string, tenants: readonly TenantId[]): Pick<SessionReference, "id" | "tenantId"> => {
  const session = parseHandle(handle);
  if (session === undefined || !tenants.includes(session.tenantId))
    throw new EngineError("invalid_input", "except must be the handle of a session of this tenant");
  return session;
};
