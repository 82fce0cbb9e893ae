import { join } from "node:path";
import { type Route, type RouteName, routes } from "@pawl/protocol";
import { StorageError } from "@pawl/storage";
import { describe, expect, test, vi } from "vitest";
import { type ListeningCore, listen, movableClock, type TestConfig, testFolder } from "../listening-core.js";

const KEY = "the-key-of-an-operator-0";
const VERIFIER = "the-key-of-a-verifier-00";
const HOUR = 3_600_000;

const start = (config: TestConfig = {}, options: Parameters<typeof listen>[1] = {}) =>
  listen({ dashboard: true, apiKeys: [KEY], verifierApiKeys: [VERIFIER], ...config }, options);

const originOf = (core: ListeningCore): string => `http://127.0.0.1:${core.port}`;
/** What Chromium sends from our own page. */
const fromPage = (core: ListeningCore) => ({ origin: originOf(core), "sec-fetch-site": "same-origin" });

const linkOf = async (core: ListeningCore): Promise<string> => {
  const { status, json } = await core.send("POST", "/v1/dashboard/links", { headers: { "api-key": KEY } });
  expect(status).toBe(201);
  return /^\/dashboard#link=([\w-]{43})$/.exec(json.path)?.[1] ?? "";
};
const open = (core: ListeningCore, link: string, headers: Record<string, string> = {}) =>
  core.send("POST", "/dashboard/session", { headers: { ...fromPage(core), ...headers }, body: { link } });
/** The cookie of a new session. */
const cookieOf = async (core: ListeningCore): Promise<string> => {
  const { status, headers } = await open(core, await linkOf(core));
  expect(status).toBe(204);
  return String(headers["set-cookie"]).split(";")[0] ?? "";
};
const read = (core: ListeningCore, cookie: string, path = "/dashboard/v1/keys") =>
  core.send("GET", path, { headers: { "sec-fetch-site": "same-origin", cookie } });
const eventsOf = async (core: ListeningCore, type: string) =>
  (await core.send("GET", `/v1/events?type=${type}`, { headers: { "api-key": KEY } })).json.events;

describe("a link", () => {
  test("opens one session, once, whose cookie no other site sends and no script reads", async () => {
    const core = await start();
    const link = await linkOf(core);
    const first = await open(core, link);
    expect([first.status, first.text]).toEqual([204, ""]);
    expect(first.headers["set-cookie"]).toMatch(
      /^pawl-dashboard=[\w-]{43}; Max-Age=28(?:800|79\d); Path=\/dashboard; HttpOnly; SameSite=Strict$/,
    );
    const again = await open(core, link);
    expect([again.status, again.json.code, again.headers["set-cookie"]]).toEqual([401, "unauthorised", undefined]);
  });

  test("of a page over HTTPS gives a cookie that goes nowhere else", async () => {
    const core = await start();
    const { headers } = await open(core, await linkOf(core), { origin: "https://pawl.example" });
    expect(headers["set-cookie"]).toMatch(
      /^__Host-pawl-dashboard=[\w-]{43}; Max-Age=28(?:800|79\d); Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect((await read(core, String(headers["set-cookie"]).split(";")[0] ?? "")).status).toBe(200);
  });

  test("is opened by one of many that try at once", async () => {
    const core = await start();
    const link = await linkOf(core);
    const answers = await Promise.all(Array.from({ length: 8 }, () => open(core, link)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  });

  test.each<readonly [string, unknown]>([
    ["a guess", { link: "A".repeat(43) }],
    ["an empty one", { link: "" }],
    ["another type", { link: ["x"] }],
    ["none", {}],
    ["no JSON", "link"],
  ])("is refused where it is %s", async (_, body) => {
    const core = await start();
    await linkOf(core);
    const { status, json } = await core.send("POST", "/dashboard/session", { headers: fromPage(core), body });
    expect([status, json.code]).toEqual([401, "unauthorised"]);
  });

  test("is over after five minutes, and its session after eight hours, whatever is done with it", async () => {
    const clock = movableClock();
    const core = await start({}, { clock });
    const [early, late] = [await linkOf(core), await linkOf(core)];
    clock.move(5 * 60_000 - 1);
    const { status, headers } = await open(core, early);
    expect(status).toBe(204);
    clock.move(1);
    expect((await open(core, late)).status).toBe(401);
    const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
    clock.move(8 * HOUR - 2);
    expect((await read(core, cookie)).status).toBe(200);
    clock.move(1);
    expect((await read(core, cookie)).json.code).toBe("unauthorised");
  });

  test("is given to whoever holds a key for everything, and to no browser", async () => {
    const core = await start();
    const ask = async (headers: Record<string, string>) =>
      (await core.send("POST", "/v1/dashboard/links", { headers })).json.code;
    expect(await ask({})).toBe("api_key_invalid");
    expect(await ask({ "api-key": VERIFIER })).toBe("api_key_invalid");
    expect(await ask({ "api-key": KEY, ...fromPage(core) })).toBe("browser_refused");
    expect(await ask({ cookie: await cookieOf(core) })).toBe("api_key_invalid");
  });

  test("is no part of what the store holds, nor is a session", async () => {
    const core = await start();
    const link = await linkOf(core);
    const cookie = await cookieOf(core);
    const fact = (await core.engine.storage.claimMeta("dashboard_access")) ?? "";
    expect(JSON.parse(fact)).toMatchObject({ links: [{}], sessions: [{}] });
    for (const secret of [link, cookie.split("=")[1] ?? ""]) expect(fact).not.toContain(secret);
    // What a thief of the store would try.
    const [{ hash }] = JSON.parse(fact).sessions;
    expect((await read(core, `pawl-dashboard=${hash}`)).status).toBe(401);
  });

  test("of one node opens at another, and what is closed there is closed here", async () => {
    const folder = await testFolder();
    const storage = `sqlite:${join(folder, "sessions.db")}`;
    const masterKey = Buffer.alloc(32, 1).toString("base64");
    const [here, there] = [await start({ storage, masterKey }), await start({ storage, masterKey })];
    const { headers } = await open(there, await linkOf(here));
    const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
    expect((await read(here, cookie)).status).toBe(200);
    const closed = await there.send("DELETE", "/dashboard/session", { headers: { ...fromPage(there), cookie } });
    expect([closed.status, closed.headers["set-cookie"]]).toEqual([
      204,
      "pawl-dashboard=; Max-Age=0; Path=/dashboard; HttpOnly; SameSite=Strict",
    ]);
    expect((await read(here, cookie)).status).toBe(401);
  });

  test("a hundred of them leave the fifty newest", async () => {
    const core = await start();
    const first = await linkOf(core);
    for (let count = 0; count < 49; count += 1) await linkOf(core);
    const cookies = [];
    expect((await open(core, first)).status).toBe(204);
    for (let count = 0; count < 51; count += 1) cookies.push(await cookieOf(core));
    const statuses = await Promise.all(cookies.map(async (cookie) => (await read(core, cookie)).status));
    expect(statuses).toEqual([401, ...Array.from({ length: 50 }, () => 200)]);
  });
});

describe("what the page may ask", () => {
  const served: readonly RouteName[] = [
    "listSessions",
    "getSession",
    "explainSession",
    "liveSessions",
    "listEvents",
    "listCounts",
    "listSigningKeys",
    "listNodes",
    "listWebhooks",
    "listDeliveries",
    "settings",
    "configuration",
    "revokeSessions",
    "rotateSigningKey",
    "retryDelivery",
    "dropDelivery",
  ];

  test.each(Object.entries(routes) as [RouteName, Route][])(
    "%s: only what it needs, and nothing without a session",
    async (name, route) => {
      const core = await start();
      const cookie = await cookieOf(core);
      const path = `/dashboard${route.path.replace("{handle}", "some-handle")}`;
      const ask = (headers: Record<string, string>) =>
        core.send(route.method, path, {
          headers: { ...fromPage(core), ...headers },
          ...(route.body === undefined ? {} : { body: {} }),
        });
      const isServed = served.includes(name);
      for (const headers of [{}, { cookie: "pawl-dashboard=guess" }, { "api-key": KEY }])
        expect((await ask(headers)).status).toBe(isServed ? 401 : 403);
      const { status } = await ask({ cookie });
      // What is not served is a path of nobody, and such are for no browser.
      expect(isServed ? [200, 201, 400, 404] : [403]).toContain(status);
    },
  );

  test("answers are those of /v1", async () => {
    const core = await start();
    const headers = { "api-key": KEY };
    const { json } = await core.send("POST", "/v1/sessions", { headers, body: { userId: "alice", device: "a phone" } });
    const cookie = await cookieOf(core);
    const path = `/v1/sessions/${json.session.handle}`;
    expect((await read(core, cookie, `/dashboard${path}`)).json).toEqual(
      (await core.send("GET", path, { headers })).json,
    );
    const page = await read(core, cookie, "/dashboard/v1/sessions?userId=alice&limit=1");
    expect(page.json.sessions).toMatchObject([{ userId: "alice", device: "a phone" }]);
    expect((await read(core, cookie, "/dashboard/v1/sessions?limit=0")).json.code).toBe("invalid_input");
  });

  test("what an administrator does is an event, with what was asked; what is refused is none", async () => {
    const core = await start();
    const made = await core.send("POST", "/v1/sessions", { headers: { "api-key": KEY }, body: { userId: "alice" } });
    const cookie = await cookieOf(core);
    const act = (path: string, body: object) =>
      core.send("POST", `/dashboard/v1/${path}`, { headers: { ...fromPage(core), cookie }, body });
    const body = { handles: [made.json.session.handle], reason: "revoked_by_admin", detail: "dashboard" };
    expect((await act("sessions/revoke", body)).json).toEqual({ revoked: body.handles });
    expect((await act("keys/rotate", {})).status).toBe(201);
    expect((await act("sessions/revoke", { nonsense: true })).status).toBe(400);
    const [rotated, revoked, ...others] = await eventsOf(core, "admin");
    expect(others).toEqual([]);
    expect(revoked.detail).toMatchObject({ act: "sessions_ended", by: { client: "dashboard" }, handles: body.handles });
    expect(rotated.detail).toMatchObject({ act: "signing_key_rotated", by: { client: "dashboard" } });
    expect(await eventsOf(core, "session_ended")).toMatchObject([
      { reason: "revoked_by_admin", detail: { by: "dashboard" } },
    ]);
  });

  test("a store that is down is said to be down, and no session is taken for closed by it", async () => {
    const core = await start();
    const cookie = await cookieOf(core);
    const down = vi.spyOn(core.engine.storage, "claimMeta").mockRejectedValue(new StorageError("unavailable", "down"));
    expect((await read(core, cookie)).json.code).toBe("storage_unavailable");
    expect((await core.send("GET", "/dashboard")).status).toBe(200);
    down.mockRestore();
    expect((await read(core, cookie)).status).toBe(200);
  });
});

describe("another site", () => {
  const sites: readonly (readonly [string, Record<string, string>])[] = [
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["a link on another site", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
    ["another host of the site", { "sec-fetch-site": "same-site", origin: "http://localhost:3000" }],
    ["an old browser", { origin: "https://evil.example" }],
    ["a sandboxed frame", { origin: "null" }],
    ["another port, without Fetch Metadata", { origin: "http://127.0.0.1:1" }],
  ];

  test.each(sites)("reaches nothing: %s", async (_, headers) => {
    const core = await start();
    const [link, cookie] = [await linkOf(core), await cookieOf(core)];
    const asked: readonly (readonly [string, string, unknown?])[] = [
      ["GET", "/dashboard"],
      ["GET", "/dashboard/icon.svg"],
      ["GET", "/dashboard/v1/sessions"],
      ["POST", "/dashboard/session", { link }],
      ["DELETE", "/dashboard/session"],
      ["POST", "/dashboard/v1/sessions/revoke", { userId: "alice" }],
      ["OPTIONS", "/dashboard/v1/sessions"],
      ["GET", "/dashboard/nothing"],
    ];
    for (const [method, path, body] of asked) {
      const answer = await core.send(method, path, { headers: { ...headers, cookie }, body });
      expect([method, path, answer.status, answer.json.code]).toEqual([method, path, 403, "browser_refused"]);
    }
    // The link was not used up by it.
    expect((await open(core, link)).status).toBe(204);
  });

  test("every answer forbids frames, inline code and reading from elsewhere", async () => {
    const core = await start();
    const cookie = await cookieOf(core);
    const page = await core.send("GET", "/dashboard", { headers: { "sec-fetch-site": "none" } });
    const [script = ""] = /dashboard\/main-\w+\.js/.exec(page.text) ?? [];
    expect(page.text).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|https?:/);
    const answers = [
      page,
      await core.send("GET", `/${script}`),
      await read(core, cookie),
      await read(core, ""),
      await core.send("GET", "/dashboard/nothing"),
      await core.send("GET", "/dashboard", { headers: { "sec-fetch-site": "cross-site" } }),
      await core.send("PUT", "/dashboard/session"),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 401, 401, 403, 405]);
    for (const { headers } of answers) {
      const policy = String(headers["content-security-policy"]);
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';.* frame-ancestors 'none';/);
      expect(policy).not.toContain("unsafe");
      expect(headers).toMatchObject({
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
      });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect(answers.slice(0, 3).map(({ headers }) => headers["cache-control"])).toEqual([
      "no-cache",
      "public, max-age=31536000, immutable",
      "no-store",
    ]);
  });

  test("a file comes compressed to whoever takes it so", async () => {
    const core = await start();
    const { headers } = await core.send("GET", "/dashboard", { headers: { "accept-encoding": "br, gzip" } });
    expect(headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
  });
});

test("without dashboard: true there is none", async () => {
  const core = await listen();
  expect((await core.send("GET", "/dashboard")).status).toBe(404);
  expect((await core.send("GET", "/dashboard/v1/keys")).status).toBe(404);
  expect((await core.send("POST", "/v1/dashboard/links")).json).toMatchObject({
    code: "not_found",
    detail: "this core serves no dashboard: set dashboard: true",
  });
});
