// What a thief can ask who has the jar, and not the key.
import { isDeepStrictEqual } from "node:util";
import { headersFor } from "./stage.mjs";
import { deviceOf, rowOf } from "./world.mjs";

/**
 * @typedef {import("./stage.mjs").Row} Row
 * @typedef {import("./stage.mjs").Jar} Jar
 * @typedef {import("./world.mjs").World} World
 * @typedef {import("./world.mjs").Devices} Devices
 * @typedef {import("./world.mjs").Scene} Scene
 */

/** Takes more than a jar: what the login's answer said. A session is bound once all the same. */
const OVERHEARD = "registers a key of his own over the login's challenge";

/** Everything a thief can ask with the jar he has; he can say in a header whatever he likes. @param {Jar} jar @param {string} offer @param {Devices} devices */
const thefts = (jar, offer, devices) => {
  const mine = /** @type {import("./device.mjs").Device} */ (devices[2]);
  const handle = jar.refresh?.handle ?? "";
  const named = { ...headersFor("device"), "sec-secure-session-id": `"${handle}"` };
  const old = { refresh: jar.refresh };
  const skipped = { ...headersFor("page"), "secure-session-skipped": `server_error;session_identifier="${handle}"` };
  const device = { path: "/session/device", method: "POST" };
  /** @type {Record<string, (challenge: string) => import("./stage.mjs").Asked>} */
  return {
    "opens a page": () => ({ path: "/page", jar, headers: headersFor("page") }),
    "opens a page with the refresh cookie alone": () => ({ path: "/page", jar: old, headers: headersFor("page") }),
    "opens a page without saying anything": () => ({ path: "/page", jar: old }),
    "says that another site had it opened": () => ({
      path: "/page",
      jar,
      headers: { ...headersFor("page"), "sec-fetch-site": "cross-site" },
    }),
    "says that it could not refresh": () => ({ path: "/page", jar, headers: skipped }),
    "asks for a refresh as a page": () => ({
      path: "/session/refresh",
      method: "POST",
      jar,
      headers: headersFor("fetched"),
    }),
    "is sent to be refreshed": () => ({ path: "/session/refresh?return=/", jar: old, headers: headersFor("page") }),
    "asks for a refresh as the browser": () => ({ ...device, jar, headers: named }),
    "proves a key of his own": (/** @type {string} */ challenge) => ({
      ...device,
      jar,
      headers: { ...named, "secure-session-response": `"${mine.proof(challenge)}"` },
    }),
    "proves a key that he brings along": (/** @type {string} */ challenge) => ({
      ...device,
      jar,
      headers: { ...named, "secure-session-response": `"${mine.registration(challenge)}"` },
    }),
    [OVERHEARD]: () => ({
      ...device,
      jar: old,
      headers: { ...headersFor("device"), "secure-session-response": `"${mine.registration(offer)}"` },
    }),
    "registers a key of his own": (/** @type {string} */ challenge) => ({
      ...device,
      jar,
      headers: { ...headersFor("device"), "secure-session-response": `"${mine.registration(challenge)}"` },
    }),
    "signs out": () => ({ path: "/signout", method: "POST", jar, headers: headersFor("fetched") }),
    "signs out with the refresh cookie alone": () => ({
      path: "/signout",
      method: "POST",
      jar: old,
      headers: headersFor("fetched"),
    }),
    "logs in as somebody": () => ({ path: "/login", method: "POST", jar, headers: headersFor("fetched") }),
    "logs in as somebody with the refresh cookie alone": () => ({
      path: "/login",
      method: "POST",
      jar: old,
      headers: headersFor("fetched"),
    }),
  };
};

/** What only the holder of an access token that has not ended can do: he is the user as long as it lives. */
const OWNERS = ["signs out", "logs in as somebody"];

/**
 * Lets the thief do all he can, each in the same world: none of it may bring him a token, or change anything for the victim.
 * Until the key has proved a refresh, copies of before the registration are worth what they are without one.
 * @param {World} world
 * @param {Scene} scene
 * @returns {Promise<{ runs: number, gained: number, wrong: string[] }>}
 */
export const letThiefTry = async (world, { stage, devices, life }) => {
  const { thief, rows, now } = world;
  if (thief?.refresh === undefined) return { runs: 0, gained: 0, wrong: [] };
  const row = rowOf(world, thief.refresh.handle);
  const key = deviceOf(row);
  const isValid = thief.access !== undefined && now < thief.access.expires;
  const isUnanswered = key !== undefined && !world.proved.includes(thief.refresh.handle) && thief.refresh.iat < key.at;
  // Required, a session that is not bound has no refresh at all.
  const isUnbound = row?.bound === "";
  const mayGain = life.policy !== "require" && (isUnbound || isUnanswered);
  /** @type {string[]} */
  const wrong = [];
  let [runs, gained] = [0, 0];
  let challenge = "";
  for (const [what, ask] of Object.entries(thefts(thief, world.offers[thief.refresh.handle]?.text ?? "", devices))) {
    if (isUnbound && what === OVERHEARD) continue;
    if (isValid && OWNERS.includes(what)) continue;
    const asked = ask(challenge);
    const answer = await stage.serve(asked, { rows, now });
    runs += 1;
    challenge = answer.challenge?.text ?? challenge;
    const own = asked.path === "/login" ? undefined : (answer.set.refresh ?? answer.set.access);
    const isChanged = !isDeepStrictEqual(answer.rows, rows) && !isUnbound;
    if (mayGain) {
      if (own !== undefined || isChanged) gained += 1;
      continue;
    }
    const tell = (/** @type {string} */ outcome) => void wrong.push(`the thief ${what}: ${outcome}`);
    if (own !== undefined) tell("gets a token");
    if (answer.body?.["scope"] !== undefined) tell("is taken for the browser");
    if (isChanged) tell(`changes the session: ${answer.rows.map(({ endReason, bound }) => endReason ?? bound).join()}`);
    if (answer.found === "session" && !(isValid && asked.jar.access !== undefined)) tell("is let in");
    if (answer.events.some((event) => event !== "unproven_refresh" && event !== "session_ended"))
      tell(answer.events.join());
  }
  return { runs, gained, wrong };
};
