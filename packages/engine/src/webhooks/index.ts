export { createDeliveries, type Deliveries } from "./deliveries.js";
export type { Delivery } from "./delivery.js";
export { createWebhooks, type TestedWebhook, type WebhookInformation, type Webhooks } from "./webhooks.js";
export { isPublicAddress } from "./public-address.js";
