import type { EventType, OutboxSettlement, Page, PageRequest, Storage } from "@pawl/storage";
import { attemptsOf, type Delivery } from "./delivery.js";
import { messageOf, signedHeaders } from "./message.js";
import { type Webhook, webhookEvents, webhookId } from "./webhook.js";

/** A webhook as it may be shown: its URL may hold a secret. */
export interface WebhookInformation {
  readonly id: string;
  /** Scheme, host and port of its URL. */
  readonly origin: string;
  readonly events: readonly EventType[];
  readonly allowPrivate: boolean;
}

/** What came of a test. */
export interface TestedWebhook extends Pick<WebhookInformation, "id" | "origin"> {
  /** Why the message was not delivered; absent: it was. */
  readonly failure?: string | undefined;
}

/** What an operator can see and do of webhooks, over the outbox of a store. */
export interface Webhooks {
  /** Those that are configured here. */
  readonly configured: readonly WebhookInformation[];
  /** Dead letters, or what is still to be delivered. */
  list(selector: { readonly dead: boolean }, page: PageRequest): Promise<Page<Delivery>>;
  /**
   * Has an event delivered at once: a dead letter, or one that waits.
   * @param webhook its id; every one that is configured unless given. @returns whether there was something to deliver.
   */
  retry(key: string, webhook?: string): Promise<boolean>;
  /** Takes an event out of the outbox, so that it is not delivered any more. Otherwise as `retry`. */
  drop(key: string, webhook?: string): Promise<boolean>;
  /** Sends a message of the type `test` to each, once, beside the outbox. */
  test(): Promise<readonly TestedWebhook[]>;
}

type OutboxStore = Pick<Storage, "now" | "listOutbox" | "settleOutbox">;

export const createWebhooks = (storage: OutboxStore, webhooks: readonly Webhook[] = []): Webhooks => {
  const shown = (webhook: Webhook): Pick<WebhookInformation, "id" | "origin"> => ({
    id: webhookId(webhook),
    origin: new URL(webhook.url).origin,
  });
  const configured = webhooks.map((webhook) => ({
    ...shown(webhook),
    events: webhook.events ?? webhookEvents,
    allowPrivate: webhook.allowPrivate ?? false,
  }));
  const origins = new Map(configured.map(({ id, origin }) => [id, origin]));
  const settle = async (key: string, webhook: string | undefined, settlement: OutboxSettlement): Promise<boolean> => {
    const destinations = webhook === undefined ? [...origins.keys()] : [webhook];
    const settled = await Promise.all(
      destinations.map((destination) => storage.settleOutbox({ key, destination }, settlement)),
    );
    return settled.includes(true);
  };
  return {
    configured,
    async list(selector, page) {
      const { items, ...rest } = await storage.listOutbox(selector, page);
      const deliveries = items.map(({ event, destination, dueAt, state }): Delivery => {
        const { count, failure } = attemptsOf(state);
        return { event, webhook: destination, origin: origins.get(destination), dueAt, attempts: count, failure };
      });
      return { items: deliveries, ...rest };
    },
    retry: (key, webhook) => settle(key, webhook, { kind: "postponed", dueAt: storage.now(), state: "{}" }),
    drop: (key, webhook) => settle(key, webhook, { kind: "delivered" }),
    async test() {
      // Loaded when it is asked for, with the clients that it needs.
      const { createSender } = await import("./send.js");
      return Promise.all(
        webhooks.map(async (webhook) => {
          const sender = createSender(webhook);
          const now = storage.now();
          const message = messageOf({ key: `test:${crypto.randomUUID()}`, at: now, type: "test", count: 1 });
          const sent = await sender.send(message.body, signedHeaders(message, webhook, now));
          sender.close();
          return { ...shown(webhook), ...(sent.kind === "failed" && { failure: sent.why }) };
        }),
      );
    },
  };
};
