// The real `createPawl` on a real storage that can be put back to any earlier state, asked as browsers ask it.
import { createPawl } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { MemoryStorage, millis, PUBLIC_TENANT, StorageError } from "@pawl/storage";
import { createClock } from "../clock.mjs";
import { userId } from "../identifiers.mjs";
import { claimsOf } from "../interleavings/stage.mjs";

/** As they are unless an application says otherwise: the reuse window. */
export const WINDOW = 30_000;
/** The shortest that may be bound. */
export const ACCESS = 300_000;

const COOKIES = { access: "__Host-pawl-access", refresh: "__Host-pawl-refresh" };
const ORIGIN = "https://app.example";

/**
 * @typedef {import("@pawl/storage").SessionRecord} Row
 * @typedef {import("@pawl/storage").Storage} Storage
 * @typedef {{ createPawl: typeof createPawl, forFetch: typeof forFetch, MemoryStorage: typeof MemoryStorage, StorageError: typeof StorageError }} Sdk
 *
 * @typedef {{ token: string, handle: string, seq: number, parent: number | undefined, iat: number, expires: number, cookie: number }} Access
 * `cookie`: for how long a browser keeps it, ms
 * @typedef {{ token: string, handle: string, seq: number, iat: number }} Refresh
 * @typedef {{ access?: Access | undefined, refresh?: Refresh | undefined }} Jar
 *
 * @typedef {{ path: string, method?: string, jar: Jar, headers?: Record<string, string> }} Asked
 * @typedef {{ at: number, isDone: boolean }} Fault the call of the storage that fails, and whether it is done all the same
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} found by a page: "session", or a code
 * @property {Jar} set cookies with a value
 * @property {readonly string[]} cleared names of cookies that are taken away
 * @property {string | undefined} offer a challenge to register
 * @property {{ text: string, handle: string } | undefined} challenge
 * @property {Record<string, unknown> | undefined} body
 * @property {number} at when it was made
 * @property {boolean} mayReload whether the page is to be loaded again
 * @property {readonly Row[]} rows the sessions after it
 * @property {readonly Row[]} made sessions that were not there before
 * @property {readonly string[]} events
 * @property {number} calls of the storage
 */

const sdk = { createPawl, forFetch, MemoryStorage, StorageError };

/** What is no session's own, and stays; counts are written in the background. */
const KEPT = [
  "getSigningKeys",
  "addSigningKey",
  "deleteSigningKeys",
  "resealSigningKey",
  "claimMeta",
  "replaceMeta",
  "listMeta",
  "addCounts",
];

const PAGE = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const DEVICE = {
  origin: ORIGIN,
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "no-cors",
  "sec-fetch-dest": "empty",
};
const FETCHED = {
  origin: ORIGIN,
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
  "sec-fetch-dest": "empty",
};

/** What browsers say of themselves, whatever page it is. */
export const headersFor = (/** @type {"page" | "device" | "fetched"} */ kind) =>
  ({ page: PAGE, device: DEVICE, fetched: FETCHED })[kind];

/** The cookies of an answer. @param {readonly string[]} lines @param {Refresh | undefined} presented @param {number} now */
const cookiesOf = (lines, presented, now) => {
  /** @type {Jar} */
  const set = {};
  /** @type {string[]} */
  const cleared = [];
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "") cleared.push(name);
    else if (name === COOKIES.access) {
      const { handle, seq, parentSeq: parent, issuedAt: iat, expiresAt: expires } = claimsOf(value);
      const [, seconds] = /; ?Max-Age=(\d+)/i.exec(line) ?? [];
      const cookie = seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
      set.access = { token: value, handle, seq, parent, iat, expires, cookie };
    } else if (name === COOKIES.refresh) set.refresh = { token: value, handle: "", seq: -1, iat: now };
  }
  if (set.refresh !== undefined && set.access !== undefined) {
    const { handle, seq } = set.access;
    // What was presented and is the newest comes back as the same copy.
    const isKept = presented?.handle === handle && presented.seq === seq;
    set.refresh = { ...set.refresh, handle, seq, iat: isKept ? presented.iat : now };
  }
  return { set, cleared };
};

/**
 * @param {{ sdk?: Sdk, deviceBinding?: "prefer" | "require" | undefined }} [options]
 */
export const openDeviceStage = async ({ sdk: used = sdk, deviceBinding = "prefer" } = {}) => {
  const clock = createClock();
  const kept = new used.MemoryStorage({ clock });
  let current = new used.MemoryStorage({ clock });
  let [calls, isServing] = [0, false];
  /** @type {Fault | undefined} */
  let fault;
  const unavailable = () => new used.StorageError("unavailable", "the store does not answer");

  /** @type {Record<string, any>} */
  const line = { now: clock.now, watchFeeds: () => () => undefined };
  for (const method of Object.keys(kept)) {
    if (method in line) continue;
    line[method] = async (/** @type {any[]} */ ...args) => {
      if (KEPT.includes(method)) return /** @type {any} */ (kept)[method](...args);
      // Uses are reported in the background, when another run may be under way: see `use`.
      if (method === "reportUses" && args[0].some((/** @type {{ iat: number }} */ { iat }) => iat !== clock.time))
        return [];
      const call = () => /** @type {any} */ (current)[method](...args);
      if (!isServing) return call();
      const at = calls++;
      if (fault?.at !== at) return call();
      if (fault.isDone) await call();
      throw unavailable();
    };
  }
  const open = async () => {
    const pawl = used.createPawl({
      storage: /** @type {Storage} */ (line),
      masterKey: Buffer.alloc(32, 7).toString("base64"),
      clock,
      deviceBinding,
      reuseWindow: WINDOW,
      accessTokenValidity: ACCESS,
      refreshTokenValidity: "3650d",
      signingKeyUpdateInterval: "3650d",
    });
    await pawl.ready();
    return { pawl, via: used.forFetch(pawl) };
  };
  let opened = await open();

  const restore = async (/** @type {readonly Row[]} */ rows, /** @type {number} */ now) => {
    clock.time = now;
    current = new used.MemoryStorage({ clock });
    for (const row of rows) await current.createSession(row);
  };
  const rowsOf = async (/** @type {readonly Row[]} */ rows) => {
    const after = await Promise.all(rows.map(({ id }) => current.getSession(id)));
    return after.map((row, index) => row ?? /** @type {Row} */ (rows[index]));
  };
  const rowsBeside = async (/** @type {readonly Row[]} */ rows) => {
    const user = { tenantId: PUBLIC_TENANT, userId: userId("user") };
    const { items } = await current.listSessions(user, { limit: 10 });
    return items.filter(({ id }) => !rows.some((row) => row.id === id));
  };
  const events = async () =>
    (await current.listEvents({}, { limit: 50 })).items.map(({ type }) => String(type)).toSorted();

  /** @param {Asked} asked @param {Request} request @param {readonly Row[]} rows @returns {Promise<Answer>} */
  const serve = async ({ path, jar }, request, rows) => {
    const { via } = opened;
    let found = "";
    const response = await via.handle(request, async () => {
      if (path === "/login") {
        await via.createSession(request, { userId: "user", payload: {}, data: {} });
        return new Response();
      }
      found = await via.getSession(request).then(
        (session) => (session === undefined ? "nobody" : "session"),
        (error) => String(error.code ?? error),
      );
      return new Response();
    });
    const { headers, status } = response;
    const [, offer] = /challenge="([^"]*)"/.exec(headers.get("secure-session-registration") ?? "") ?? [];
    const [, text, handle = ""] = /^"([^"]*)";id="([^"]*)"$/.exec(headers.get("secure-session-challenge") ?? "") ?? [];
    const body = await response.json().catch(() => undefined);
    return {
      status,
      found,
      ...cookiesOf(headers.getSetCookie(), jar.refresh, clock.time),
      offer,
      challenge: text === undefined ? undefined : { text, handle },
      body,
      at: clock.time,
      mayReload: headers.has("refresh"),
      rows: await rowsOf(rows),
      made: await rowsBeside(rows),
      events: await events(),
      calls,
    };
  };

  return {
    clock,
    /**
     * Asks something of sessions that stand as they are given.
     * @param {Asked} asked
     * @param {{ rows: readonly Row[], now: number, fault?: Fault | undefined }} at
     */
    async serve(asked, { rows, now, fault: failing }) {
      await restore(rows, now);
      [calls, fault, isServing] = [0, failing, true];
      const { access, refresh } = asked.jar;
      const cookie = [access && `${COOKIES.access}=${access.token}`, refresh && `${COOKIES.refresh}=${refresh.token}`];
      const headers = new Headers(asked.headers);
      if (access ?? refresh) headers.set("cookie", cookie.filter(Boolean).join("; "));
      const request = new Request(ORIGIN + asked.path, { method: asked.method ?? "GET", headers });
      try {
        const answer = await serve(asked, request, rows);
        // What runs in the background belongs to this run.
        await new Promise(setImmediate);
        const after = await rowsOf(rows);
        // A process remembers what has ended; in other runs it has not.
        if (after.some(({ endedAt }, index) => endedAt !== rows[index]?.endedAt)) {
          await opened.pawl.close();
          await restore([], now);
          opened = await open();
        }
        return { ...answer, rows: after };
      } finally {
        isServing = false;
      }
    },
    /** Notes the use of an access token, as processes report it. @param {Access} access @param {Row} row @param {number} now */
    async use({ seq, iat }, row, now) {
      await restore([row], now);
      const policy = { window: millis(WINDOW), idleTimeout: undefined, activityInterval: millis(60_000) };
      await current.reportUses([{ id: row.id, seq, iat: millis(iat) }], policy);
      return (await current.getSession(row.id)) ?? row;
    },
    close: () => opened.pawl.close(),
  };
};

/** @typedef {Awaited<ReturnType<typeof openDeviceStage>>} DeviceStage */
