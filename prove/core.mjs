// A core on the loopback for proofs: memory, a free port, nothing logged unless a logger is given.
import { readConfig, startCore } from "@pawl/core";

/** @type {import("@pawl/core").CoreConfig} */
export const proofConfig = {
  ...readConfig({ env: {}, cwd: import.meta.dirname }),
  host: "127.0.0.1",
  port: 0,
  storage: "memory:",
  logLevel: "none",
};

/**
 * @param {Partial<import("@pawl/core").CoreConfig>} changes
 * @param {import("@pawl/core").StartCoreOptions} options
 */
export const startProofCore = async (changes = {}, options = {}) => {
  const core = await startCore({ ...proofConfig, ...changes }, options);
  const url = `http://127.0.0.1:${core.address.port}`;
  return {
    ...core,
    url,
    /**
     * @param {string} method
     * @param {string} path
     * @param {{ body?: object | undefined, headers?: Record<string, string> }} [content]
     */
    async send(method, path, { body, headers = {} } = {}) {
      const answer = await fetch(url + path, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text };
    },
  };
};

/** @typedef {Awaited<ReturnType<typeof startProofCore>>} ProofCore */
/** @typedef {{ access: string, refresh: string, antiCsrf: string, handle: string, id?: string }} Tokens */

/**
 * Logs in through every dialect and version of the core.
 * @returns the answers' tokens by name, and those of the newest version
 */
export const loginEverywhere = async (/** @type {ProofCore} */ core) => {
  const login = { userId: "user", userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: true };
  const v1 = JSON.parse((await core.send("POST", "/v1/sessions", { body: { userId: "user" } })).text);
  const tokensOf = (/** @type {any} */ answer) => ({
    access: answer.accessToken.token,
    refresh: answer.refreshToken.token,
    antiCsrf: answer.antiCsrfToken,
    handle: answer.session.handle,
    id: answer.idRefreshToken?.token,
  });
  const newest = "5.4";
  /** @type {Record<string, Tokens>} */
  const sessions = { "/v1": tokensOf(v1) };
  for (const version of ["", "2.9", "2.21", "3.0", "4.0", "5.0", newest]) {
    const answer = await (version === ""
      ? core.send("POST", "/session", { body: login })
      : core.send("POST", "/recipe/session", {
          body: { ...login, useDynamicSigningKey: true },
          headers: { "cdi-version": version },
        }));
    sessions[`cdi ${version === "" ? "1.0" : version}`] = tokensOf(JSON.parse(answer.text));
  }
  return { sessions, newest: /** @type {Tokens} */ (sessions[`cdi ${newest}`]) };
};
