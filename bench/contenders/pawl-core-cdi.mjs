import { requestText } from "../load-plan.mjs";
import { startPawlCore } from "./pawl-core.mjs";

/**
 * @typedef {{ directory: string, url?: string, algorithm: "ES256" | "RS256", sessions: number }} Settings on SQLite in the
 *   directory, or in a schema of its own of the PostgreSQL at `url`
 */

/** @param {"create" | "refresh" | "verify"} call @param {Settings} settings */
const start = async (call, { directory, url, algorithm }) => {
  const name = `cdi-${call}-${algorithm}`;
  const storage = url === undefined ? {} : { storage: `${url}?schema=${name.replaceAll("-", "_").toLowerCase()}` };
  return startPawlCore({ directory, name, algorithm, ...storage });
};

/** What supertokens-node 24 sends. */
const headers = { "cdi-version": "5.4", rid: "session" };
const creates = (/** @type {number} */ count) =>
  Array.from({ length: count }, (_, user) => {
    const body = {
      userId: `user-${user}`,
      enableAntiCsrf: false,
      userDataInJWT: { role: "member", iss: "https://api.example.com/auth" },
      userDataInDatabase: {},
      useDynamicSigningKey: true,
    };
    return requestText({ method: "POST", path: "/public/recipe/session", headers, body: JSON.stringify(body) });
  });

/** @param {Settings} settings */
export const create = async (settings) => ({
  ...(await start("create", settings)),
  plan: { kind: "fixed", requests: creates(1000) },
});

/** @param {Settings} settings */
export const refresh = async (settings) => ({
  ...(await start("refresh", settings)),
  plan: {
    kind: "refreshes",
    creates: creates(settings.sessions),
    path: "/recipe/session/refresh",
    headers,
    fields: { enableAntiCsrf: false, useDynamicSigningKey: true },
  },
});

/**
 * With `checkDatabase`: without it the SDK asks no core.
 * @param {Settings} settings
 */
export const verify = async (settings) => ({
  ...(await start("verify", settings)),
  plan: {
    kind: "verifications",
    creates: creates(1000),
    path: "/recipe/session/verify",
    headers,
    fields: { doAntiCsrfCheck: false, enableAntiCsrf: false, checkDatabase: true },
  },
});
