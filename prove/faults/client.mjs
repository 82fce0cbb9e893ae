// What clients of the engine do, and what they may expect; whoever is answered otherwise throws.
import { millis } from "@pawl/storage";
import { userId } from "../identifiers.mjs";

/**
 * @typedef {import("./stage.mjs").Stage} Stage
 * @typedef {import("@pawl/engine").IssuedSession} Issued
 * @typedef {Partial<import("@pawl/engine").CreateSessionInput>} Login
 */

export const SECOND = 1000;
export const MINUTE = millis(60 * SECOND);
export const DAY = 24 * 60 * MINUTE;

export const alice = userId("alice");
/** @param {Stage} stage @param {Login} [more] */
export const login = (stage, more = {}) => stage.engine.createSession({ userId: alice, form: "pawl", ...more });
/** @param {Stage} stage @param {Issued} issued */
export const refresh = (stage, issued) =>
  stage.engine.refreshSession({ refreshToken: issued.refreshToken.token, form: "pawl" });
/** @param {Stage} stage @param {Issued} issued */
export const use = async ({ engine }, issued) => {
  const verified = engine.verifier.verify({ accessToken: issued.accessToken.token });
  if (verified.kind !== "valid") throw new Error(`the access token to be used is answered ${verified.kind}`);
  await engine.reportUses([verified.claims]);
};
/** @param {Stage} stage @param {Issued} issued */
export const refreshed = async (stage, issued) => {
  const outcome = await refresh(stage, issued);
  if (outcome.kind !== "refreshed") throw new Error(`a refresh is answered ${JSON.stringify(outcome)}`);
  return outcome;
};
/** A session some rotations old, whose newest token has been used. @param {Stage} stage @param {Login} [more] */
export const settled = async (stage, more) => {
  /** @type {Issued} */
  let held = await login(stage, more);
  for (let turn = 0; turn < 2; turn += 1) {
    stage.clock.time += 2 * MINUTE;
    held = await refreshed(stage, held);
    stage.clock.time += MINUTE;
    await use(stage, held);
  }
  return held;
};

/**
 * The life of an honest client goes on: it refreshes, verifies, uses, time and again. It holds its newest tokens then.
 * @param {Stage} stage
 * @param {Issued} held
 */
export const goesOn = async (stage, held) => {
  for (let turn = 0; turn < 3; turn += 1) {
    Object.assign(held, await refreshed(stage, held));
    const asked = { accessToken: held.accessToken.token, checkDatabase: true };
    const { kind } = await stage.engine.verifyAccessToken(asked);
    if (kind !== "valid") throw new Error(`a fresh access token is answered ${kind}`);
    stage.clock.time += 2 * MINUTE;
    await use(stage, held);
  }
};
/** @param {Stage} stage @param {Issued} held */
export const isDead = async (stage, held) => {
  const { kind } = await refresh(stage, held);
  if (kind !== "unauthorised") throw new Error(`the refresh token of an ended session is answered ${kind}`);
  await stage.engine.revocations.catchUp();
  const verified = await stage.engine.verifyAccessToken({ accessToken: held.accessToken.token });
  if (verified.kind === "valid" || verified.why !== "revoked")
    throw new Error(`the access token of an ended session is answered ${verified.kind}`);
};
/** @param {unknown} found @param {unknown} wanted @param {string} what */
export const equal = (found, wanted, what) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
};
/** @param {number} found @param {[number, number]} range @param {string} what */
export const between = (found, [least, most], what) => {
  if (found < least || found > most) throw new Error(`${what}: ${found}, not ${least} to ${most}`);
};

export const handleOf = (/** @type {Issued} */ issued) => issued.session.handle;
