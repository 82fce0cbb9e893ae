import { isWebhook, type Webhook, WEBHOOK_FORM, webhookEvents } from "@pawl/engine";
import { key } from "./config-key.js";
import { mappings } from "./mappings.js";

const showWebhook = ({ url, events, allowPrivate }: Webhook): string => {
  const shown = { url: `${new URL(url).origin}/…`, secret: "…", events, allow_private: allowPrivate };
  return JSON.stringify(shown);
};

/** Where events are delivered to. A URL is shown without its path, which may hold a secret. */
export const webhooks = key({
  group: "Service",
  summary: `Where events are delivered to, at least once and to each in the order of a session, as Standard Webhooks: unless \`events\` names others, ${webhookEvents.join(", ")}.`,
  type: mappings<Webhook>({
    members: { url: "url", secret: "secret", events: "events", allow_private: "allowPrivate" },
    isRight: isWebhook,
    distinct: "url",
    accepted: `a list of mappings ${WEBHOOK_FORM.replace("allowPrivate?", "allow_private?").replace("allowPrivate", "allow_private")}; JSON in the environment variable`,
  }),
  // A list that was not accepted comes as it is.
  show: (value: unknown) => (Array.isArray(value) ? `[${value.map(showWebhook).join(", ")}]` : "a text"),
  otherwise: "nowhere",
  example: [{ url: "https://hooks.example.com/pawl", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }],
});
