import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { isPublicAddress, PrivateAddressError, publicLookup } from "./public-address.js";
import type { Webhook } from "./webhook.js";

/** How long an answer may take, from the first look at the name on, ms. */
export const SEND_TIMEOUT = 10_000;

/** What came of sending a message. */
type Sent =
  | { readonly kind: "delivered" }
  /** `isDown`: nobody answered, or the answer says that others would fare no better. */
  | { readonly kind: "failed"; readonly why: string; readonly isDown: boolean };

/** Sends messages to one webhook. */
export interface Sender {
  send(body: string, headers: Readonly<Record<string, string>>): Promise<Sent>;
  close(): void;
}

const codes: Readonly<Record<string, string>> = {
  PRIVATE_ADDRESS: "the address is not public",
  ABORT_ERR: `no answer within ${SEND_TIMEOUT / 1000} s`,
};

const failureOf = (error: unknown): Sent => {
  const { name, code, message } = error as NodeJS.ErrnoException;
  const known = codes[name === "TimeoutError" ? "ABORT_ERR" : (code ?? "")];
  return { kind: "failed", why: known ?? code ?? message, isDown: true };
};

/** Any 2xx is a delivery; a redirect is not followed, and is none. */
const answered = (status: number): Sent =>
  status >= 200 && status < 300
    ? { kind: "delivered" }
    : { kind: "failed", why: `status ${status}`, isDown: status >= 500 || status === 429 };

/**
 * A client of one webhook. Nothing is sent to an address that is not public, unless the webhook allows it; the answer's body is
 * not read.
 * @param timeout ms, for tests.
 */
export const createSender = ({ url, allowPrivate = false }: Webhook, timeout = SEND_TIMEOUT): Sender => {
  const target = new URL(url);
  const isSecure = target.protocol === "https:";
  const shared = { keepAlive: true, maxSockets: 32, ...(allowPrivate ? {} : { lookup: publicLookup }) };
  const agent = isSecure ? new HttpsAgent(shared) : new HttpAgent(shared);
  const host = target.hostname.replace(/^\[|\]$/g, "");
  return {
    send: (body, headers) =>
      new Promise((resolve) => {
        // An address is not looked up.
        if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) {
          resolve(failureOf(new PrivateAddressError("the address is not public")));
          return;
        }
        const request = (isSecure ? httpsRequest : httpRequest)(target, {
          method: "POST",
          agent,
          signal: AbortSignal.timeout(timeout),
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            "user-agent": "Pawl",
            ...headers,
          },
        });
        request.on("error", (error: Error) => resolve(failureOf(error.cause ?? error)));
        request.on("response", (response) => {
          resolve(answered(response.statusCode ?? 0));
          // Read on, so that the connection can serve again; until the time is over at most.
          response.on("error", () => undefined).resume();
        });
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
};
