import type { RouteBody, RouteResponse, Written } from "@pawl/protocol";
import type { TenantId, UserId } from "@pawl/storage";
import type { AuditedAct } from "../../server/audit.js";

/** Handles that one event names at most. */
const MOST_HANDLES = 20;

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
