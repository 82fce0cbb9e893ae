import type { RouteBody } from "@pawl/protocol";
import {
  type AuditEvent,
  type CountsOfSessions,
  type Operation,
  OPERATION_PAGE,
  type WebhookDelivery,
} from "../operation.js";
import type { CoreClient } from "./core-client.js";

const after = (next: string | undefined): { readonly next?: string } => (next === undefined ? {} : { next });

/** What an operator asks and does, of a core. */
export const createCoreOperation = (core: CoreClient): Operation => {
  const settle = async (name: "retryDelivery" | "dropDelivery", body: RouteBody<typeof name>): Promise<boolean> =>
    (await core.ask(name, { body }, ["delivery_not_found"])).kind === "success";
  return {
    counts: async (query) => (await core.get("listCounts", { query })) as unknown as CountsOfSessions,
    async events({ limit = OPERATION_PAGE, ...filter } = {}) {
      const { events, next } = await core.get("listEvents", { query: { ...filter, limit } });
      return { items: events as readonly AuditEvent[], ...after(next) };
    },
    async deliveries({ dead = false, limit = OPERATION_PAGE, ...page } = {}) {
      const query = { state: dead ? "dead" : "waiting", limit, ...page } as const;
      const { deliveries, next } = await core.get("listDeliveries", { query });
      return { items: deliveries as readonly unknown[] as readonly WebhookDelivery[], ...after(next) };
    },
    retryDelivery: (key, webhook) => settle("retryDelivery", { key, webhook }),
    dropDelivery: (key, webhook) => settle("dropDelivery", { key, webhook }),
  };
};
