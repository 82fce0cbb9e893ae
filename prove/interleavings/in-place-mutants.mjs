// Deliberately broken SDKs: one change each of what `@pawl/node` does when it refreshes in place.
import { createBreaker } from "./broken-modules.mjs";

const ANSWER = "http/session-answer.js";
const REQUESTS = "sessions/request-sessions.js";

/** `isTimed`: what the explorer has to notice too. @type {readonly (import("./broken-modules.mjs").Mutant & { isTimed?: true })[]} */
export const sdkMutants = [
  {
    what: "an answer is written however late it comes",
    file: ANSWER,
    from: "isLate(change.since, now()) || hasEnded(handle)",
    to: "hasEnded(handle)",
    isTimed: true,
  },
  {
    what: "a whole window counts as in time",
    file: "sessions/open-serving.js",
    from: "now - since > reuseWindow / 6",
    to: "now - since > reuseWindow",
    isTimed: true,
  },
  {
    what: "a request is refreshed however long it has waited",
    file: REQUESTS,
    from: "if (cannot || it.requests.isLate(exchange))",
    to: "if (cannot)",
    isTimed: true,
  },
  {
    what: "cookies are cleared however late the answer comes",
    file: ANSWER,
    from: 'this.#set({ kind: "end", transfer, since: this.#seenAt() })',
    to: 'this.#set({ kind: "end", transfer })',
  },
  {
    what: "each change of an answer is written",
    file: ANSWER,
    from: "if (this.#change === undefined)\n            this.#exchange.beforeHead(() => this.#write());",
    to: "this.#exchange.beforeHead(() => { this.#change = change; this.#write(); });",
  },
  {
    what: "a reading refreshes",
    file: "http/exchange.js",
    from: "canWrite: () => false",
    to: "canWrite: () => exchange.canWrite()",
  },
  {
    what: "a reading refreshes, and writes",
    file: "pawl.js",
    from: "readOnly(exchange)",
    to: "exchange",
  },
];

const importBroken = createBreaker("sdk-mutant", { packages: ["node"], mutants: sdkMutants });

/**
 * The SDK with one change; with the change at the index after the last: none, as a control.
 * @param {number} index
 * @returns {Promise<import("./in-place-lives.mjs").SdkModule>}
 */
export const brokenSdk = async (index) => {
  const [{ createPawl, fetchExchange, nodeExchange }, { forFetch }, { forNode }] = await Promise.all(
    ["index.js", "adapters/fetch.js", "adapters/node.js"].map((file) => importBroken(index, `node/dist/${file}`)),
  );
  return { createPawl, fetchExchange, nodeExchange, forFetch, forNode };
};
