import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningCore, startCore } from "@pawl/core";
import { afterEach, describe, expect, test } from "vitest";
import { createPawl, type CoreOptions, type Pawl } from "../src/index.js";
import { testClock } from "../src/testing.js";
import { Browser } from "./browser.js";
import { coreConfig } from "./core-config.js";
import { startProxiedCore } from "./core-proxy.js";
import { listen, startWebApp } from "./web-app.js";

const GENERAL_ERROR = 1000;
const UNAUTHORISED = 2000;
const TRY_REFRESH_TOKEN = 3000;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});
const later = <It extends { close(): Promise<void> }>(it: It): It => {
  open.push(it);
  return it;
};

/** A wire between SDK and core that a test can cut. */
class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  url = "";
  /** What new connections meet: the core, a closed door, or silence. */
  state: "open" | "cut" | "silent" = "open";

  constructor(target: () => number) {
    this.#server = createTcpServer((socket) => {
      this.#keep(socket);
      if (this.state === "cut") socket.destroy();
      if (this.state !== "open") return;
      const onward = connect(target(), "127.0.0.1");
      this.#keep(onward);
      socket.pipe(onward).pipe(socket);
      socket.on("close", () => onward.destroy());
      onward.on("close", () => socket.destroy());
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
    return this;
  }

  /** Ends all connections; what comes next meets the state. */
  cut(state: "cut" | "silent"): void {
    this.state = state;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut("cut");
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

const wired = async (options: Partial<CoreOptions> = {}) => {
  const clock = testClock();
  const core = later(await startCore(coreConfig(), { clock }));
  const wire = later(await new Wire(() => core.address.port).start());
  const pawl = later(
    createPawl({
      core: [wire.url],
      clock,
      cookies: { sameSite: "lax" },
      tryTimeout: "300ms",
      callTimeout: "1s",
      ...options,
    }),
  );
  await pawl.ready();
  const app = later(await startWebApp(pawl));
  return { clock, core, wire, pawl, app, browser: new Browser(app) };
};

/** Until the feed of an instance stands: what is revoked elsewhere is heard. */
const heard = async (pawl: Pawl, core: RunningCore): Promise<void> => {
  const handles = new Set<string>();
  const stop = await pawl.sessions.onRevoked(({ handle }) => handles.add(handle));
  await expect
    .poll(
      async () => {
        const { session } = await core.engine.createSession({ userId: "probe" as never });
        await core.engine.revokeSessions([session.handle]);
        return handles.size;
      },
      { interval: 50, timeout: 15_000 },
    )
    .toBeGreaterThan(0);
  stop();
};

describe("a partition between SDK and core", () => {
  test.each(["cut", "silent"] as const)(
    "%s: verification goes on; refresh is GENERAL_ERROR, cookies kept; afterwards all is well",
    async (state) => {
      const { wire, browser, clock, app } = await wired();
      await browser.login("u1");
      clock.advance("10m");
      wire.cut(state);
      expect((await browser.send("/me")).body.userId).toBe("u1");
      const refresh = await browser.refresh();
      expect(refresh.body.errType).toBe(GENERAL_ERROR);
      expect(refresh.setCookie).toEqual([]);
      expect(refresh.headers["id-refresh-token"]).toBeUndefined();
      const login = await new Browser(app).login("u2");
      expect(login.body.errType).toBe(GENERAL_ERROR);
      expect(login.setCookie).toEqual([]);
      const data = await browser.send("/data");
      expect(data.body.errType).toBe(GENERAL_ERROR);
      expect(data.setCookie).toEqual([]);
      wire.state = "open";
      await expect.poll(async () => (await browser.refresh()).status).toBe(200);
      expect((await browser.send("/me")).body.userId).toBe("u1");
    },
  );

  test("what was revoked meanwhile is known once the feed stands again", async () => {
    const { core, wire, pawl, browser } = await wired();
    const { body } = await browser.login("u1");
    await heard(pawl, core);
    wire.cut("cut");
    await core.engine.revokeSessions([body.handle]);
    expect((await browser.send("/me")).body.userId).toBe("u1");
    wire.state = "open";
    await expect.poll(async () => (await browser.send("/me")).body.errType, { timeout: 15_000 }).toBe(UNAUTHORISED);
  });

  test("what changed meanwhile is known once the feed stands again, and a refresh brings it", async () => {
    const { core, wire, pawl, browser } = await wired();
    const { body } = await browser.login("u1");
    await heard(pawl, core);
    wire.cut("cut");
    await core.engine.updatePayload(body.handle, { role: "user" });
    expect((await browser.send("/me")).body.userId).toBe("u1");
    wire.state = "open";
    await expect
      .poll(async () => (await browser.send("/me")).body.errType, { timeout: 15_000 })
      .toBe(TRY_REFRESH_TOKEN);
    expect((await browser.refresh()).status).toBe(200);
    expect((await browser.send("/me")).body.userId).toBe("u1");
  });

  test("with `whenFeedIsCut: ask` a cut feed means asking the core", async () => {
    const { core, wire, pawl, browser } = await wired({ whenFeedIsCut: "ask", feedCutAfter: "0s" });
    const { body } = await browser.login("u1");
    await heard(pawl, core);
    wire.cut("cut");
    await expect.poll(async () => (await browser.send("/me")).body.errType).toBe(GENERAL_ERROR);
    await core.engine.revokeSessions([body.handle]);
    wire.state = "open";
    await expect.poll(async () => (await browser.send("/me")).body.errType, { timeout: 15_000 }).toBe(UNAUTHORISED);
  });
});

describe("starting", () => {
  test("a core that is down at init does no harm; the next call asks again", async () => {
    const core = await startCore(coreConfig());
    const { port } = core.address;
    await core.close();
    const pawl = later(createPawl({ core: [{ hostname: "127.0.0.1", port }], cookies: { sameSite: "lax" } }));
    await expect(pawl.getAllSessionHandlesForUser("u1")).rejects.toMatchObject({
      errType: GENERAL_ERROR,
      message: "No Pawl core available to query: ECONNREFUSED",
    });
    later(await startCore(coreConfig({}, { port })));
    expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([]);
  });

  test("a request that lacks a token is told so while the core is down, at once", async () => {
    const wire = later(await new Wire(() => 0).start());
    wire.cut("silent");
    const pawl = later(createPawl({ core: [wire.url], tryTimeout: "1500ms" }));
    const res = { getHeader: () => undefined, setHeader: () => expect.unreachable("no cookie may be touched") };
    const start = performance.now();
    const req = { headers: { cookie: "sIdRefreshToken=a; sRefreshToken=b" } };
    await expect(pawl.getSession(req, res, true)).rejects.toMatchObject({ errType: 3000 });
    await expect(pawl.tokens.getSession("t", undefined, true, undefined)).rejects.toMatchObject({ errType: 2000 });
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("createPawl begins to open by itself", async () => {
    const core = later(await startCore(coreConfig()));
    const asked: string[] = [];
    const note = (message: unknown): unknown => asked.push((message as { request: { path: string } }).request.path);
    subscribe("http.client.request.start", note);
    later(createPawl({ core: [{ hostname: "127.0.0.1", port: core.address.port }], cookies: { sameSite: "lax" } }));
    await expect.poll(() => asked).toContain("/v1/settings");
    unsubscribe("http.client.request.start", note);
  });

  test("a core that hangs holds up a close for a second at most", async () => {
    const { wire, pawl, clock } = await wired({ tryTimeout: "5s", callTimeout: "15s" });
    const { accessToken } = await pawl.tokens.createNewSession("u1");
    wire.cut("silent");
    clock.advance("10m");
    await pawl.tokens.getSession(accessToken.token, undefined, false, "x");
    const start = performance.now();
    await pawl.close();
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("a core that asks for an API key", async () => {
    const key = "k".repeat(20);
    const core = later(await startCore(coreConfig({}, { apiKeys: [key] })));
    const hosts = [{ hostname: "127.0.0.1", port: core.address.port }];
    const without = later(createPawl({ core: hosts, cookies: { sameSite: "lax" } }));
    await expect(without.ready()).rejects.toMatchObject({
      errType: GENERAL_ERROR,
      message: expect.stringContaining("status code: 401") as string,
    });
    const withKey = later(createPawl({ core: hosts, apiKey: key, cookies: { sameSite: "lax" } }));
    const { session } = await withKey.tokens.createNewSession("u1");
    await heard(withKey, core);
    expect(await withKey.revokeSessionUsingSessionHandle(session.handle)).toBe(true);
  });

  test("what is no core, but answers, is no answer about a session", async () => {
    for (const status of [200, 401, 403, 404, 500, 502]) {
      const web = later(await listen(createServer((_req, res) => res.writeHead(status).end("<html>login</html>"))));
      const pawl = later(createPawl({ core: [web.url] }));
      const res = { getHeader: () => undefined, setHeader: () => expect.unreachable("no cookie may be touched") };
      const req = { headers: { cookie: "sAccessToken=a; sRefreshToken=b; sIdRefreshToken=c" } };
      await expect(pawl.getSession(req, res, false)).rejects.toMatchObject({ errType: GENERAL_ERROR });
      await expect(pawl.refreshSession(req, res)).rejects.toMatchObject({ errType: GENERAL_ERROR });
    }
  });
});

describe("keys", () => {
  test("a token signed with a key this process has not seen: the key set is read once more", async () => {
    const { core, pawl, clock, browser } = await wired();
    await browser.login("u1");
    await core.engine.rotateSigningKey();
    clock.advance("2m");
    await expect
      .poll(async () => {
        const { session, accessToken, idRefreshToken } = await pawl.tokens.createNewSession("u2");
        const found = await pawl.tokens.getSession(accessToken.token, undefined, false, idRefreshToken.token);
        return found.session.handle === session.handle;
      })
      .toBe(true);
    expect((await browser.send("/me")).body.userId).toBe("u1");
  });

  test("unknown keys do not make the SDK ask for each token", async () => {
    let reads = 0;
    const clock = testClock();
    const core = later(await startCore(coreConfig(), { clock }));
    const proxy = later(
      await listen(
        createServer((req, res) => {
          if (req.url === "/v1/jwks") reads++;
          void (async () => {
            const answer = await fetch(`http://127.0.0.1:${core.address.port}${req.url}`);
            if (req.url === "/v1/revocations") return void (await answer.body?.cancel(), req.socket.destroy());
            res.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
          })();
        }),
      ),
    );
    const pawl = later(createPawl({ core: [proxy.url], clock, cookies: { sameSite: "lax" } }));
    await pawl.ready();
    const header = Buffer.from('{"alg":"ES256","typ":"JWT","version":"5","kid":"d-5"}').toString("base64url");
    const verify = (at: number): Promise<unknown> =>
      pawl.tokens.getSession(`${header}.e30.${"A".repeat(80)}${at}`, undefined, false, "x");
    await expect
      .poll(async () => {
        await verify(-1).catch(() => undefined);
        return reads;
      })
      .toBe(2);
    const attempts = Array.from({ length: 200 }, (_, at) => verify(at));
    for (const { reason } of (await Promise.allSettled(attempts)) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ errType: 3000 });
    expect(reads).toBe(2);
  });
});

test("a key set that cannot be read is trouble for everyone who asks, not only for the first", async () => {
  const core = later(await startProxiedCore());
  const pawl = await core.open();
  const header = Buffer.from('{"alg":"ES256","typ":"JWT","version":"5","kid":"d-5"}').toString("base64url");
  const verify = (): Promise<unknown> =>
    pawl.tokens.getSession(`${header}.e30.${"A".repeat(86)}`, undefined, false, "x").then(
      () => "valid",
      (error: { errType: number }) => error.errType,
    );
  core.instead = ({ url }, res) => (url === "/v1/jwks" ? res.writeHead(503).end() : false);
  await expect.poll(verify).toBe(GENERAL_ERROR);
  for (let caller = 0; caller < 3; caller++) expect(await verify()).toBe(GENERAL_ERROR);
});

test("duplicate refresh cookies are one question to the core, and what can be no token is no part of it", async () => {
  const core = later(await startProxiedCore());
  const browser = new Browser(later(await startWebApp(await core.open())));
  await browser.login("u1");
  core.clock.advance("10m");
  const asked: string[] = [];
  core.instead = (req) => {
    if (req.url === "/v1/sessions/refresh") req.on("data", (body: Buffer) => asked.push(body.toString()));
    return false;
  };
  const tokens = ["garbage", "", "x".repeat(5000), browser.cookies.get("sRefreshToken") ?? ""];
  const cookie = tokens.map((token) => `sRefreshToken=${token}`).join("; ");
  const answer = await browser.send("/session/refresh", { method: "POST", cookie });
  const refused = await browser.send("/session/refresh", { method: "POST", cookie: `sRefreshToken=${tokens[2]}` });
  expect(answer.status).toBe(200);
  expect(refused.body).toMatchObject({ errType: UNAUTHORISED });
  expect(asked.map((body) => JSON.parse(body) as unknown)).toEqual([
    { refreshToken: "garbage", form: "v5", otherRefreshTokens: ["", tokens[3]], antiCsrfToken: browser.antiCsrf },
  ]);
});

test("two nodes of a core on one store: when one stops, the other serves the same sessions", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-node-"));
  const config = coreConfig({}, { storage: `sqlite:${join(folder, "pawl.db")}` });
  const a = await startCore(config);
  const b = later(await startCore(config));
  const hosts = [a, b].map(({ address }) => ({ hostname: address.host, port: address.port }));
  const pawl = later(createPawl({ core: hosts, cookies: { sameSite: "lax" } }));
  const { session, refreshToken } = await pawl.tokens.createNewSession("u1");
  await a.close();
  for (let call = 0; call < 4; call++) {
    expect((await pawl.tokens.refreshSession(refreshToken.token)).session.handle).toBe(session.handle);
    expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([session.handle]);
  }
  await pawl.close();
  await b.close();
  await rm(folder, { recursive: true });
});
