import { randomBytes } from "node:crypto";
import { startCore } from "@pawl/core";
import { defaultPolicy } from "@pawl/engine";
import { refreshBody, requestText } from "../load-plan.mjs";

/** A core as an operator runs it on SQLite, but for the window: 0, so that every refresh is a rotation. */
const start = async (/** @type {string} */ directory, /** @type {string} */ name) => {
  const core = await startCore({
    mode: "PRODUCTION",
    host: "127.0.0.1",
    port: 0,
    storage: `sqlite:${directory}/core-${name}.db`,
    masterKey: randomBytes(32).toString("base64"),
    policy: { ...defaultPolicy, enableAntiCsrf: false, reuseWindow: /** @type {any} */ (0) },
    keyKind: "dynamic",
    cdiSigningAlgorithm: "RS256",
    cookies: { secure: true, accessTokenPath: "/", refreshApiPath: "/session/refresh" },
    cdi1: { enabled: true, withoutKey: false, keyKind: "static" },
    apiKeys: [],
    ipAllow: [],
    logLevel: "info",
    infoLogPath: `${directory}/core-${name}.log`,
    errorLogPath: `${directory}/core-${name}.log`,
    maxServerPoolSize: 10,
  });
  const { port } = core.address;
  const post = async (/** @type {string} */ path, /** @type {string} */ body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  };
  return { port, post, engine: core.engine, close: () => core.close() };
};

const CREATE = "/v1/sessions";
const REFRESH = "/v1/sessions/refresh";
const createBody = (/** @type {number} */ user) =>
  JSON.stringify({ userId: `user-${user}`, payload: { role: "member" } });

/** @param {{ directory: string, sessions: number }} settings */
export const refresh = async ({ directory, sessions }) => {
  const { post, engine, ...server } = await start(directory, "refresh");
  const created = await Promise.all(
    Array.from({ length: sessions }, (_, user) =>
      engine.createSession({ userId: /** @type {any} */ (`user-${user}`), payload: { role: "member" } }),
    ),
  );
  const tokens = created.map((session) => /** @type {string} */ (session.refreshToken.token));
  const body = refreshBody(tokens[0] ?? "");
  const answer = await post(REFRESH, body);
  tokens[0] = JSON.parse(answer).refreshToken.token;
  return {
    ...server,
    plan: { kind: "refresh", path: REFRESH, tokens },
    facts: { path: REFRESH, body, answerBytes: Buffer.byteLength(answer) },
  };
};

/** @param {{ directory: string }} settings */
export const create = async ({ directory }) => {
  const { post, engine: _, ...server } = await start(directory, "create");
  const body = createBody(1_000_000);
  const answer = await post(CREATE, body);
  const bodies = Array.from({ length: 1000 }, (_, user) => createBody(user));
  return {
    ...server,
    plan: { kind: "fixed", requests: bodies.map((body) => requestText({ method: "POST", path: CREATE, body })) },
    facts: { path: CREATE, body, answerBytes: Buffer.byteLength(answer) },
  };
};
