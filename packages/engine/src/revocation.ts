import type {
  RevocationCause,
  RevocationSelector,
  SessionId,
  SessionReference,
  Storage,
  TenantId,
} from "@pawl/storage";
import { EngineError } from "./errors.js";
import type { RevocationMarks } from "./revocation-feed.js";
import type { SessionEngine } from "./session-engine.js";
import { parseHandle } from "./session-handle.js";
import { checkCause, checkTenantId, checkUserId } from "./session-input.js";
import type { SessionHandle } from "./session.js";

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

    async revokeAllForUser({ userId, tenantId: givenTenant, except }, given) {
      const cause = checkCause(given);
      const tenantId = checkTenantId(givenTenant);
      const kept = except === undefined ? undefined : exempted(except, tenantId);
      return end(
        { kind: "user", tenantId, userId: checkUserId(userId), ...(kept === undefined ? {} : { exceptId: kept.id }) },
        cause,
      );
    },

    async revokeTenant(tenantId, given) {
      return end({ kind: "tenant", tenantId: checkTenantId(tenantId) }, checkCause(given));
    },
  };
};

/** A typing error here would end the very session that was to be kept, so it is no silent "unknown session". */
const exempted = (handle: string, tenantId: TenantId): Pick<SessionReference, "id"> => {
  const session = parseHandle(handle);
  if (session?.tenantId !== tenantId)
    throw new EngineError("invalid_input", "except must be the handle of a session of this tenant");
  return session;
};
