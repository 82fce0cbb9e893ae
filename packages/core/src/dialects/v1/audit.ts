import { adminEvent } from "@pawl/engine";
import type { RouteBody, RouteResponse, Written } from "@pawl/protocol";
import type { Storage, TenantId, UserId } from "@pawl/storage";
import type { CallerInformation } from "../../server/access-control.js";

/** Handles that one event names at most. */
const MOST_HANDLES = 20;

/** What an administrator did. */
interface Act {
  readonly act: string;
  readonly [fact: string]: unknown;
}

interface AuditedAct {
  readonly what: Act;
  readonly owner?: { readonly tenantId?: TenantId | undefined; readonly userId?: UserId | undefined } | undefined;
}

/** Writes down what an administrator did, and who it was. */
export const audit = (
  storage: Pick<Storage, "now" | "appendEvents">,
  { what, owner }: AuditedAct,
  by: CallerInformation,
): Promise<void> => storage.appendEvents([adminEvent(storage.now(), { ...what, by }, owner)]);

/** Sessions that an administrator ended. */
export const endingAct = (
  body: RouteBody<"revokeSessions">,
  { revoked, next }: Written<RouteResponse<"revokeSessions">>,
): AuditedAct => {
  const facts = { act: "sessions_ended", ended: revoked.length, detail: body.detail };
  if ("handles" in body)
    return { what: { ...facts, asked: body.handles.length, handles: body.handles.slice(0, MOST_HANDLES) } };
  if ("allOfTenant" in body)
    return {
      what: { ...facts, of: "tenant", more: next === undefined ? undefined : true },
      owner: { tenantId: body.allOfTenant as TenantId },
    };
  const { userId, tenantId = "public", except } = body;
  return {
    what: { ...facts, of: "user", except },
    owner: { tenantId: tenantId as TenantId, userId: userId as UserId },
  };
};
