import { createHmac } from "node:crypto";
import type { EventRecord, Millis } from "@pawl/storage";
import { handleOf } from "../session-handle.js";
import { type Webhook, webhookKeys } from "./webhook.js";

/** What is delivered: the same for every attempt and every webhook. */
export interface WebhookMessage {
  /** The key of the event: whoever gets one twice knows it by this. */
  readonly id: string;
  readonly body: string;
}

/** A message of Standard Webhooks: `type`, `timestamp` (when it happened), and `data`, the event as `/v1/events` tells it. */
export const messageOf = (event: Omit<EventRecord, "type"> & { readonly type: string }): WebhookMessage => {
  const { key, at, type, sessionId, tenantId, userId, reason, detail, count } = event;
  const handle = sessionId && tenantId && handleOf({ id: sessionId, tenantId });
  const told = detail === undefined ? undefined : (JSON.parse(detail) as unknown);
  const data = { key, at, type, count, handle, tenantId, userId, reason, detail: told };
  return { id: key, body: JSON.stringify({ type, timestamp: new Date(at).toISOString(), data }) };
};

/** The headers of Standard Webhooks 1.0: id, time of the attempt in seconds, and a signature by each key (HMAC-SHA256). */
export const signedHeaders = (
  { id, body }: WebhookMessage,
  { secret }: Pick<Webhook, "secret">,
  now: Millis,
): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = (webhookKeys(secret) ?? []).map(
    (key) => `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`,
  );
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
};
