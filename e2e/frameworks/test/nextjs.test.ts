import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type KitPayload, testAdapter, TestClock, Visitor } from "@pawl/adapter-conformance";
import { createPawl } from "@pawl/node";
import { MemoryStorage, type Storage, StorageError } from "@pawl/storage";
import { type Given, simulate, type SimulationOptions } from "@pawl/testing";
import next from "next";
import { afterEach, describe, expect, it } from "vitest";
import { shareKit } from "./kit-of-this-process.js";
import { served } from "./served.js";

const HOUR = 3_600_000;
const MOST_HOPS = 6;

const run = shareKit();
// Its types say that it is a module with a default export; Node.js hands out that export.
const app = (next as unknown as typeof next.default)({
  dev: false,
  dir: new URL("../nextjs", import.meta.url).pathname,
});
await app.prepare();
const answer = app.getRequestHandler();

const serve = async (...[pawl, hooks]: Parameters<Parameters<typeof testAdapter>[1]>) => {
  run(pawl, hooks);
  return served(createServer((req, res) => void answer(req, res)));
};

testAdapter("Next.js 16, route handlers", serve, {
  losesCookiesOfErrors: "Next.js answers what a handler throws",
  namesTargets: "Next.js redirects a target of two slashes to one of one",
});

/** Goes where answers lead, as browsers do. */
const browse = async (visitor: Visitor, path: string, asked: Parameters<Visitor["ask"]>[1] = {}) => {
  const hops: string[] = [];
  for (let at = path, how = asked; ;) {
    const received = await visitor.ask(at, how);
    const marked = at.replace(/(pawl-refreshed=)\d+/, "$1");
    hops.push(`${how.method ?? "GET"} ${marked} ${received.status} ${received.setCookies.length}`);
    const location = received.headers["location"];
    if (typeof location !== "string" || hops.length >= MOST_HOPS) return { hops, received };
    const { pathname, search } = new URL(location, "http://127.0.0.1");
    at = pathname + search;
    if (received.status === 303) how = {};
  }
};

/** Sends the only form of a page, as a browser does without a script. */
const submit = async (visitor: Visitor, path: string) => {
  const { text } = await visitor.ask(path);
  const [, name = ""] = /name="(\$ACTION_ID_[^"]+)"/.exec(text) ?? [];
  const body = `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n\r\n--b--\r\n`;
  return (how: { isLost?: boolean } = {}) =>
    browse(visitor, path, {
      ...how,
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=b" },
      body,
    });
};

describe("Next.js 16, pages behind proxy.ts", () => {
  const open = new Set<() => Promise<void>>();
  afterEach(async () => {
    for (const close of open) await close();
    open.clear();
  });

  const start = async () => {
    const clock = new TestClock();
    const state = { isDown: false, thefts: 0, wait: (): void => undefined };
    const storage = new Proxy<Storage>(new MemoryStorage({ clock }), {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== "function") return value;
        return (...given: unknown[]) =>
          state.isDown && name !== "now" && name !== "close"
            ? Promise.reject(new StorageError("unavailable", "out of reach, for the test"))
            : (Reflect.apply(value, target, given) as unknown);
      },
    });
    const pawl = createPawl<KitPayload>({ storage, clock, onTokenTheft: () => void (state.thefts += 1) });
    const { origin, close } = await serve(pawl, { wait: async () => state.wait() });
    open.add(async () => {
      await close();
      await pawl.close();
    });
    const visitor = new Visitor(origin);
    const login = async () => (await submit(visitor, "/pages/sign-in"))();
    return { clock, state, pawl, origin, visitor, login };
  };

  it("lead strangers to the login, and let a server action log in", async () => {
    const { visitor, login } = await start();
    expect((await browse(visitor, "/pages/account")).hops).toEqual([
      "GET /pages/account 307 0",
      "GET /pages/sign-in 200 0",
    ]);
    const { hops, received } = await login();
    expect(hops).toEqual(["POST /pages/sign-in 303 2", "GET /pages/account 200 0"]);
    expect(received.text).toContain("alice");
  });

  it("refresh before they are rendered, by a redirect that carries the cookies", async () => {
    const { clock, visitor, login, state } = await start();
    await login();
    for (let round = 0; round < 3; round += 1) {
      clock.advance(2 * HOUR);
      const { hops, received } = await browse(visitor, "/pages/account?a=1&b=c%2Fd");
      expect(hops).toEqual([
        "GET /pages/account?a=1&b=c%2Fd 307 2",
        "GET /pages/account?a=1&b=c%2Fd&pawl-refreshed= 307 0",
        "GET /pages/account?a=1&b=c%2Fd 200 0",
      ]);
      expect(received.text).toContain("alice");
    }
    expect(state.thefts).toBe(0);
  });

  it("refresh for what the page's script asks too", async () => {
    const { clock, visitor, login } = await start();
    await login();
    clock.advance(2 * HOUR);
    const { hops, received } = await browse(visitor, "/pages/account?_rsc=abc", { headers: { rsc: "1" } });
    expect([received.status, received.headers["content-type"]]).toEqual([200, "text/x-component"]);
    expect(hops.length).toBeLessThan(MOST_HOPS);
  });

  it("carry no cookie with an answer that comes late", async () => {
    const { clock, visitor, login, state } = await start();
    await login();
    for (let round = 0; round < 3; round += 1) {
      clock.advance(2 * HOUR);
      state.wait = () => clock.advance(3 * HOUR);
      const { hops } = await browse(visitor, "/pages/slow");
      expect(hops.at(0)).toBe("GET /pages/slow 307 2");
      expect(hops.at(-1)).toBe("GET /pages/slow 200 0");
    }
    expect(state.thefts).toBe(0);
  });

  it("refresh for five requests at once", async () => {
    const { clock, visitor, login, state } = await start();
    await login();
    for (let round = 0; round < 3; round += 1) {
      clock.advance(2 * HOUR);
      const answers = await Promise.all(Array.from({ length: 5 }, () => browse(visitor, "/pages/account")));
      expect(answers.map(({ received }) => received.status)).toEqual([200, 200, 200, 200, 200]);
    }
    expect(state.thefts).toBe(0);
  });

  it("repeat a server action after the refresh", async () => {
    const { clock, pawl, visitor, login } = await start();
    await login();
    const leave = await submit(visitor, "/pages/account");
    clock.advance(2 * HOUR);
    const { hops } = await leave();
    expect(hops).toEqual([
      "POST /pages/account 307 2",
      "POST /pages/account?pawl-refreshed= 303 2",
      "GET /pages/sign-in 200 0",
    ]);
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
  });

  it("go round in no circle, whatever a jar keeps", async () => {
    const { clock, origin, visitor, login, state } = await start();
    await login();
    const jars: Readonly<Record<string, (name: string) => boolean>> = {
      everything: () => true,
      nothing: () => false,
      "only access tokens": (name) => name === "pawl-access",
      "only refresh tokens": (name) => name === "pawl-refresh",
    };
    clock.advance(2 * HOUR);
    for (const [jar, keeps] of Object.entries(jars)) {
      const own = new Visitor(origin, visitor.cookies, keeps);
      for (const path of ["/pages/account", "/pages/visitors"]) {
        const { hops, received } = await browse(own, path);
        expect([jar, received.status, received.text.includes("alice")]).toEqual([jar, 200, true]);
        expect([jar, hops.length <= 3]).toEqual([jar, true]);
      }
    }
    for (const cookies of [
      { "pawl-access": "x" },
      { "pawl-refresh": "x" },
      { "pawl-access": "x", "pawl-refresh": "pawl_rt_1.x" },
      { "pawl-access": visitor.cookies.get("pawl-access") ?? "" },
    ]) {
      const own = new Visitor(origin, new Map(Object.entries(cookies)), () => false);
      const { hops, received } = await browse(own, "/pages/account");
      expect([cookies, hops.length, received.status, received.text.includes("Sign in")]).toEqual([
        cookies,
        2,
        200,
        true,
      ]);
    }
    expect(state.thefts).toBe(0);
  });

  it("go round in no circle where another site leads to them and the session has ended", async () => {
    const { clock, pawl, visitor, login } = await start();
    await login();
    await pawl.sessions.endUser("alice");
    clock.advance(2 * HOUR);
    const before = visitor.cookies;
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    for (const path of ["/pages/account", "/pages/visitors"]) {
      const { hops, received } = await browse(visitor, path, { headers });
      expect([path, received.status, received.text.includes("alice")]).toEqual([path, 200, false]);
      expect([path, hops.length <= 2, visitor.cookies]).toEqual([path, true, before]);
    }
  });

  it("lead to an answer of 503 while nothing is known, and leave public pages as they are", async () => {
    const { clock, visitor, login, state } = await start();
    await login();
    clock.advance(2 * HOUR);
    state.isDown = true;
    const { hops, received } = await browse(visitor, "/pages/account?a=1");
    expect(hops.at(-1)).toBe("GET /session/refresh?return=%2Fpages%2Faccount%3Fa%3D1 503 0");
    expect(received.json).toEqual({ message: "try again", code: "UNKNOWN" });
    expect((await browse(visitor, "/pages/sign-in")).received.status).toBe(200);
    state.isDown = false;
    expect((await browse(visitor, "/pages/account")).received.text).toContain("alice");
  });

  it("clear the cookies of a thief", async () => {
    const { clock, visitor, login, state } = await start();
    await login();
    const thief = visitor.copy();
    for (let round = 0; round < 3; round += 1) {
      clock.advance(2 * HOUR);
      await browse(visitor, "/pages/account");
    }
    const { received } = await browse(thief, "/pages/account");
    expect(received.text).toContain("Sign in");
    expect([...thief.cookies.keys()]).toEqual([]);
    expect(state.thefts).toBe(1);
    expect((await browse(visitor, "/pages/account")).received.text).toContain("Sign in");
  });

  it("keep the cookies of a route handler that redirects by throwing", async () => {
    const { clock, visitor, login } = await start();
    await login();
    clock.advance(2 * HOUR);
    const { hops } = await browse(visitor, "/go");
    expect(hops).toEqual(["GET /go 307 2", "GET /public 200 0"]);
  });

  it("are told when proxy.ts does not cover them", async () => {
    const { visitor } = await start();
    expect((await visitor.ask("/outside")).status).toBe(500);
  });
});

describe("Next.js 16, driven by simulate", () => {
  type Listener = (req: IncomingMessage, res: ServerResponse) => void;
  const whole: Listener = (req, res) => void answer(req, res);
  /** Keeps the last of several cookies, as a middleware does that copies headers by name. */
  const careless: Listener = (req, res) => {
    const append = res.appendHeader.bind(res);
    res.appendHeader = (name, value) =>
      name.toLowerCase() === "set-cookie" ? res.setHeader(name, [value].flat().slice(-1)) : append(name, value);
    const set = res.setHeader.bind(res);
    res.setHeader = (name, value) =>
      set(name, name.toLowerCase() === "set-cookie" && Array.isArray(value) ? value.slice(-1) : value);
    whole(req, res);
  };
  const hooks = { wait: async () => undefined };
  const over = (listener: Listener) => (given: Given) => {
    run(createPawl<KitPayload>({ ...given }), hooks);
    return (req: IncomingMessage, res: ServerResponse) => listener(req, res);
  };
  const habits: SimulationOptions = {
    seed: 3,
    login: (browser) => browser.post("/enter", { user: browser.user }),
    logout: (browser) => browser.post("/leave"),
  };
  /** Pages are refreshed by proxy.ts, and lead whoever is logged out to the login. */
  const pages: SimulationOptions = {
    ...habits,
    visit: (browser) => browser.get("/pages/account"),
    async isLoggedIn(page) {
      const text = await page.clone().text();
      return text.includes("Hello") ? true : text.includes("Sign in") ? false : undefined;
    },
  };

  it.each([
    ["route handlers", habits],
    ["pages", pages],
  ])(
    "%s lose nobody, and catch a thief",
    async (_, options) => {
      const report = await simulate(over(whole), { ...options, days: 6, thief: "after-lunch" });
      expect(report.failures).toEqual([]);
      expect(report.visits).toBeGreaterThan(25);
      expect(report.thief?.caughtAfter).toBeGreaterThan(0);
    },
    120_000,
  );

  it("finds a lost cookie, in process and by the URL of a server", async () => {
    const inProcess = await simulate(over(careless), { ...habits, days: 3 });
    expect(inProcess.failures.map(({ kind }) => kind)).toContain("lost-cookie");

    for (const [listener, kinds] of [
      [whole, []],
      [careless, ["lost-cookie"]],
    ] as const) {
      const pawl = createPawl<KitPayload>({ storage: "memory:" });
      run(pawl, hooks);
      const { origin, close } = await served(createServer(listener));
      const { failures } = await simulate(origin.replace("127.0.0.1", "localhost"), { ...habits, days: 3 });
      expect(failures.map(({ kind }) => kind)).toEqual(kinds);
      await close();
      await pawl.close();
    }
  }, 120_000);
});
