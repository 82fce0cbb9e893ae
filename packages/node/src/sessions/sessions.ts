import { checkTenantId, parseHandle, type SessionHandle, type SessionInformation } from "@pawl/engine";
import type { EndReason, Page, PageRequest, TenantId } from "@pawl/storage";
import { callHook } from "../application-hook.js";
import { checkAccessCookie } from "../http/cookie-size.js";
import type { SessionHistory } from "../backend/session-backend.js";
import type { EndReasonOfApplication } from "../session.js";
import { checkUserId } from "./new-session.js";
import type { Serving } from "./serving.js";

/** A page of a user's sessions; of the tenant `public` unless another is given. */
export interface ListOptions extends Partial<PageRequest> {
  readonly tenantId?: string | undefined;
}

export interface EndUserOptions {
  /** `public` unless given. */
  readonly tenantId?: string | undefined;
  /** The handle of a session of this tenant that stays. */
  readonly except?: string | undefined;
}

/** What can be asked and done beside the request that is being served. */
export interface Sessions<
  Payload extends object,
  Data extends object,
  PayloadInput extends object,
  DataInput extends object,
> {
  /** A live session; undefined when there is none. */
  get(handle: string): Promise<SessionInformation<Payload, Data> | undefined>;
  /** The user's live sessions, a page at a time. */
  list(userId: string, options?: ListOptions): Promise<Page<SessionInformation<Payload, Data>>>;
  /** Ends sessions. @returns how many were live. */
  end(handles: string | readonly string[], reason?: EndReasonOfApplication): Promise<number>;
  /**
   * Ends the sessions of a user, all or all but one. @returns how many. @throws TypeError for an empty id.
   * @example
   * await pawl.sessions.endUser(userId, { except: session.handle }); // the password was changed here
   */
  endUser(userId: string, options?: EndUserOptions): Promise<number>;
  /**
   * Ends all sessions of these users in the tenant `public`. Where it fails on the way, call it again with the same ids.
   * @returns how many. @throws TypeError for an empty id, before any has ended.
   */
  endUsers(userIds: readonly string[]): Promise<number>;
  /**
   * Ends all sessions of a tenant, which has to be named twice. Where it fails on the way, call it again.
   * @returns how many. @throws TypeError where it is not named twice.
   */
  endTenant(tenantId: string, options: { readonly confirm: string }): Promise<number>;
  /**
   * Replaces the payload. Older access tokens are refused wherever that has been heard of, and refreshed: nobody is logged
   * out. Where somebody acts for another user with the session it is their own, and another one than before ends that.
   * @returns false when there is no such live session.
   * @throws TypeError also where the access token would not fit its cookie any more.
   */
  updatePayload(handle: string, payload: PayloadInput): Promise<boolean>;
  /** Replaces the data. @returns false when there is no such live session. */
  updateData(handle: string, data: DataInput): Promise<boolean>;
  /** What became of a session, and why. */
  explain(handle: string): Promise<SessionHistory>;
  /**
   * Calls the listener for each end that this process learns of, wherever it was done; `at` is ms since the epoch, `reason`
   * is absent where a core of an earlier release does not tell it. @returns stop.
   * @example
   * await pawl.sessions.onEnded(({ handle }) => sockets.get(handle)?.close());
   */
  onEnded(
    listener: (ended: {
      readonly handle: string;
      readonly at: number;
      readonly reason?: EndReason | undefined;
    }) => void,
  ): Promise<() => void>;
}

const SESSIONS_PER_PAGE = 100;
/** Together they share commits and round trips, and leave room for everybody else's calls. */
const USERS_AT_ONCE = 8;
const REVOKED = { reason: "revoked" } as const;

/** Runs work on what was opened; turns failures into session errors. */
export type Run = <Result>(work: (it: Serving) => Result | Promise<Result>) => Promise<Result>;

export const createSessions = (run: Run): Sessions<object, object, object, object> => ({
  get: (handle) => run(({ backend }) => backend.get(handle)),

  list: (userId, { tenantId, ...page } = {}) =>
    run(({ backend }) => backend.list(userOf(userId, tenantId), { limit: SESSIONS_PER_PAGE, ...page })),

  end: (handles, reason = "revoked") =>
    run(async ({ backend }) => (await backend.revoke([handles].flat(), { reason })).length),

  endUser: (userId, { tenantId, except } = {}) =>
    run(async ({ backend }) => {
      const user = userOf(userId, tenantId);
      const kept = except === undefined ? undefined : exempted(except, user.tenantId);
      return (await backend.revokeUser({ ...user, except: kept }, REVOKED)).length;
    }),

  endUsers: (userIds) =>
    run(async ({ backend }) => {
      const users = userIds.map((userId) => userOf(userId));
      let ended = 0;
      for (let at = 0; at < users.length; at += USERS_AT_ONCE) {
        const some = users.slice(at, at + USERS_AT_ONCE).map((user) => backend.revokeUser(user, REVOKED));
        for (const handles of await Promise.all(some)) ended += handles.length;
      }
      return ended;
    }),

  endTenant: (tenantId, options) =>
    run(async ({ backend }) => {
      // An id that got lost must name nobody, and not the tenant of everybody.
      if (tenantId === undefined || options?.confirm !== tenantId)
        throw new TypeError("confirm must be the id of the tenant whose sessions are to end");
      return (await backend.revokeTenant(checkTenantId(tenantId), REVOKED)).length;
    }),

  updatePayload: (handle, payload) =>
    run(async (it) => {
      const accepted = await it.payloads.accept(payload);
      // Clients with their tokens in headers have no such limit, and nothing says which a session has.
      const session = it.options.headerMode === true ? undefined : await it.backend.get(handle);
      if (session !== undefined) checkAccessCookie(it, { ...session, payload: accepted });
      return it.backend.updatePayload(handle, accepted, { form: "pawl" });
    }),
  updateData: (handle, data) => run(async (it) => it.backend.updateData(handle, await it.data.accept(data))),
  explain: (handle) => run(({ backend }) => backend.explain(handle)),
  onEnded: (listener) => run(({ backend }) => backend.subscribe((ended) => void callHook(() => listener(ended)))),
});

const userOf = (userId: string, tenantId?: string) => ({
  userId: checkUserId(userId),
  tenantId: checkTenantId(tenantId),
});

/** A typing error here would end the very session that was to be kept. */
const exempted = (handle: string, tenantId: TenantId): SessionHandle => {
  if (parseHandle(handle)?.tenantId !== tenantId)
    throw new TypeError("except must be the handle of a session of this tenant");
  return handle as SessionHandle;
};
