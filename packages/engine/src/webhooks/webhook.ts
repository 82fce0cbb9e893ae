import { createHash } from "node:crypto";
import type { EventType, OutboxDestination } from "@pawl/storage";

/** Where events are delivered to. */
export interface Webhook {
  /** `https:`, or with `allowPrivate` also `http:`. */
  readonly url: string;
  /** `whsec_` and base64 of 24 to 64 bytes; several, separated by commas, while one takes the place of another. */
  readonly secret: string;
  /** Which events; `webhookEvents` unless given. */
  readonly events?: readonly EventType[] | undefined;
  /** Whether it may be an address of this machine or of a private network. */
  readonly allowPrivate?: boolean | undefined;
}

/** What is delivered unless a webhook says otherwise: ends, thefts, binding, acting, and what administrators did. */
export const webhookEvents: readonly EventType[] = [
  "session_ended",
  "token_reuse",
  "device_bound",
  "device_unbound",
  "acting_started",
  "acting_ended",
  "admin",
];

/** What may be asked for besides. */
const allEvents: ReadonlySet<unknown> = new Set<EventType>([
  ...webhookEvents,
  "forged_token",
  "fast_forward",
  "unproven_refresh",
  "signing_key_created",
  "signing_key_deleted",
]);

/** What a webhook has to be, for messages. */
export const WEBHOOK_FORM =
  "{ url, secret, events?, allowPrivate? }, the url https (http only with allowPrivate) and in the list once, the secret whsec_ and base64 of 24 to 64 bytes";

/** The keys of a secret. @returns undefined for what is none. */
export const webhookKeys = (secret: string): readonly Buffer[] | undefined => {
  const keys = secret.split(",").map((text) => {
    const [, base64 = ""] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
    return Buffer.from(base64, "base64");
  });
  return keys.every(({ length }) => length >= 24 && length <= 64) ? keys : undefined;
};

const members: Readonly<Record<keyof Webhook, (value: unknown, webhook: Partial<Webhook>) => boolean>> = {
  url: (value, { allowPrivate }) =>
    typeof value === "string" &&
    value.length <= 2048 &&
    (allowPrivate === true ? /^https?:[\x21-\x7e]+$/i : /^https:[\x21-\x7e]+$/i).test(value) &&
    URL.canParse(value) &&
    new URL(value).username === "" &&
    new URL(value).password === "",
  secret: (value) => typeof value === "string" && webhookKeys(value) !== undefined,
  events: (value) =>
    value === undefined || (Array.isArray(value) && value.length > 0 && value.every((type) => allEvents.has(type))),
  allowPrivate: (value) => value === undefined || typeof value === "boolean",
};

/** Whether a value can be used as a webhook. A member that means nothing would silently not hold. */
export const isWebhook = (value: unknown): value is Webhook => {
  if (typeof value !== "object" || value === null) return false;
  const given = value as Readonly<Record<string, unknown>>;
  return (
    Object.keys(given).every((name) => Object.hasOwn(members, name)) &&
    Object.entries(members).every(([name, isRight]) => isRight(given[name], given as Partial<Webhook>))
  );
};

/** What names a webhook where its URL, which may hold a secret, has no business. */
export const webhookId = ({ url }: Pick<Webhook, "url">): string =>
  createHash("sha256").update(url).digest("hex").slice(0, 8);

/** Whether values can be used as webhooks, each of which needs a URL of its own: that is what tells them apart. */
export const areWebhooks = (values: readonly unknown[]): values is readonly Webhook[] =>
  values.every(isWebhook) && new Set(values.map(webhookId)).size === values.length;

/** What a store has to put into its outbox for them. */
export const destinationsOf = (webhooks: readonly Webhook[]): readonly OutboxDestination[] =>
  webhooks.map((webhook) => ({ id: webhookId(webhook), types: webhook.events ?? webhookEvents }));
