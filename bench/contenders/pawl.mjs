import { randomBytes } from "node:crypto";
import { trace } from "@opentelemetry/api";
import { openEngine } from "@pawl/engine/host";
import { createTelemetry } from "@pawl/engine/telemetry";
import { inFlight } from "./in-flight.mjs";
import { freshStrings, SEEN_SESSIONS, UNSEEN_TOKENS } from "./access-tokens.mjs";

const masterKey = randomBytes(32).toString("base64");

/** What an engine tells: nothing, what nobody takes, or what OpenTelemetry's SDK takes. @typedef {"none" | "silent" | "beside" | "sampled" | "recorded"} Told */

const telemetryOf = async (/** @type {Told} */ told) => {
  if (told === "none") return undefined;
  if (told !== "silent") (await import("./provider.mjs")).registerProvider({ recordsAll: told === "recorded" });
  return told === "beside" ? undefined : createTelemetry();
};

/** Access tokens of so many sessions, and how to open one more engine that knows their keys. */
const createTokens = async (
  /** @type {number} */ count,
  /** @type {"ES256" | "RS256"} */ signingAlgorithm,
  /** @type {Told} */ told,
) => {
  const policy = /** @type {const} */ ({ enableAntiCsrf: false, signingAlgorithm });
  const telemetry = await telemetryOf(told);
  const { engine, storage } = await openEngine({ storage: "memory:", masterKey, policy, telemetry });
  const tokens = [];
  for (let user = 0; user < count; user++) {
    const created = await engine.createSession({
      userId: /** @type {any} */ (`user-${user}`),
      payload: { role: "member" },
    });
    tokens.push(created.accessToken.token);
  }
  return { tokens, engine, openAnother: () => openEngine({ storage, masterKey, policy }) };
};

/** Verifies tokens in turn, each as a string made anew. */
const verifyNext = (
  /** @type {import("@pawl/engine").AccessTokenVerifier} */ verifier,
  /** @type {string} */ accessToken,
) => {
  if (verifier.verify({ accessToken }).kind !== "valid") throw new Error("a valid token was refused");
};

/** @param {{ telemetry?: Told } | undefined} settings */
export const verifySeen = async (settings) => {
  const { tokens, engine } = await createTokens(SEEN_SESSIONS, "ES256", settings?.telemetry ?? "none");
  const next = freshStrings(tokens);
  return {
    pass: () => {
      for (let i = 0; i < 5000; i++) verifyNext(engine.verifier, next());
      return 5000;
    },
  };
};

/**
 * Each pass is a new engine over the same storage, which has seen no token yet.
 * @param {{ algorithm: "ES256" | "RS256" }} settings
 */
export const verifyUnseen = async ({ algorithm }) => {
  const { tokens, openAnother } = await createTokens(UNSEEN_TOKENS, algorithm, "none");
  const next = freshStrings(tokens);
  /** @type {Awaited<ReturnType<typeof openAnother>> | undefined} */
  let opened;
  return {
    reset: async () => {
      await opened?.close();
      opened = await openAnother();
    },
    pass: () => {
      const verifier = /** @type {any} */ (opened).engine.verifier;
      for (let i = 0; i < UNSEEN_TOKENS; i++) verifyNext(verifier, next());
      return UNSEEN_TOKENS;
    },
  };
};

/** Window 0, so that every refresh is a rotation: inside the window a refresh only repeats the one before it. */
const openDurable = async (/** @type {string} */ directory, /** @type {string} */ name, /** @type {Told} */ told) =>
  openEngine({
    telemetry: await telemetryOf(told),
    storage: `sqlite:${directory}/engine-${name}.db`,
    masterKey,
    policy: { enableAntiCsrf: false, reuseWindow: /** @type {any} */ (0) },
  });

const creator = (/** @type {import("@pawl/engine").SessionEngine} */ engine) => {
  let users = 0;
  return () => engine.createSession({ userId: /** @type {any} */ (`user-${users++}`), payload: { role: "member" } });
};

/** @param {{ directory: string }} settings */
export const createSessions = async ({ directory }) => {
  const { engine, close } = await openDurable(directory, "create", "none");
  return { ...inFlight(creator(engine)), close };
};

/** @param {{ directory: string, sessions: number, telemetry?: Told }} settings */
export const refreshSessions = async ({ directory, sessions, telemetry }) => {
  const { engine, close } = await openDurable(directory, `refresh-${telemetry}`, telemetry ?? "none");
  const create = creator(engine);
  const created = await Promise.all(Array.from({ length: sessions }, create));
  const tokens = created.map((session) => session.refreshToken.token);
  let turn = 0;
  const tracer = trace.getTracer("http");
  /** As where HTTP is traced: each refresh is within the span of a request. */
  const refreshInRequest = () =>
    tracer.startActiveSpan("POST", async (span) => {
      await refreshNext();
      span.end();
    });
  const refreshNext = async () => {
    const place = turn++ % tokens.length;
    const outcome = await engine.refreshSession({ refreshToken: /** @type {string} */ (tokens[place]) });
    if (outcome.kind !== "refreshed" || outcome.refreshToken.token === tokens[place])
      throw new Error(`a refresh was answered ${outcome.kind}`);
    tokens[place] = outcome.refreshToken.token;
  };
  const isTraced = telemetry !== undefined && !["none", "silent"].includes(telemetry);
  return { ...inFlight(isTraced ? refreshInRequest : refreshNext), close };
};
