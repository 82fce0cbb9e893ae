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

/** How many sessions one step ends: about 10 ms of work, and much less than 100 ms where the disk is slow. */
const STEP = 100;

/**
 * The ways to end sessions on purpose. The local verifier refuses them before the promise resolves. Many are ended in steps,
 * so that neither a transaction nor the event loop is held for long; where a step fails, what was ended stays so.
 */
export const createRevocation = ({
  storage,
  marks,
}: {
  readonly storage: Storage;
  readonly marks: RevocationMarks;
}): Pick<SessionEngine, "revokeSessions" | "revokeAllForUser" | "revokeTenant" | "revokeSomeOfTenant"> => {
  const endSome = async (
    selector: RevocationSelector,
    cause: RevocationCause,
    limit?: number,
  ): Promise<readonly SessionHandle[]> =>
    marks.mark(await storage.revokeSessions(selector, cause, limit), storage.now());

  const endByIds = async (
    { ids, tenantId }: { readonly ids: readonly SessionId[]; readonly tenantId: TenantId },
    cause: RevocationCause,
  ): Promise<readonly SessionHandle[]> => {
    const ended: SessionHandle[] = [];
    for (let at = 0; at < ids.length; at += STEP)
      ended.push(...(await endSome({ kind: "ids", ids: ids.slice(at, at + STEP), tenantId }, cause)));
    return ended;
  };

  /** By what is live, not by a list read before: a session created meanwhile either ends too or comes later. */
  const endLive = async (
    selector: Exclude<RevocationSelector, { readonly kind: "ids" }>,
    cause: RevocationCause,
  ): Promise<readonly SessionHandle[]> => {
    const ended: SessionHandle[] = [];
    for (;;) {
      const step = await endSome(selector, cause, STEP);
      ended.push(...step);
      if (step.length < STEP) return ended;
    }
  };

  /**
   * By a list that goes on from where it was, since to look for what is live passes over all that has ended; that is done once,
   * at the end of the list: for sessions created meanwhile, and for the log, which may lack what an earlier attempt ended.
   */
  const revokeSomeOfTenant: SessionEngine["revokeSomeOfTenant"] = async (given, page, reason) => {
    const tenantId = checkTenantId(given);
    const cause = checkCause(reason);
    const { items, next } = await storage.listSessionReferences({ tenantId }, page);
    const ids = items.map(({ id }) => id);
    const listed = await endByIds({ ids, tenantId }, cause);
    return next === undefined
      ? { items: [...listed, ...(await endLive({ kind: "tenant", tenantId }, cause))] }
      : { items: listed, next };
  };

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
      for (const [tenantId, ids] of idsByTenant) ended.push(...(await endByIds({ ids: [...ids], tenantId }, cause)));
      return ended;
    },

    async revokeAllForUser({ userId, tenantId, acrossTenants, except }, given) {
      const cause = checkCause(given);
      checkUserIdText(userId);
      const tenants = acrossTenants === true ? await tenantsOf(userId) : [checkTenantId(tenantId)];
      const kept = except === undefined ? undefined : exempted(except, tenants);
      const ended: SessionHandle[] = [];
      for (const tenant of tenants) {
        const exceptId = kept?.tenantId === tenant ? { exceptId: kept.id } : {};
        ended.push(...(await endLive({ kind: "user", tenantId: tenant, userId, ...exceptId }, cause)));
      }
      return ended;
    },

    revokeTenant: (tenantId, cause) => readAllPages((page) => revokeSomeOfTenant(tenantId, page, cause)),

    revokeSomeOfTenant,
  };
};

/** A typing error here would end the very session that was to be kept, so it is refused. */
const exempted = (handle: string, tenants: readonly TenantId[]): Pick<SessionReference, "id" | "tenantId"> => {
  const session = parseHandle(handle);
  if (session === undefined || !tenants.includes(session.tenantId))
    throw new EngineError("invalid_input", "except must be the handle of a session of this tenant");
  return session;
};
