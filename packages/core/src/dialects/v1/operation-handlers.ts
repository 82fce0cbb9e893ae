import { type CountRange, parseHandle, type SessionEngine } from "@pawl/engine";
import type { Webhooks } from "@pawl/engine/webhooks";
import type { RouteQuery } from "@pawl/protocol";
import type { EventSelector, TenantId, UserId } from "@pawl/storage";
import { eventBody } from "./answers.js";
import { audit } from "../../server/audit.js";
import type { Handlers } from "./call.js";
import { pageOf } from "./page-of.js";

const NO_DELIVERY = { problem: "delivery_not_found" } as const;

/** The operations for those who run a core. What changes something is written down with who did it. */
export const createOperationHandlers = ({
  engine,
  webhooks,
}: {
  readonly engine: SessionEngine;
  readonly webhooks: Webhooks;
}): Pick<
  Handlers,
  | "listEvents"
  | "listCounts"
  | "listSigningKeys"
  | "rotateSigningKey"
  | "listWebhooks"
  | "listDeliveries"
  | "retryDelivery"
  | "dropDelivery"
  | "testWebhooks"
> => {
  const { storage } = engine;
  return {
    async listEvents({ query }) {
      const selector = eventSelector(query);
      if (selector === undefined) return { ok: { events: [] } };
      const { items, next } = await engine.listEvents(selector, pageOf(query));
      return { ok: { events: items.map(eventBody), next } };
    },
    async listCounts({ query }) {
      const counts = await engine.listCounts(query as CountRange);
      return { ok: { counts, live: await engine.countLiveSessions() } };
    },
    listSigningKeys: () => ({ ok: { keys: engine.listSigningKeys() } }),
    async rotateSigningKey({ body, by }) {
      const key = await engine.rotateSigningKey(body.algorithm);
      await audit(storage, { what: { act: "signing_key_rotated", kid: key.kid } }, by());
      return { ok: key };
    },
    listWebhooks: () => ({ ok: { webhooks: webhooks.configured } }),
    async listDeliveries({ query }) {
      const { items, next } = await webhooks.list({ dead: query.state === "dead" }, pageOf(query));
      return { ok: { deliveries: items.map(({ event, ...facts }) => ({ event: eventBody(event), ...facts })), next } };
    },
    async retryDelivery({ body: { key, webhook }, by }) {
      if (!(await webhooks.retry(key, webhook))) return NO_DELIVERY;
      await audit(storage, { what: { act: "delivery_retried", key, webhook } }, by());
      return { ok: undefined };
    },
    async dropDelivery({ body: { key, webhook }, by }) {
      if (!(await webhooks.drop(key, webhook))) return NO_DELIVERY;
      await audit(storage, { what: { act: "delivery_dropped", key, webhook } }, by());
      return { ok: undefined };
    },
    async testWebhooks({ by }) {
      if (webhooks.configured.length > 0) await audit(storage, { what: { act: "webhooks_tested" } }, by());
      return { ok: { webhooks: await webhooks.test() } };
    },
  };
};

/** @returns undefined when no session can have the handle. */
const eventSelector = ({ handle, userId, tenantId, type }: RouteQuery<"listEvents">): EventSelector | undefined => {
  const named = handle === undefined ? undefined : parseHandle(handle);
  if (handle !== undefined && named === undefined) return undefined;
  return {
    sessionId: named?.id,
    tenantId: (tenantId as TenantId | undefined) ?? named?.tenantId,
    userId: userId as UserId | undefined,
    types: type && [type],
  };
};
