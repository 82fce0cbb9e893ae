import {
  Algorithm,
  closed,
  Count,
  Delivery,
  Event,
  EventType,
  Handle,
  list,
  Node,
  LiveSessions,
  object,
  page,
  Setting,
  SigningKey,
  TestedWebhook,
  WebhookId,
  WebhookInformation,
  TenantId,
  Text,
  Time,
  UserId,
} from "./schemas.js";

const EventKey = { type: "string", minLength: 1, maxLength: 512, description: "The `key` of the event" } as const;

/** The operations of `/v1` for those who run a core: what happened, how often, and with which keys. */
export const operationRoutes = {
  listEvents: {
    method: "GET",
    path: "/v1/events",
    summary: "The audit trail, newest first, in pages",
    query: closed({}, { handle: Handle, userId: UserId, tenantId: TenantId, type: EventType, ...page }),
    success: { status: 200, body: object({ events: list(Event) }, { next: Text }) },
    problems: ["invalid_input"],
  },
  listCounts: {
    method: "GET",
    path: "/v1/counts",
    summary:
      "How often what happened, per hour or per day of UTC: at most 1000 steps, those in which nothing did left out. Of all tenants together unless one is named. What other nodes counted within the last 20 s may be missing",
    query: closed(
      { from: Time, to: { ...Time, description: "Before then" } },
      { step: { enum: ["hour", "day"], description: "`hour` unless given" }, tenantId: TenantId },
    ),
    success: { status: 200, body: object({ counts: list(Count) }, { live: LiveSessions }) },
    problems: ["invalid_input"],
  },
  listSigningKeys: {
    method: "GET",
    path: "/v1/keys",
    summary: "Signing keys, without secrets",
    success: { status: 200, body: object({ keys: list(SigningKey) }) },
    problems: [],
  },
  createDashboardLink: {
    method: "POST",
    path: "/v1/dashboard/links",
    summary: "A link to the dashboard of this core, good for opening one session of 8 h within 5 minutes",
    success: {
      status: 201,
      body: object({
        path: { ...Text, description: "Path and fragment, at the address of the core" },
        expiresAt: Time,
      }),
    },
    problems: ["not_found"],
  },
  listNodes: {
    method: "GET",
    path: "/v1/nodes",
    summary: "The cores of this store that were heard of within the last hour; each says every 20 s that it is there",
    success: {
      status: 200,
      body: object({ now: { ...Time, description: "The store's time, as are all others" }, nodes: list(Node) }),
    },
    problems: [],
  },
  configuration: {
    method: "GET",
    path: "/v1/configuration",
    summary: "Every key of config.yaml as it is in force at this core; secrets are hidden",
    success: { status: 200, body: object({ settings: list(Setting) }) },
    problems: [],
  },
  rotateSigningKey: {
    method: "POST",
    path: "/v1/keys/rotate",
    summary: "Add a signing key that takes over once it has been published long enough",
    body: closed({}, { algorithm: Algorithm }),
    success: { status: 201, body: SigningKey },
    problems: ["invalid_input", "invalid_json"],
  },
  listWebhooks: {
    method: "GET",
    path: "/v1/webhooks",
    summary: "The webhooks that are configured, without secrets",
    success: { status: 200, body: object({ webhooks: list(WebhookInformation) }) },
    problems: [],
  },
  listDeliveries: {
    method: "GET",
    path: "/v1/webhooks/deliveries",
    summary:
      "What is still to be delivered, an event for a webhook each, or with `state=dead` what could not be, in pages",
    query: closed({}, { state: { enum: ["waiting", "dead"], description: "`waiting` unless given" }, ...page }),
    success: { status: 200, body: object({ deliveries: list(Delivery) }, { next: Text }) },
    problems: ["invalid_input"],
  },
  retryDelivery: {
    method: "POST",
    path: "/v1/webhooks/deliveries/retry",
    summary: "Deliver an event at once: to `webhook`, or to every one that is configured and has not got it",
    body: closed({ key: EventKey }, { webhook: WebhookId }),
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json", "delivery_not_found"],
  },
  dropDelivery: {
    method: "POST",
    path: "/v1/webhooks/deliveries/drop",
    summary: "Deliver an event no more, to `webhook` or to any that is configured; it stays in the audit trail",
    body: closed({ key: EventKey }, { webhook: WebhookId }),
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json", "delivery_not_found"],
  },
  testWebhooks: {
    method: "POST",
    path: "/v1/webhooks/test",
    summary: "Send a message of the type `test` to every webhook, once, and tell what came of it",
    success: { status: 200, body: object({ webhooks: list(TestedWebhook) }) },
    problems: [],
  },
} as const;
