// Lives by chance of people whose browser keeps a key for their session, through the real `createPawl` and its adapters for `fetch`
// and `node:http`, on two processes: lost and late answers, a quota that is used up, a store that fails, and a thief with the jar.
import { createDevice } from "./device.mjs";
import { headersFor } from "./stage.mjs";
import { openApplication } from "../interleavings/in-place-lives.mjs";
import { claimsOf } from "../interleavings/stage.mjs";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const WINDOW = 30 * SECOND;
/** What the network takes of an exchange at most, each way. */
const NETWORK = WINDOW / 6;
/** Chromium 156 signs six times in nine minutes. */
const QUOTA = { signatures: 6, within: 9 * MINUTE };
const MOST_CHALLENGES = 5;

/**
 * @typedef {import("../random.mjs").Random} Random
 * @typedef {import("../interleavings/in-place-lives.mjs").Application} Application
 * @typedef {import("../interleavings/in-place-lives.mjs").Head} Head
 * @typedef {import("../interleavings/in-place-lives.mjs").SdkModule} SdkModule
 * @typedef {{ handle: string, device: ReturnType<typeof createDevice>, challenge: string | undefined, signed: string | undefined }} Key
 */

const ACCESS = "__Host-pawl-access";
const REFRESH = "__Host-pawl-refresh";

/** A browser: one jar, whose cookies end, and its keys. @param {import("../clock.mjs").ProofClock} clock */
const createBrowser = (clock) => {
  /** @type {Map<string, { value: string, ends: number }>} */
  const jar = new Map();
  /** @type {Map<string, Key>} */
  const keys = new Map();
  return {
    jar,
    keys,
    /** When it has signed. @type {number[]} */
    signatures: [],
    has: (/** @type {string} */ name) => clock.time < (jar.get(name)?.ends ?? 0),
    cookie: () =>
      [...jar]
        .filter(([, { ends }]) => clock.time < ends)
        .map(([name, { value }]) => `${name}=${value}`)
        .join("; "),
    /** The session of its access cookie, as it last had one. @type {string | undefined} */
    holds: undefined,
    /** The session of whose binding it has had the answer, with tokens. @type {string | undefined} */
    holdsBound: undefined,
    take(/** @type {Head} */ { lines, header }) {
      for (const line of lines) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        const [, seconds] = /; ?Max-Age=(\d+)/i.exec(line) ?? [];
        if (value === "") jar.delete(name);
        else jar.set(name, { value, ends: seconds === undefined ? Infinity : clock.time + Number(seconds) * SECOND });
        if (name !== ACCESS || value === "") continue;
        this.holds = claimsOf(value).handle;
        this.holdsBound = seconds === undefined ? undefined : this.holds;
      }
      const [, challenge, handle = ""] =
        /^"([^"]*)";id="([^"]*)"$/.exec(header("secure-session-challenge") ?? "") ?? [];
      const key = keys.get(handle);
      if (key !== undefined && challenge !== undefined) key.challenge = challenge;
    },
  };
};

/** @typedef {ReturnType<typeof createBrowser>} Browser */

/**
 * One life. @returns what went wrong in it, and its story.
 * @param {Application} application
 * @param {{ random: Random, user: string, accessValidity: number }} life
 */
const live = async ({ clock, timetable, serve, thefts, store, isBound }, { random, user, accessValidity }) => {
  const { wait } = timetable;
  const browser = createBrowser(clock);
  /** Sessions that the user has ended, and such whose key the browser had to destroy. @type {Set<string | undefined>} */
  const ended = new Set([undefined]);
  /** @type {Set<string | undefined>} */
  const destroyed = new Set();
  /** @type {string[]} */
  const wrong = [];
  /** @type {string[]} */
  const story = [];
  const started = clock.time;
  const counts = { requests: 0, proofs: 0, bound: 0, attempts: 0, gained: 0, logouts: 0, skipped: 0 };
  const tell = (/** @type {string} */ what) =>
    void story.push(`${((clock.time - started) / SECOND).toFixed(3)} ${what}`);
  const blame = (/** @type {string} */ what) => {
    tell(`!! ${what}`);
    wrong.push(what);
  };
  const way = () => random.pick([0, 0, NETWORK / 2, NETWORK, random.below(NETWORK)]);

  /**
   * Sends a request; undefined where it, or its answer, is lost.
   * @param {string} name
   * @param {{ method?: string, path: string, headers: Record<string, string>, cookie?: string }} asked
   * @param {(api: import("../interleavings/in-place-lives.mjs").Api) => Promise<unknown>} [work]
   * @param {boolean} [isCertain]
   */
  const send = async (
    name,
    { method = "GET", path, headers, cookie = browser.cookie() },
    work = async () => undefined,
    isCertain = false,
  ) => {
    const id = (counts.requests += 1);
    tell(`#${id} ${name} is sent`);
    await wait(isCertain ? 0 : way());
    if (!isCertain && random.chance(0.04)) return undefined;
    const head = await serve(random, { method, path, cookie, headers }, work);
    tell(
      `#${id} is answered ${head.status} ${head.lines.map((line) => line.slice(0, line.indexOf("=") + 4)).join(" ")}`,
    );
    await wait(isCertain ? 0 : way());
    if (!isCertain && random.chance(0.1)) {
      tell(`#${id} is lost`);
      return undefined;
    }
    return head;
  };
  const alarmed = () => thefts.length > 0 && blame("an honest user is called a thief");

  /** Whether the quota lets the browser sign. @param {Key} key */
  const maySign = (key) => {
    if (key.challenge === key.signed) return true;
    browser.signatures = browser.signatures.filter((at) => clock.time - at < QUOTA.within);
    if (browser.signatures.length >= QUOTA.signatures) return false;
    browser.signatures.push(clock.time);
    key.signed = key.challenge;
    counts.proofs += 1;
    return true;
  };

  /** Brings a new key. @param {string} challenge */
  const register = async (challenge) => {
    const device = createDevice();
    browser.signatures.push(clock.time);
    const isElsewhere = random.chance(0.1);
    const headers = { ...headersFor("device"), "secure-session-response": `"${device.registration(challenge)}"` };
    const head = await send("registration", {
      method: "POST",
      path: "/session/device",
      headers,
      ...(isElsewhere && { cookie: "" }),
    });
    if (head === undefined) return;
    browser.take(head);
    if (![200, 403, 503].includes(head.status)) blame(`a registration is answered ${head.status}`);
    if (head.status !== 200) return;
    const handle = String(JSON.parse(head.body())["session_identifier"]);
    browser.keys.set(handle, { handle, device, challenge: undefined, signed: undefined });
    browser.take(head);
    counts.bound += 1;
  };

  /** Proves a key. @param {Key} key @returns what the requests that waited say of it */
  const prove = async (key) => {
    const { handle, device } = key;
    const skipped = (/** @type {string} */ why) => `${why};session_identifier="${handle}"`;
    for (let challenges = 0; challenges < MOST_CHALLENGES; challenges += 1) {
      if (key.challenge !== undefined && !maySign(key)) return skipped("quota_exceeded");
      const proof = key.challenge === undefined ? undefined : device.proof(key.challenge);
      const said = proof === undefined ? {} : { "secure-session-response": `"${proof}"` };
      const headers = { ...headersFor("device"), "sec-secure-session-id": `"${handle}"`, ...said };
      const before = key.challenge;
      const head = await send("refresh", { method: "POST", path: "/session/device", headers });
      if (head === undefined) return skipped("unreachable");
      if (random.chance(0.01)) {
        tell("a proxy answers 429 instead");
        browser.keys.delete(handle);
        destroyed.add(handle);
        return undefined;
      }
      browser.take(head);
      if (![200, 403, 503].includes(head.status)) blame(`a refresh is answered ${head.status}`);
      if (head.status >= 500) return skipped("server_error");
      if (head.status === 403) {
        if (key.challenge === before) blame("403 without a challenge");
        continue;
      }
      if (head.body() !== "" && JSON.parse(head.body())["continue"] === false) {
        if (!ended.has(handle) && browser.holds === handle && (await isBound(handle)))
          blame("the key of a live session is given up");
        browser.keys.delete(handle);
      }
      return undefined;
    }
    blame("five challenges in a row");
    return undefined;
  };
  /** @type {Map<string, Promise<string | undefined>>} */
  const proving = new Map();
  const proveOnce = (/** @type {Key} */ key) => {
    const running = proving.get(key.handle) ?? prove(key).finally(() => proving.delete(key.handle));
    proving.set(key.handle, running);
    return running;
  };

  const page = async (/** @type {boolean} */ isElsewhere) => {
    /** @type {string | undefined} */
    let skipped;
    if (!browser.has(ACCESS) && !isElsewhere)
      for (const key of browser.keys.values()) skipped = (await proveOnce(key)) ?? skipped;
    else if ((browser.jar.get(ACCESS)?.ends ?? 0) - clock.time < 2 * MINUTE && !isElsewhere)
      for (const key of browser.keys.values())
        void proveOnce(key).catch((error) => blame(String(error?.stack ?? error)));
    if (skipped !== undefined) counts.skipped += 1;
    const carried = browser.holds;
    const [hasRefresh, hasAccess] = [browser.has(REFRESH), browser.has(ACCESS)];
    const headers = {
      ...headersFor("page"),
      ...(isElsewhere && { "sec-fetch-site": "cross-site" }),
      ...(skipped !== undefined && { "secure-session-skipped": skipped }),
    };
    const failures = store.failures;
    let isGone = false;
    const head = await send("page", { path: "/page", headers }, async ({ getSession }) => {
      const code = await getSession().then(
        (session) => (session === undefined ? "nobody" : "found"),
        (error) => String(error.code ?? error.stack),
      );
      tell(`a page finds: ${code}`);
      if (code === "found" || ended.has(carried) || !hasRefresh) return;
      if (code === "UNKNOWN" && (skipped !== undefined || store.failures > failures)) return;
      if (code === "TRY_REFRESH" && (hasAccess || isElsewhere)) return;
      if (code === "nobody" && destroyed.has(carried)) return void (isGone = true);
      blame(`a page is answered ${code}`);
    });
    if (isGone) counts.logouts += 1;
    if (head === undefined) return isGone;
    if (head.lines.some((line) => line.startsWith(`${REFRESH}=;`)) && !ended.has(carried))
      blame("a live session's cookies are cleared");
    // What is cleared late could be another session's: then it is not written.
    browser.take(head);
    return isGone;
  };
  const login = async () => {
    const before = browser.holds;
    const head = await send(
      "login",
      { method: "POST", path: "/login", headers: headersFor("fetched") },
      async ({ createSession }) => {
        ended.add(before);
        await createSession({ userId: user });
      },
      true,
    );
    if (head === undefined) return;
    browser.take(head);
    const [, offer] = /challenge="([^"]*)"/.exec(head.header("secure-session-registration") ?? "") ?? [];
    if (offer === undefined) blame("a login offers no registration");
    else if (random.chance(0.95)) await register(offer);
  };
  const leave = async () => {
    const carried = browser.holds;
    if (!browser.has(ACCESS)) return;
    await send("leaving", { method: "POST", path: "/page", headers: headersFor("fetched") }, async ({ signOut }) => {
      ended.add(carried);
      await signOut().catch(() => undefined);
    });
    browser.jar.clear();
  };

  /** Copies the jar, and tries what he can for a while. */
  const stealing = async () => {
    const handle = browser.holds;
    const key = browser.keys.get(handle ?? "");
    if (handle === undefined || key === undefined || browser.holdsBound !== handle || !(await isBound(handle))) return;
    const copy = [...browser.jar].map(([name, { value }]) => ({ name, value }));
    const own = createDevice();
    const shown = copy.find(({ name }) => name === ACCESS);
    const until = shown === undefined ? 0 : claimsOf(shown.value).expiresAt;
    tell("the jar is copied");
    let challenge = "";
    for (let turns = 1 + random.below(5); turns > 0; turns -= 1) {
      await wait(random.pick([0, NETWORK, WINDOW, accessValidity, random.below(2 * accessValidity)]));
      const isValid = clock.time < until;
      const cookie = copy
        .filter(({ name }) => name === REFRESH || random.chance(0.5))
        .map(({ name, value }) => `${name}=${value}`)
        .join("; ");
      const named = { ...headersFor("device"), "sec-secure-session-id": `"${handle}"` };
      const device = { method: "POST", path: "/session/device" };
      const proof = random.pick([own.proof, own.registration])(challenge);
      const kind = random.pick([
        { path: "/page", headers: random.pick([{}, headersFor("page"), { "sec-fetch-site": "cross-site" }]) },
        { path: "/page", headers: { "secure-session-skipped": `quota_exceeded;session_identifier="${handle}"` } },
        { method: "POST", path: "/session/refresh", headers: headersFor("fetched") },
        { ...device, headers: named },
        { ...device, headers: { ...named, "secure-session-response": `"${proof}"` } },
        {
          ...device,
          headers: { ...headersFor("device"), "secure-session-response": `"${own.registration(challenge)}"` },
        },
      ]);
      counts.attempts += 1;
      let found = "";
      const head = await serve(random, { method: "GET", ...kind, cookie }, async ({ getSession }) => {
        found = await getSession().then((session) => (session === undefined ? "nobody" : "session"), String);
      });
      [, challenge = challenge] = /^"([^"]*)"/.exec(head.header("secure-session-challenge") ?? "") ?? [];
      const tokens = head.lines.filter((line) => /^[^=]+=[^;]/.test(line));
      tell(`the thief asks ${kind.path}: ${head.status} ${found}`);
      if (tokens.length === 0 && (found !== "session" || (isValid && cookie.includes(ACCESS)))) continue;
      // A request of before the registration's answer was still under way, and the key was given up.
      if (!ended.has(handle) && !(await isBound(handle))) counts.gained += 1;
      else blame("the thief gets something");
      return;
    }
  };

  /** @type {Promise<unknown>[]} */
  const underWay = [];
  const start = (/** @type {Promise<unknown>} */ work) =>
    void underWay.push(work.catch((error) => blame(String(error?.stack ?? error))));
  const script = async () => {
    await login();
    for (let acts = 3 + random.below(12); acts > 0; acts -= 1) {
      const marks = [
        0,
        NETWORK,
        WINDOW,
        accessValidity - 2 * MINUTE,
        accessValidity - 30 * SECOND,
        accessValidity,
        accessValidity + WINDOW,
      ];
      await wait(
        Math.max(0, random.chance(0.1) ? random.below(5 * HOUR) : random.pick(marks) + random.pick([0, -1, 1, SECOND])),
      );
      alarmed();
      store.isFailing = random.chance(0.08);
      if (random.chance(0.1)) browser.jar.delete(ACCESS);
      if (random.chance(0.25)) start(stealing());
      if (random.chance(0.03)) await leave();
      if (!browser.has(REFRESH) || destroyed.has(browser.holds) || random.chance(0.03)) {
        await Promise.all(underWay);
        store.isFailing = false;
        await login();
        continue;
      }
      for (let burst = random.pick([1, 1, 2, 4]); burst > 0; burst -= 1) start(page(random.chance(0.1)));
      if (random.chance(0.4)) await Promise.all(underWay);
    }
    await Promise.all(underWay);
    store.isFailing = false;
    await wait(accessValidity);
    // When all is over, whoever has the key is still logged in.
    const carried = browser.holds;
    for (
      let tries = 0;
      tries < 5 && !ended.has(carried) && !destroyed.has(carried) && browser.has(REFRESH);
      tries += 1
    ) {
      await page(false);
      if (browser.has(ACCESS)) break;
      await wait(9 * MINUTE);
    }
    if (!ended.has(carried) && !destroyed.has(carried) && browser.has(REFRESH) && !browser.has(ACCESS))
      blame("the user is not logged in any more");
  };
  const done = script().catch((error) => blame(String(error?.stack ?? error)));
  await timetable.run();
  await done;
  alarmed();
  thefts.length = 0;
  return { wrong, story, counts };
};

/** So many lives on one store. */
const LIVES = 50;

/**
 * Lives, as many as wanted, or until the first in which something went wrong.
 * @param {number} size
 * @param {{ random: Random, sdk?: SdkModule, stopAtFirst?: boolean, onLife?: (lives: number) => void }} options
 */
export const liveBound = async (size, { random, sdk, stopAtFirst = false, onLife }) => {
  const total = { lives: 0, requests: 0, proofs: 0, bound: 0, attempts: 0, gained: 0, logouts: 0, skipped: 0 };
  /** @type {{ wrong: readonly string[], story: readonly string[] }[]} */
  const failures = [];
  const isOver = () => total.lives >= size || (stopAtFirst && failures.length > 0);
  while (!isOver()) {
    const accessValidity = random.pick([5, 10, 60]) * MINUTE;
    const rules = { reuseWindow: WINDOW, accessTokenValidity: accessValidity };
    const application = await openApplication(sdk, rules, { deviceBinding: "prefer" });
    for (let lives = 0; lives < LIVES && !isOver(); lives += 1) {
      const user = `user-${total.lives}`;
      const { wrong, story, counts } = await live(application, { random, user, accessValidity });
      await application.endUser(user);
      if (wrong.length > 0) failures.push({ wrong, story });
      for (const name of /** @type {(keyof typeof counts)[]} */ (Object.keys(counts))) total[name] += counts[name];
      total.lives += 1;
      onLife?.(total.lives);
    }
    await application.close();
  }
  return { ...total, failures };
};
