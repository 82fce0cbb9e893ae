import { type CountRange, handleOf, parseHandle, type SessionEngine, type Webhook } from "@pawl/engine";
import { createWebhooks } from "@pawl/engine/webhooks";
import type { EventRecord, TenantId, UserId } from "@pawl/storage";
import { type AuditEvent, type Operation, OPERATION_PAGE } from "./operation.js";

const auditEvent = ({ sessionId, detail, ...event }: EventRecord): AuditEvent => ({
  ...event,
  ...(sessionId !== undefined &&
    event.tenantId !== undefined && { handle: handleOf({ id: sessionId, tenantId: event.tenantId }) }),
  ...(detail !== undefined && { detail: JSON.parse(detail) as unknown }),
});

/** What an operator asks and does, of the engine in this process. */
export const createEmbeddedOperation = (engine: SessionEngine, configured?: readonly Webhook[]): Operation => {
  const webhooks = createWebhooks(engine.storage, configured);
  return {
    async counts(range) {
      const counts = await engine.listCounts(range as CountRange);
      return { counts, live: await engine.countLiveSessions() };
    },
    async events({ handle, userId, tenantId, type, limit = OPERATION_PAGE, after } = {}) {
      const named = handle === undefined ? undefined : parseHandle(handle);
      if (handle !== undefined && named === undefined) return { items: [] };
      const selector = {
        sessionId: named?.id,
        tenantId: (tenantId as TenantId | undefined) ?? named?.tenantId,
        userId: userId as UserId | undefined,
        types: type && [type],
      };
      const { items, ...rest } = await engine.listEvents(selector, { limit, after });
      return { items: items.map(auditEvent), ...rest };
    },
    async deliveries({ dead = false, limit = OPERATION_PAGE, after } = {}) {
      const { items, ...rest } = await webhooks.list({ dead }, { limit, after });
      return { items: items.map((delivery) => ({ ...delivery, event: auditEvent(delivery.event) })), ...rest };
    },
    retryDelivery: (key, webhook) => webhooks.retry(key, webhook),
    dropDelivery: (key, webhook) => webhooks.drop(key, webhook),
  };
};
