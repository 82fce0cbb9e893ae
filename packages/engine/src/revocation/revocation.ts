import {
  type Millis,
  NEVER,
  nextTurn,
  PUBLIC_TENANT,
  refreshedAt,
  type RevocationCause,
  type RevocationSelector,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  type SessionSelector,
  type Storage,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { EngineError } from "../errors.js";
import type { RevocationMarks } from "./revocation-feed.js";
import type { SessionEngine } from "../session-engine.js";
import { parseHandle } from "../session-handle.js";
import { readAllPages } from "../all-pages.js";
import { loginTexts } from "../sessions/provider-login.js";
import { checkCause, checkTenantId, checkUserIdText } from "../sessions/session-input.js";
import type { SessionHandle } from "../session.js";

/** How many sessions one step ends: about 10 ms of work with its commit, and much less than 100 ms where the disk is slow. */
const STEP = 50;
/** Rows may hold a megabyte each. */
const ROWS_PER_READ = 25;

/** Of whose session a theft was found, and when. */
type Theft = Pick<SessionRecord, "tenantId" | "userId"> & { readonly at: Millis };

export interface Revocation extends Pick<
  SessionEngine,
  "revokeSessions" | "revokeAllForUser" | "revokeLogins" | "revokeTenant" | "revokeSomeOfTenant"
> {
  /** Ends the least recently refreshed live sessions of a user beyond so many. */
  readonly revokeSurplus: (
    user: Pick<SessionRecord, "tenantId" | "userId">,
    keep: number,
  ) => Promise<readonly SessionHandle[]>;
  /** Ends what the user of a stolen session had when the theft was found, and nothing that came since. Can be repeated. */
  readonly revokeAfterTheft: (theft: Theft) => Promise<readonly SessionHandle[]>;
}

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
}): Revocation => {
  const endSome = async (
    selector: RevocationSelector,
    cause: RevocationCause,
    limit?: number,
  ): Promise<readonly SessionHandle[]> =>
    marks.mark(await storage.revokeSessions(selector, cause, limit), { at: storage.now(), reason: cause.reason });

  const endByIds = async (
    { ids, tenantId }: { readonly ids: readonly SessionId[]; readonly tenantId?: TenantId | undefined },
    cause: RevocationCause,
  ): Promise<readonly SessionHandle[]> => {
    const ended: SessionHandle[] = [];
    const within = tenantId === undefined ? {} : { tenantId };
    for (let at = 0; at < ids.length; at += STEP) {
      if (at > 0) await nextTurn();
      ended.push(...(await endSome({ kind: "ids", ids: ids.slice(at, at + STEP), ...within }, cause)));
    }
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
      await nextTurn();
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

  /** What is picked of each row, which is not kept. */
  const readRows = <Picked>(
    selector: SessionSelector,
    pick: (row: SessionRecord) => readonly Picked[],
  ): Promise<readonly Picked[]> =>
    readAllPages(async (page) => {
      const { items, ...rest } = await storage.listSessions(selector, { ...page, limit: ROWS_PER_READ });
      return { items: items.flatMap(pick), ...rest };
    });

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

    async revokeLogins({ until = NEVER, issuer, subject, sessionId, ...where }) {
      const tenantId = where.acrossTenants === true ? undefined : checkTenantId(where.tenantId);
      const login = loginTexts({ issuer, subject, sessionId });
      if ((login.subject ?? login.link) === undefined)
        throw new EngineError("invalid_input", "give the subject or the sessionId of the logins to end");
      const selector = login.subject === undefined ? { tenantId, ...login } : { tenantId, subject: login.subject };
      const isMeant = ({ link, createdAt }: SessionRecord): boolean =>
        login.link !== undefined && link !== undefined ? link === login.link : createdAt <= until;
      const ids = await readRows(selector, (row) => (isMeant(row) ? [row.id] : []));
      return endByIds({ ids, tenantId }, { reason: "identity_provider", detail: issuer });
    },

    async revokeSurplus({ tenantId, userId }, keep) {
      const all = await readRows({ tenantId, userId }, (row) => [{ id: row.id, at: refreshedAt(row) }]);
      const newestFirst = all.toSorted((one, other) => other.at - one.at || (one.id < other.id ? 1 : -1));
      const ids = newestFirst.slice(keep).map(({ id }) => id);
      return endByIds({ ids: ids.toReversed(), tenantId }, { reason: "session_limit" });
    },

    async revokeAfterTheft({ tenantId, userId, at }) {
      const ids = await readRows({ tenantId, userId }, ({ id, createdAt }) => (createdAt <= at ? [id] : []));
      return endByIds({ ids, tenantId }, { reason: "token_reuse" });
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
