import { request } from "node:http";
import { createPawl, type Pawl } from "@pawl/node";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Payload } from "../src/application.js";
import { CookieJar, cookieNamesOf } from "../src/cookie-jar.js";
import { listenOnLoopback, type LoopbackServer } from "../src/loopback.js";
import type { ApplicationAnswer, CookieView, StolenAnswer, ThiefAnswer } from "../src/page/answers.js";
import { createWebServer } from "../src/web-server.js";
import { type TestClock, testClock } from "../../../packages/node/test/clock.js";

const settings = {
  mode: "embedded",
  backend: "memory",
  https: false,
  accessLifetime: 15,
  reuseWindow: 2,
  idleMinutes: 30,
} as const;
const cookieNames = cookieNamesOf(settings);

let pawl: Pawl<Payload>;
let clock: TestClock;
let server: LoopbackServer;

beforeEach(async () => {
  clock = testClock();
  pawl = createPawl({
    storage: "memory:",
    clock,
    accessTokenValidity: "15s",
    reuseWindow: "2s",
    idleTimeout: "30m",
  });
  server = await listenOnLoopback(createWebServer({ pawl, settings }), 0);
});
afterEach(async () => {
  await server.close();
  await pawl.close();
});

/** A browser without a page: cookies and JSON. */
class Client {
  readonly jar = new CookieJar();

  async send(
    method: "GET" | "POST",
    path: string,
    body?: object,
  ): Promise<{ status: number; text: string; body: unknown }> {
    const headers: Record<string, string> = { cookie: this.jar.header(), "st-auth-mode": "cookie" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    this.jar.receive(response.headers.getSetCookie());
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  }
}

const codeOf = (answer: { readonly body: unknown }): string | undefined => (answer.body as ApplicationAnswer).code;

const loggedIn = async (name = "Ada"): Promise<Client> => {
  const client = new Client();
  expect((await client.send("POST", "/login", { name })).status).toBe(200);
  return client;
};

it("answers a protected call only with a session", async () => {
  const stranger = await new Client().send("GET", "/api/greeting");
  expect(stranger).toMatchObject({ status: 401, body: { code: "UNAUTHORISED" } });
  const answer = await (await loggedIn()).send("GET", "/api/greeting");
  expect(answer).toMatchObject({ status: 200, body: { message: expect.stringContaining("Hello Ada") } });
});

it("refuses names that are none", async () => {
  for (const body of [{}, { name: "" }, { name: "   " }, { name: 7 }, { name: "x".repeat(41) }, { name: "a\0b" }])
    expect((await new Client().send("POST", "/login", body)).status).toBe(400);
});

it("refreshes in place when the access token has expired, and on its route", async () => {
  const client = await loggedIn();
  const seq = async () => ((await client.send("GET", "/demo/cookies")).body as CookieView).accessToken?.seq;
  clock.advance(16 * 1000);
  expect((await client.send("GET", "/api/greeting")).status).toBe(200);
  expect(await seq()).toBe(1);
  clock.advance(16 * 1000);
  expect((await client.send("POST", "/session/refresh")).status).toBe(200);
  expect(await seq()).toBe(2);
});

it("says why a session ended that was left alone", async () => {
  const client = await loggedIn();
  clock.advance(31 * 60_000);
  const { status, body } = await client.send("GET", "/api/greeting");
  expect([status, body]).toEqual([401, { message: "unauthorised", code: "UNAUTHORISED", reason: "idle" }]);
});

it("says that a session without a refresh token has ended", async () => {
  expect(await new Client().send("POST", "/session/refresh")).toMatchObject({
    status: 401,
    body: { code: "UNAUTHORISED" },
  });
});

it("tells the page what its cookies hold, but no token", async () => {
  const client = await loggedIn();
  const { text, body } = await client.send("GET", "/demo/cookies");
  const view = body as CookieView;
  expect(view.accessToken).toMatchObject({
    userId: "Ada",
    seq: 0,
    header: { alg: "ES256" },
    claims: { role: "editor" },
  });
  expect(view.refreshFingerprint).toMatch(/^[0-9a-f]{8}$/);
  for (const name of Object.values(cookieNames)) {
    const token = client.jar.get(name) ?? "";
    expect(token.length).toBeGreaterThan(40);
    expect(text).not.toContain(token);
    expect(text).not.toContain(token.slice(-32));
  }
});

it("reads cookies that hold nonsense without a fault", async () => {
  const client = new Client();
  client.jar.set(cookieNames.access, "a.%E0%A4%A.c");
  expect((await client.send("GET", "/demo/cookies")).body).not.toHaveProperty("accessToken");
});

it("lets the access token run out on demand", async () => {
  const client = await loggedIn();
  await client.send("POST", "/demo/expire");
  expect(client.jar.get(cookieNames.access)).toBeUndefined();
  expect((await client.send("GET", "/api/greeting")).status).toBe(200);
  expect(client.jar.get(cookieNames.access)).toBeDefined();
});

it("commits a refresh whose answer it then drops (hazard: answer to refresh lost)", async () => {
  const client = await loggedIn();
  clock.advance(16 * 1000);
  const lost = fetch(`http://127.0.0.1:${server.port}/session/refresh`, {
    method: "POST",
    headers: { cookie: client.jar.header(), "st-auth-mode": "cookie", "demo-lose-tokens": "yes" },
  });
  await expect(lost).rejects.toThrow(TypeError);
  expect((await client.send("POST", "/session/refresh")).status).toBe(200);
  const view = (await client.send("GET", "/demo/cookies")).body as CookieView;
  expect(view.accessToken?.seq).toBe(1);
  clock.advance(29 * 60_000);
  expect((await client.send("POST", "/session/refresh")).status).toBe(200);
});

it("catches a thief who shows a token that was turned and whose successor was used", async () => {
  const victim = await loggedIn();
  const { jar } = (await victim.send("POST", "/demo/steal")).body as StolenAnswer;
  clock.advance(16 * 1000);
  await victim.send("POST", "/session/refresh");
  clock.advance(4 * 1000);
  expect((await victim.send("GET", "/api/greeting")).status).toBe(200);
  // The use is reported in the background.
  const replay = async () => (await victim.send("POST", "/demo/thief/refresh", { jar })).body as ThiefAnswer;
  const answer = await replay();
  expect(answer).toMatchObject({ status: 401, code: "TOKEN_THEFT" });
  expect(answer.holds).toBeUndefined();
  await expect
    .poll(async () => (await victim.send("GET", "/api/greeting")).body)
    .toEqual({ message: "unauthorised", code: "UNAUTHORISED", reason: "token_reuse" });
});

it("answers a thief who is quick as a second tab, and tells no token of it", async () => {
  const victim = await loggedIn();
  const { jar } = (await victim.send("POST", "/demo/steal")).body as StolenAnswer;
  clock.advance(16 * 1000);
  const { text, body } = await victim.send("POST", "/demo/thief/refresh", { jar });
  expect(body).toMatchObject({ status: 200, holds: { seq: 1 } });
  expect(text).not.toContain("pawl_rt_");
  expect((await victim.send("POST", "/demo/thief/call", { jar })).body).toMatchObject({ status: 200 });
});

it("has no jar but those it made", async () => {
  expect((await new Client().send("POST", "/demo/thief/refresh", { jar: "mine" })).status).toBe(404);
  expect((await new Client().send("POST", "/demo/steal")).status).toBe(409);
});

it("lets editors publish, until their role is taken away", async () => {
  const client = await loggedIn();
  const { accessToken } = (await client.send("GET", "/demo/cookies")).body as CookieView;
  const become = async (role: unknown, handle: unknown = accessToken?.handle) =>
    (await client.send("POST", "/demo/role", { handle, role })).status;
  expect((await client.send("POST", "/api/article")).status).toBe(200);
  expect([await become("root"), await become("reader", 7), await become("reader", "none")]).toEqual([404, 404, 404]);
  expect(await become("reader")).toBe(200);
  expect(await client.send("POST", "/api/article")).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
  expect((await client.send("GET", "/api/greeting")).status).toBe(200);
  expect(await become("editor")).toBe(200);
  expect((await client.send("POST", "/api/article")).status).toBe(200);
});

it("opens the vault for who has just confirmed, for half a minute", async () => {
  const client = await loggedIn();
  const vault = async () => {
    const answer = await client.send("GET", "/api/vault");
    return [answer.status, codeOf(answer)];
  };
  expect(await vault()).toEqual([401, "STEP_UP"]);
  expect((await client.send("POST", "/confirm")).status).toBe(200);
  expect(await vault()).toEqual([200, undefined]);
  clock.advance(30_000);
  expect(await vault()).toEqual([200, undefined]);
  clock.advance(1000);
  expect(await vault()).toEqual([401, "STEP_UP"]);
  expect((await client.send("GET", "/api/greeting")).status).toBe(200);
});

it("logs out here and leaves the other browser alone", async () => {
  const [here, there] = [await loggedIn(), await loggedIn()];
  expect((await here.send("POST", "/logout")).body).toEqual({ ended: 1 });
  expect(here.jar.header()).toBe("");
  expect((await there.send("GET", "/api/greeting")).status).toBe(200);
});

it("logs out everywhere", async () => {
  const [here, there, other] = [await loggedIn(), await loggedIn(), await loggedIn("Grace")];
  expect((await here.send("POST", "/logout/everywhere")).body).toEqual({ ended: 2 });
  await expect.poll(async () => codeOf(await there.send("GET", "/api/greeting"))).toBe("UNAUTHORISED");
  expect((await other.send("GET", "/api/greeting")).status).toBe(200);
});

it("keeps the cookies and says 503 when nothing is known of the session (hazard: partition)", async () => {
  const client = await loggedIn();
  const cookies = client.jar.header();
  await server.close();
  // Nobody listens there.
  const cut = createPawl<Payload>({ core: ["http://127.0.0.1:1"] });
  server = await listenOnLoopback(createWebServer({ pawl: cut, settings }), 0);
  const answer = await client.send("POST", "/session/refresh");
  expect(answer).toMatchObject({ status: 503, body: { code: "UNKNOWN" } });
  expect(client.jar.header()).toBe(cookies);
  await cut.close();
});

it("answers on names of this machine only", async () => {
  const status = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port: server.port, path: "/", headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
  expect(await status(`localhost:${server.port}`)).toBe(200);
  expect(await status(`[::1]:${server.port}`)).toBe(200);
  for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80"])
    expect(await status(host)).toBe(403);
});
