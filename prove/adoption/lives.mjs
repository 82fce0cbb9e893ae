// Lives by chance of browsers that come with the cookie of another system, through the real `createPawl`: tabs, bursts, lost and
// overtaken answers, refreshes, an old system that is down, sign-outs, sweeps, and now and then a thief with a copy of the cookie.
import { setImmediate } from "node:timers/promises";
import { defaultPolicy } from "@pawl/engine";
import { createPawl, fetchExchange } from "@pawl/node";
import { millis } from "@pawl/storage";
import { createClock } from "../clock.mjs";
import { startProofCore } from "../core.mjs";

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WINDOW = 30 * SECOND;
const OLD = "old.sid";
/** Of a request during which the old system is down. */
const DOWN = "x-old-system-is-down";
/** What lies between two requests: a page loads, a window just ends, an access token runs out, somebody is away. */
const GAPS = [0, 0, SECOND, 9 * SECOND, 29 * SECOND, 31 * SECOND, 5 * 60 * SECOND, HOUR, 5 * HOUR, 2 * DAY];

/**
 * @typedef {import("../random.mjs").Random} Random
 * @typedef {{ createPawl: typeof createPawl, fetchExchange: typeof fetchExchange }} SdkModule
 * @typedef {import("@pawl/storage").Storage} Storage
 */

/** The rules of sessions. */
const rules = {
  reuseWindow: millis(WINDOW),
  refreshTokenValidity: millis(5 * DAY),
  signingKeyUpdateInterval: millis(3650 * DAY),
  // What the other process has ended counts at once, so that the oracle may be strict.
  checkDatabase: true,
};

const sdkModule = { createPawl, fetchExchange };

/**
 * An application of two processes on a store, or each with a core on it, beside another system whose sessions it adopts.
 * @param {(clock: import("@pawl/storage").Clock) => Promise<Storage>} openStorage
 * @param {{ sdk?: SdkModule, hasCores?: boolean }} [options]
 */
export const openSite = async (openStorage, { sdk = sdkModule, hasCores = false } = {}) => {
  const { createPawl: create, fetchExchange: exchangeOf } = sdk;
  const clock = createClock();
  const storage = await openStorage(clock);
  await storage.migrate();
  const until = clock.time + 1000 * 365 * DAY;
  /** @type {string[]} */
  const thefts = [];
  const inProcess = { storage, masterKey: Buffer.alloc(32, 7).toString("base64") };
  const policy = { ...defaultPolicy, ...rules, enableAntiCsrf: false };
  const config = { ...inProcess, storage: /** @type {any} */ (storage), policy };
  const cores = hasCores ? await Promise.all([0, 1].map(() => startProofCore(config, { clock }))) : [];
  const processes = [0, 1].map((index) =>
    create({
      ...(hasCores ? { core: [cores[index]?.url ?? ""] } : { ...inProcess, ...rules }),
      clock,
      onTokenTheft: ({ userId }) => void thefts.push(userId),
      adopt: {
        cookies: [OLD],
        until,
        load(request) {
          if (request.header(DOWN) !== undefined) throw new Error("the old system is down");
          const id = request.cookie(OLD) ?? "";
          return { id, userId: id };
        },
      },
    }),
  );
  for (const pawl of processes) await pawl.ready();
  return {
    clock,
    storage,
    thefts,
    /** @type {(random: Random, jar: ReadonlyMap<string, string>, ask: "getSession" | "signOut" | "refreshSession", isDown?: boolean) => Promise<{ found: string, lines: readonly string[] }>} */
    async serve(random, jar, ask, isDown = false) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = { ...(cookie !== "" && { cookie }), ...(isDown && { [DOWN]: "1" }) };
      const exchange = exchangeOf(new Request("https://app.example/", { method: "POST", headers }));
      const asked = /** @type {Promise<import("@pawl/node").Session | undefined>} */ (
        random.pick(processes)[ask](exchange)
      );
      const found = await asked.then(
        (session) => (session === undefined ? "nobody" : `${session.userId} ${session.handle}`),
        (error) => (error.code === "UNAUTHORISED" ? "nobody" : String(error.code ?? error.stack)),
      );
      return { found, lines: exchange.applyTo(new Response()).headers.getSetCookie() };
    },
    live: async (/** @type {string} */ user) => (await processes[0]?.sessions.list(user))?.items.length,
    async close() {
      for (const each of [...processes, ...cores]) await each.close();
      await storage.close();
    },
  };
};

/** @typedef {Awaited<ReturnType<typeof openSite>>} Site */

/** The cookies of a browser, which lets go of each when it expires. */
const createJar = (/** @type {{ time: number }} */ clock, /** @type {string} */ old) => {
  /** @type {Map<string, { value: string, until: number }>} */
  const kept = new Map([[OLD, { value: old, until: Infinity }]]);
  return {
    cookies: () =>
      new Map([...kept].filter(([, { until }]) => until > clock.time).map(([name, { value }]) => [name, value])),
    receive(/** @type {readonly string[]} */ lines) {
      for (const line of lines) {
        const [, name = "", value = "", expires = ""] = /^([^=]+)=([^;]*).*; Expires=([^;]+)/.exec(line) ?? [];
        if (value === "") kept.delete(name);
        else kept.set(name, { value, until: Date.parse(expires) });
      }
    },
    /** Whether it had tokens, and none of them is left. */
    hasForgotten: () => kept.size > 1 && [...kept].every(([name, { until }]) => name === OLD || until <= clock.time),
  };
};

/**
 * One life. @returns what was wrong with it, in words.
 * @param {Site} site
 * @param {Random} random
 * @param {string} user whose old session has that id too
 */
export const live = async (site, random, user) => {
  const { clock, storage } = site;
  const jar = createJar(clock, user);
  const cookieFromBefore = jar.cookies();
  /** @type {string[]} */
  const wrong = [];
  /** @type {Set<string>} */
  const sessions = new Set();
  let isOver = false;
  /** Every answer was lost for so long that its tokens have expired: it has to log in again, and that is no alarm. */
  let hasForgotten = false;
  let adoptedAt = Infinity;
  /** @type {{ at: number, go: () => Promise<void> }[]} */
  let due = [];
  const plan = (/** @type {number} */ at, /** @type {() => Promise<void>} */ go) => {
    due = [...due, { at, go }].toSorted((one, other) => one.at - other.at);
  };

  const judge = (
    /** @type {string} */ found,
    /** @type {{ before: boolean, mayBeUnknown: boolean }} */ { before, mayBeUnknown },
  ) => {
    if (found.startsWith(`${user} `)) {
      sessions.add(found);
      adoptedAt = Math.min(adoptedAt, clock.time);
      if (before) wrong.push(`is logged in after the sign-out`);
    } else if (found === "nobody" ? !isOver && !hasForgotten : !(found === "UNKNOWN" && mayBeUnknown))
      wrong.push(`is answered ${found}`);
  };

  /** A request with the cookies of now, of which the network has a third of the window, there and back. */
  const send = (/** @type {number} */ at, /** @type {"getSession" | "refreshSession"} */ ask) => {
    plan(at, async () => {
      const carried = jar.cookies();
      hasForgotten ||= jar.hasForgotten();
      const isDown = random.chance(0.1);
      const arrival = at + random.below(WINDOW / 6);
      plan(arrival, async () => {
        const before = isOver;
        const { found, lines } = await site.serve(random, carried, ask, isDown);
        judge(found, { before, mayBeUnknown: isDown && carried.size === 1 });
        if (random.chance(0.3)) return;
        plan(arrival + random.below(WINDOW / 6), async () => jar.receive(lines));
      });
    });
  };
  /** At once where there are several, so that the store sees them so. */
  const run = async () => {
    while (due.length > 0) {
      const at = due[0]?.at ?? 0;
      const now = due.filter((event) => event.at === at);
      due = due.filter((event) => event.at !== at);
      clock.time = at;
      await Promise.all(now.map(({ go }) => go()));
    }
  };

  let at = clock.time;
  for (let bursts = 2 + random.below(8); bursts > 0; bursts -= 1) {
    const requests = random.chance(0.4) ? 5 : 1 + random.below(2);
    for (let count = 0; count < requests; count += 1)
      send(at + (random.chance(0.5) ? 0 : random.below(SECOND)), random.chance(0.15) ? "refreshSession" : "getSession");
    at += random.pick(GAPS);
  }
  await run();
  if (sessions.size > 1) wrong.push(`has ${sessions.size} sessions`);
  if (sessions.size > 0 && !hasForgotten && (await site.live(user)) !== 1)
    wrong.push(`has ${await site.live(user)} live sessions`);

  /** Time passes; two answers arrive, and what they brought is used. */
  const goOn = async () => {
    for (let turn = 0; turn < 2; turn += 1) {
      clock.time += 2 * HOUR;
      hasForgotten ||= jar.hasForgotten();
      const { found, lines } = await site.serve(random, jar.cookies(), "getSession");
      judge(found, { before: isOver, mayBeUnknown: false });
      jar.receive(lines);
    }
  };
  const isStolen = random.chance(0.3);
  await goOn();
  await goOn();
  const alarms = site.thefts.splice(0).length;
  if (alarms > 0) wrong.push(`${alarms} false alarms`);
  if (hasForgotten) return wrong;
  // Older than refresh tokens live, the cookie from before shows nothing any more, and its session goes on.
  const isAged = clock.time - adoptedAt > rules.refreshTokenValidity;
  if (isStolen) {
    const { found } = await site.serve(random, cookieFromBefore, "getSession");
    if (found !== "nobody" && (isAged || found !== "TOKEN_THEFT")) wrong.push(`a thief is answered ${found}`);
    if (site.thefts.splice(0).length !== (isAged ? 0 : 1)) wrong.push("a theft is not noticed, or one that is none is");
    if (isAged && (await site.live(user)) !== 1) wrong.push("a cookie that has aged ends a session");
  }
  if (!isStolen || isAged) {
    const { found, lines } = await site.serve(random, random.chance(0.3) ? cookieFromBefore : jar.cookies(), "signOut");
    // With the old cookie alone it would be a theft, which ends the session as well; or it ends a moment after the answer.
    if (found !== "nobody") wrong.push(`a sign-out is answered ${found}`);
    site.thefts.splice(0);
    for (let turn = 0; turn < 100 && (await site.live(user)) !== 0; turn += 1) await setImmediate();
    if (random.chance(0.6)) jar.receive(lines);
  }
  isOver = true;
  for (const days of [0, 1, 6, 30]) {
    clock.time += days * DAY;
    if (random.chance(0.5)) await storage.deleteExpired(millis(clock.time), 100);
    const carried = random.chance(0.5) ? jar.cookies() : cookieFromBefore;
    const { found, lines } = await site.serve(random, carried, "getSession");
    judge(found, { before: true, mayBeUnknown: false });
    jar.receive(lines);
  }
  if ((await site.live(user)) !== 0) wrong.push("a session lives on after its end");
  if (site.thefts.splice(0).length > 0) wrong.push("an alarm after the end");
  clock.time += DAY;
  return wrong;
};
