// Sessions bound to a key of the browser's device: logins that offer it, and refreshes with a proof.
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { openEngine } from "@pawl/engine/host";
import { MemoryStorage } from "@pawl/storage";
import { createDevice } from "../../prove/device-binding/device.mjs";
import { inFlight } from "./in-flight.mjs";

/** A proof may be sent again for five minutes; so long before, new ones are signed. */
const PROOFS_LIVE = 200_000;

/** @typedef {import("../../prove/device-binding/device.mjs").Device} Device @typedef {import("@pawl/engine").SessionEngine} Engine */

/** @param {string | import("@pawl/storage").Storage} storage @param {"off" | "prefer"} deviceBinding */
const openWith = (storage, deviceBinding) =>
  openEngine({
    storage,
    masterKey: randomBytes(32).toString("base64"),
    policy: { enableAntiCsrf: false, reuseWindow: /** @type {any} */ (0), deviceBinding },
  });

const creator = (/** @type {Engine} */ engine, bindable = false) => {
  let users = 0;
  return () =>
    engine.createSession({
      userId: /** @type {any} */ (`user-${users++}`),
      payload: { role: "member" },
      form: "pawl",
      bindable,
    });
};

/** A session whose key has proved a refresh. @param {Engine} engine @param {Device} device @param {ReturnType<typeof creator>} create */
const bound = async (engine, device, create) => {
  const { registration = "", refreshToken } = await create();
  const proof = device.registration(registration);
  const outcome = await engine.bindSession({ refreshTokens: [refreshToken.token], proof, form: "pawl" });
  if (outcome.kind !== "bound" || outcome.issued === undefined) throw new Error(`a registration was ${outcome.kind}`);
  return outcome.issued;
};

/** No answer waits for these. */
const BACKGROUND = ["now", "watchFeeds", "addCounts"];

/** How often an engine asks its store for what. @param {"off" | "prefer"} deviceBinding @param {boolean} isBound */
const callsOf = async (deviceBinding, isBound) => {
  /** @type {string[]} */
  const calls = [];
  const storage = new MemoryStorage();
  const line = Object.fromEntries(
    Object.entries(storage).map(([name, method]) => [
      name,
      (/** @type {any[]} */ ...args) => {
        if (!BACKGROUND.includes(name)) calls.push(name);
        return method(...args);
      },
    ]),
  );
  const { engine, close } = await openWith(/** @type {any} */ (line), deviceBinding);
  const device = createDevice();
  const create = creator(engine, isBound);
  calls.length = 0;
  const login = await create();
  const atLogin = calls.splice(0);
  const { session, refreshToken } = isBound ? await bound(engine, device, create) : login;
  const proof = isBound
    ? { boundSession: session.handle, proof: device.proof(engine.challengeFor(session.handle)) }
    : {};
  calls.length = 0;
  await engine.refreshSession({ refreshToken: refreshToken.token, form: "pawl", ...proof });
  const atRefresh = calls.splice(0);
  await close();
  return { atLogin: atLogin.join(), atRefresh: atRefresh.join() };
};

/** What is measured here is no other work than is said: one more read, and no more at a login. */
const checkCalls = async () => {
  const [plain, more] = [await callsOf("off", false), await callsOf("prefer", true)];
  const expected = { atLogin: plain.atLogin, atRefresh: `getSession,${plain.atRefresh}` };
  if (plain.atRefresh !== "rotate" || JSON.stringify(more) !== JSON.stringify(expected))
    throw new Error(`the store is asked otherwise: ${JSON.stringify({ plain, more })}`);
};

/** @param {{ directory: string, deviceBinding: "off" | "prefer" }} settings */
export const logIn = async ({ directory, deviceBinding }) => {
  await checkCalls();
  const { engine, close } = await openWith(`sqlite:${directory}/login-${process.pid}.db`, deviceBinding);
  return { ...inFlight(creator(engine, deviceBinding !== "off")), close };
};

/**
 * Sessions refreshed in turn: bound ones with a proof that was signed beforehand, as the browser does it, or others; these
 * with the least beside that a proof could cost, where `least` says so.
 * @param {{ directory: string, sessions: number, isBound: boolean, least?: boolean }} settings
 */
export const refresh = async ({ directory, sessions, isBound, least = false }) => {
  await checkCalls();
  const { engine, storage, close } = await openWith(`sqlite:${directory}/refresh-${process.pid}.db`, "prefer");
  const device = createDevice();
  const create = creator(engine, isBound);
  const issued = await Promise.all(
    Array.from({ length: sessions }, () => (isBound ? bound(engine, device, create) : create())),
  );
  const tokens = issued.map(({ refreshToken }) => refreshToken.token);
  const handles = issued.map(({ session }) => session.handle);
  /** @type {string[]} */
  let proofs = [];
  let signedAt = Number.NEGATIVE_INFINITY;
  const key = createPublicKey({ key: device.jwk, format: "jwk" });
  const [text, signature] = ((/** @type {string} */ proof) => [
    Buffer.from(proof.slice(0, proof.lastIndexOf("."))),
    Buffer.from(proof.slice(proof.lastIndexOf(".") + 1), "base64url"),
  ])(device.proof("a challenge of about this length, as they are"));
  let turn = 0;
  const refreshNext = async () => {
    const place = turn++ % tokens.length;
    const handle = /** @type {import("@pawl/engine").SessionHandle} */ (handles[place]);
    if (least) {
      await storage.getSession(/** @type {any} */ (handle));
      if (
        !verify(
          "sha256",
          /** @type {Buffer} */ (text),
          { key, dsaEncoding: "ieee-p1363" },
          /** @type {Buffer} */ (signature),
        )
      )
        throw new Error("a good signature was refused");
    }
    const outcome = await engine.refreshSession({
      refreshToken: /** @type {string} */ (tokens[place]),
      form: "pawl",
      ...(isBound && { boundSession: handle, proof: proofs[place] }),
    });
    if (outcome.kind !== "refreshed" || outcome.refreshToken.token === tokens[place])
      throw new Error(`a refresh was answered ${outcome.kind}`);
    tokens[place] = outcome.refreshToken.token;
  };
  return {
    ...inFlight(refreshNext),
    /** What the browser does is not counted. */
    reset: () => {
      if (!isBound || performance.now() - signedAt < PROOFS_LIVE) return;
      signedAt = performance.now();
      proofs = handles.map((handle) => device.proof(engine.challengeFor(handle)));
    },
    close,
  };
};
