// A core on the loopback for proofs: memory, a free port, nothing logged unless a logger is given.
import { startCore } from "@pawl/core";
import { defaultPolicy } from "@pawl/engine";

export const proofConfig = {
  mode: "DEV",
  host: "127.0.0.1",
  port: 0,
  storage: "memory:",
  policy: defaultPolicy,
  keyKind: "dynamic",
  cdiSigningAlgorithm: "RS256",
  cookies: { domain: "localhost", secure: false, accessTokenPath: "/", refreshApiPath: "/session/refresh" },
  cdiVerifyKnows: false,
  cdi1: { enabled: true, withoutKey: false, keyKind: "static" },
  apiKeys: [],
  ipAllow: [],
  logLevel: "none",
  maxServerPoolSize: 10,
};

export const startProofCore = async (changes = {}, options = {}) => {
  const core = await startCore({ ...proofConfig, ...changes }, options);
  const url = `http://127.0.0.1:${core.address.port}`;
  return {
    ...core,
    url,
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

/** Logs in through every dialect and version of the core. @returns the answers' tokens by name. */
export const loginEverywhere = async (core) => {
  const login = { userId: "user", userDataInJWT: {}, userDataInDatabase: {}, enableAntiCsrf: true };
  const v1 = JSON.parse((await core.send("POST", "/v1/sessions", { body: { userId: "user" } })).text);
  const sessions = {
    "/v1": {
      access: v1.accessToken.token,
      refresh: v1.refreshToken.token,
      antiCsrf: v1.antiCsrfToken,
      handle: v1.session.handle,
    },
  };
  for (const version of ["", "2.9", "2.21", "3.0", "4.0", "5.0", "5.4"]) {
    const [path, body] =
      version === "" ? ["/session", login] : ["/recipe/session", { ...login, useDynamicSigningKey: true }];
    const headers = version === "" ? {} : { "cdi-version": version };
    const answer = await core.send("POST", path, { body, headers });
    const { accessToken, refreshToken, antiCsrfToken, session, idRefreshToken } = JSON.parse(answer.text);
    sessions[`cdi ${version === "" ? "1.0" : version}`] = {
      access: accessToken.token,
      refresh: refreshToken.token,
      antiCsrf: antiCsrfToken,
      handle: session.handle,
      id: idRefreshToken?.token,
    };
  }
  return sessions;
};
