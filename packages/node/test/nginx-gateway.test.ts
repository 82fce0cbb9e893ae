import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { Visitor } from "@pawl/adapter-conformance";
import { readConfig, type RunningCore, startCore } from "@pawl/core";
import { defaultPolicy } from "@pawl/engine";
import { StorageError } from "@pawl/storage";
import { startNginx, type TestServer } from "@pawl/test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { forNode } from "../src/adapters/node.js";
import { createPawl, type Pawl } from "../src/index.js";
import { certificate } from "./adapters/certificate.js";
import { served } from "./adapters/served.js";
import { testClock } from "./clock.js";

const page = readFileSync(new URL("../../../docs/operate/gateways.md", import.meta.url), "utf8");
const [, printed = ""] = /```nginx\n(.*?)```/s.exec(page) ?? [];

const KEY = "correct-horse-battery-staple";
const VERIFIER_KEY = "a-key-of-a-gateway-only=";
const HOUR = 3_600_000;
const NAVIGATION = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const FETCH = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" };

/** The configuration of the page, with the addresses, files and key of a test in place of the page's. */
const configured = (changes: Readonly<Record<string, string>>): string =>
  Object.entries(changes).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the page does not say ${from}`);
    return text.replaceAll(from, to);
  }, printed);

const clock = testClock();
let core: RunningCore;
let nginx: TestServer;
let pawl: Pawl;
let ports: Readonly<Record<"core" | "login" | "application", string>>;
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

/** Requests that reached the application. */
let received: IncomingMessage["headers"][] = [];
beforeEach(() => {
  received = [];
});

const portOf = (origin: string): string => new URL(origin).port;

beforeAll(async () => {
  const defaults = readConfig({ env: {}, cwd: import.meta.dirname });
  const policy = { ...defaultPolicy, enableAntiCsrf: false };
  const keys = { apiKeys: [KEY], verifierApiKeys: [VERIFIER_KEY] };
  core = await startCore({ ...defaults, ...keys, port: 0, storage: "memory:", policy, logLevel: "none" }, { clock });
  closers.push(() => core.close());

  pawl = createPawl({
    core: [`http://127.0.0.1:${core.address.port}`],
    apiKey: KEY,
    clock,
    cookies: { refreshPath: "/session" },
  });
  closers.push(() => pawl.close());
  const { handle, createSession } = forNode(pawl);
  const login = await served(
    createServer(
      (req, res) =>
        void handle(req, res, async () => {
          const userId = new URL(req.url ?? "", "http://localhost").searchParams.get("user") ?? "alice";
          if (req.method === "POST") await createSession(req, res, { userId, payload: { role: "editor" } });
          res.end("login");
        }),
    ),
  );
  closers.push(login.close);

  // It has no SDK: what it knows is in headers.
  const application = await served(
    createServer((req, res) => {
      received.push(req.headers);
      res.setHeader("content-type", "application/json");
      res.statusCode = req.url === "/broken" ? 500 : 200;
      res.end(JSON.stringify({ user: decodeURIComponent(String(req.headers["pawl-user"])) }));
    }),
  );
  closers.push(application.close);

  ports = { core: String(core.address.port), login: portOf(login.origin), application: portOf(application.origin) };
  nginx = await startGateway({ key: VERIFIER_KEY });
});

/** The nginx of the page, in front of both applications; stopped at the end. */
const startGateway = async ({
  key,
  corePort = ports.core,
  query = "",
}: {
  readonly key: string;
  readonly corePort?: number | string;
  readonly query?: string;
}): Promise<TestServer> => {
  const { cert, key: privateKey } = certificate();
  const server = await startNginx(
    ({ listen }) =>
      configured({
        "10.0.0.5:3567": `127.0.0.1:${corePort}`,
        "10.0.0.6:3000": `127.0.0.1:${ports.login}`,
        "10.0.0.7:8000": `127.0.0.1:${ports.application}`,
        "listen 443 ssl": `listen ${listen} ssl http2`,
        "/etc/ssl/app.example.com.pem": cert,
        "/etc/ssl/app.example.com.key": privateKey,
        "Replace-me-with-20-or-more-characters": key,
        "/gateway/check": `/gateway/check${query}`,
      }),
    { scheme: "https" },
  );
  closers.push(() => server.stop());
  return server;
};

const visitor = (): Visitor => new Visitor(nginx.url.replace("https:", "h2:"));

const logIn = async (user = "alice"): Promise<Visitor> => {
  const browser = visitor();
  const answer = await browser.ask(`/login?user=${encodeURIComponent(user)}`, { method: "POST", headers: FETCH });
  expect([answer.status, [...browser.cookies.keys()].toSorted()]).toEqual([
    200,
    ["__Host-pawl-access", "__Secure-pawl-refresh"],
  ]);
  return browser;
};

/** A browser sends the refresh cookie to its path alone. */
const withoutRefreshCookie = (browser: Visitor): Visitor =>
  new Visitor(
    nginx.url.replace("https:", "h2:"),
    new Map([...browser.cookies].filter(([name]) => name.includes("access"))),
  );

test("whoever is logged in reaches the application, which learns who it is", async () => {
  const browser = withoutRefreshCookie(await logIn("Zoë & Co"));
  const answer = await browser.ask("/me?a=1", { headers: NAVIGATION });
  expect([answer.status, answer.json]).toEqual([200, { user: "Zoë & Co" }]);
  const [headers] = received;
  expect(headers?.["pawl-user"]).toBe("Zo%C3%AB%20%26%20Co");
  const claims: unknown = JSON.parse(Buffer.from(String(headers?.["pawl-claims"]), "base64url").toString());
  expect(claims).toMatchObject({ sub: "Zoë & Co", role: "editor", sid: headers?.["pawl-session"] });
  expect(headers?.cookie).not.toContain("refresh");
});

test("the application's own answers are left alone, errors too", async () => {
  const browser = await logIn();
  expect(await browser.ask("/broken", { headers: FETCH })).toMatchObject({ status: 500, json: { user: "alice" } });
});

test("nobody can say who they are: headers of clients are replaced, with a session and without", async () => {
  const lies = {
    "pawl-user": "root",
    pawl_user: "root",
    "pawl-session": "x",
    pawl_session: "x",
    "pawl-claims": "e30",
    pawl_claims: "e30",
  };
  const browser = await logIn();
  expect((await browser.ask("/me", { headers: { ...FETCH, ...lies } })).json).toEqual({ user: "alice" });
  for (const [name, value] of Object.entries(received[0] ?? {}))
    if (/^pawl/i.test(name)) expect([name, value]).not.toEqual([name, expect.stringMatching(/^(root|x|e30)$/)]);
  expect(Object.keys(received[0] ?? {}).filter((name) => name.includes("_"))).toEqual([]);
  received = [];
  const inside = { "x-forwarded-method": "GET", "api-key": KEY, "x-forwarded-uri": "//evil.example" };
  expect((await visitor().ask("/me", { headers: { ...FETCH, ...lies, ...inside } })).status).toBe(401);
  expect((await visitor().ask("/pawl-check", { headers: FETCH })).status).toBe(404);
  expect(received).toEqual([]);
});

test("the bearer token of a native application passes, its API key does not", async () => {
  const { accessToken } = await pawl.tokens.create({ userId: "bob", payload: {} });
  const bearer = (token: string) => visitor().ask("/me", { headers: { authorization: `Bearer ${token}` } });
  expect((await bearer(accessToken)).json).toEqual({ user: "bob" });
  for (const key of [KEY, VERIFIER_KEY, "x"]) expect((await bearer(key)).status).toBe(401);
});

describe("who is not logged in", () => {
  test("gets 401 as a script, and is sent to log in as a person who opens a page", async () => {
    expect(await visitor().ask("/me", { headers: FETCH })).toMatchObject({
      status: 401,
      json: { code: "UNAUTHORISED" },
    });
    const opened = await visitor().ask("/orders?page=2&all=1", { headers: NAVIGATION });
    expect([opened.status, opened.headers["location"]]).toEqual([303, "/login?return=%2Forders%3Fpage%3D2%26all%3D1"]);
    expect((await visitor().ask("/orders", { method: "POST", headers: NAVIGATION })).status).toBe(401);
    expect(received).toEqual([]);
  });

  test("nor is who was logged out elsewhere, from the next request on", async () => {
    const browser = withoutRefreshCookie(await logIn());
    expect((await browser.ask("/me", { headers: FETCH })).status).toBe(200);
    await pawl.sessions.endUser("alice");
    expect((await browser.ask("/me", { headers: FETCH })).json).toEqual({ code: "UNAUTHORISED" });
    const opened = await browser.ask("/", { headers: NAVIGATION });
    expect(opened.headers["location"]).toBe("/login?return=%2F");
  });
});

test("an access token that has run out: a script refreshes, a page is sent there and back, and goes round in no circle", async () => {
  const browser = await logIn();
  clock.advance(2 * HOUR);
  expect(await browser.ask("/me", { headers: FETCH })).toMatchObject({ status: 401, json: { code: "TRY_REFRESH" } });
  expect((await browser.ask("/session/refresh", { method: "POST", headers: FETCH })).status).toBe(200);
  expect((await browser.ask("/me", { headers: FETCH })).json).toEqual({ user: "alice" });

  clock.advance(2 * HOUR);
  let at = "/orders?page=2&all=1";
  const seen: unknown[] = [];
  let answer = await browser.ask(at, { headers: NAVIGATION });
  while (answer.status === 303 && seen.length < 10) {
    at = new URL(String(answer.headers["location"]), new URL(at, "http://localhost")).href.slice(
      "http://localhost".length,
    );
    seen.push(at.split("?")[0]);
    answer = await browser.ask(at, { headers: NAVIGATION });
  }
  expect([answer.status, answer.json]).toEqual([200, { user: "alice" }]);
  expect(seen).toEqual(["/session/refresh", "/session/refresh", "/orders"]);
  expect(at).toMatch(/^\/orders\?page=2&all=1/);

  // A browser that keeps none of the new cookies is told that nobody is logged in.
  clock.advance(2 * HOUR);
  const stubborn = new Visitor(nginx.url.replace("https:", "h2:"), browser.cookies, () => false);
  const marked = await stubborn.ask(`/orders?pawl-refreshed=${Date.now()}`, { headers: NAVIGATION });
  expect(String(marked.headers["location"])).toMatch(/^\/login\?/);
});

test("a request that another site had sent does not reach the application, a link does", async () => {
  const browser = await logIn();
  const cross = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
  for (const method of ["POST", "PUT", "DELETE", "PATCH"])
    expect([method, (await browser.ask("/orders", { method, headers: cross })).status]).toEqual([method, 403]);
  expect(received).toEqual([]);
  const link = { ...NAVIGATION, "sec-fetch-site": "cross-site" };
  expect((await browser.ask("/orders", { headers: link })).status).toBe(200);
  expect((await browser.ask("/orders", { method: "POST", headers: FETCH })).status).toBe(200);
});

describe("what is unknown reaches nobody, and logs nobody out", () => {
  test("a core that is down", async () => {
    const browser = await logIn();
    const defaults = readConfig({ env: {}, cwd: import.meta.dirname });
    const other = await startCore({ ...defaults, apiKeys: [KEY], port: 0, storage: "memory:", logLevel: "none" });
    const behind = await startGateway({ key: KEY, corePort: other.address.port });
    const asked = new Visitor(behind.url.replace("https:", "h2:"), browser.cookies);
    // Another core: it does not know the key of the token.
    expect((await asked.ask("/me", { headers: FETCH })).status).toBe(401);
    await other.close();
    for (const headers of [FETCH, NAVIGATION]) {
      const answer = await asked.ask("/me", { headers });
      expect([answer.status, answer.headers["retry-after"], answer.json]).toEqual([503, "1", { code: "UNKNOWN" }]);
      expect(answer.setCookies).toEqual([]);
    }
    expect(received).toEqual([]);
  });

  test("a store that does not answer, where it has to be asked", async () => {
    const browser = await logIn();
    const behind = await startGateway({ key: VERIFIER_KEY, query: "?checkDatabase=true" });
    const asked = new Visitor(behind.url.replace("https:", "h2:"), browser.cookies);
    expect((await asked.ask("/me", { headers: FETCH })).status).toBe(200);
    received = [];
    const { storage } = core.engine;
    const getSession = storage.getSession.bind(storage);
    storage.getSession = () => Promise.reject(new StorageError("unavailable", "down"));
    expect((await asked.ask("/me", { headers: FETCH })).status).toBe(503);
    expect((await asked.ask("/me", { headers: NAVIGATION })).status).toBe(503);
    expect(received).toEqual([]);
    storage.getSession = getSession;
    expect((await asked.ask("/me", { headers: FETCH })).status).toBe(200);
  });

  test("a gateway with a wrong key", async () => {
    const browser = await logIn();
    const behind = await startGateway({ key: "wrong" });
    const asked = new Visitor(behind.url.replace("https:", "h2:"), browser.cookies);
    expect((await asked.ask("/me", { headers: FETCH })).status).toBe(503);
    expect((await asked.ask("/me", { headers: NAVIGATION })).status).toBe(503);
    expect(received).toEqual([]);
  });
});
