import { describe, expect, it, test } from "vitest";
import { openBackend as openPlainBackend } from "../src/backend/index.js";
import { policyOf } from "../src/options/backend-options.js";
import { MemoryStorage } from "@pawl/storage";
import { createPawl } from "../src/index.js";
import { openEmbedded, TestClock } from "@pawl/adapter-conformance";
import { backends, benchOf } from "./backends.js";
import { TestBrowser } from "./browser.js";
import { forExpress } from "../src/adapters/express.js";

const MINUTE = 60_000;
const CHALLENGE = 'Bearer error="insufficient_user_authentication"';

describe("conditions", () => {
  test.each([
    [{ maxage: "5m" }, "requireSession: maxage cannot be given here: there is no such option"],
    [{ maxAge: "5 parsecs" }, 'requireSession: maxAge must be a duration above 0 such as "15m"'],
    [{ maxAge: 0 }, "requireSession: maxAge must be a duration above 0"],
    [{ methods: "otp" }, "requireSession: methods must be a list of names"],
    [{ methods: ['o"tp'] }, "requireSession: methods must be a list of names"],
    [{ level: "two words" }, "requireSession: level must be"],
    [{ level: "a\r\nb" }, "requireSession: level must be"],
    [{ level: [] }, "requireSession: level must be"],
    [{ actor: "false" }, "requireSession: actor must be true or false"],
    [{ where: "admin" }, "requireSession: where must be a function"],
  ])("%o are refused when a route is made, for they would silently not hold", async (conditions, message) => {
    const { pawl, browser } = await benchOf(openEmbedded);
    const refused = expect.objectContaining({ name: "TypeError", message: expect.stringContaining(message) });
    expect(() => forExpress(pawl).requireSession(conditions as never)).toThrow(refused);
    await expect(browser.visit((exchange) => pawl.requireSession(exchange, conditions as never))).rejects.toThrow(
      refused,
    );
  });

  const auth = { methods: ["pwd", "otp"], level: "aal2" };
  test.each([
    [{ maxAge: "10m" }, 600_999, ""],
    [{ maxAge: "10m" }, 601_000, ', max_age="600"'],
    [{ maxAge: 1999 }, 1999, ""],
    [{ maxAge: 1999 }, 2000, ', max_age="1"'],
    [{ methods: [] }, 0, ""],
    [{ methods: ["otp"] }, 0, ""],
    [{ methods: ["otp", "pwd"] }, 0, ""],
    [{ methods: ["otp", "hwk"] }, 0, ', amr_values="otp hwk"'],
    [{ level: "aal2" }, 0, ""],
    [{ level: ["aal3", "aal2"] }, 0, ""],
    [{ level: "aal3" }, 0, ', acr_values="aal3"'],
    [
      { level: ["aal3", "aal4"], maxAge: "1h", methods: ["otp"] },
      0,
      ', acr_values="aal3 aal4", max_age="3600", amr_values="otp"',
    ],
    [{ where: () => false, maxAge: "1s" }, 60_000, "FORBIDDEN"],
    [{ where: () => true, maxAge: "1s" }, 60_000, ', max_age="1"'],
    [{ where: async () => true, maxAge: "1m" }, 60_000, ""],
  ])("%o, %d ms after a login by password and code, come to: %s", async (conditions, later, outcome) => {
    const { clock, pawl, browser } = await benchOf(openEmbedded);
    await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice", auth }));
    clock.advance(later);
    const { error, status, headers, lines } = await browser.visit((exchange) =>
      pawl.requireSession(exchange, conditions),
    );
    if (outcome === "") expect([status, error]).toEqual([200, undefined]);
    else if (outcome === "FORBIDDEN")
      expect([status, error?.code, headers.get("www-authenticate")]).toEqual([403, "FORBIDDEN", null]);
    else {
      expect([status, error?.code, error?.challenge]).toEqual([401, "STEP_UP", CHALLENGE + outcome]);
      expect(headers.get("www-authenticate")).toBe(CHALLENGE + outcome);
      expect(headers.get("access-control-expose-headers")).toBe("WWW-Authenticate");
    }
    expect(lines).toBe(0);
  });
});

test("a page of supertokens-website is told 403, for it would refresh at a 401 without end", async () => {
  const { pawl, browser } = await benchOf(openEmbedded, { frontend: "supertokens-website" });
  await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
  const { error, status, headers } = await browser.visit((exchange) =>
    pawl.requireSession(exchange, { level: "aal2" }),
  );
  expect([error?.code, status, headers.get("www-authenticate")]).toEqual([
    "STEP_UP",
    403,
    `${CHALLENGE}, acr_values="aal2"`,
  ]);
});

test("an access token of the documented API, which does not say when its user logged in, is refreshed for a route that asks", async () => {
  const clock = new TestClock();
  const storage = new MemoryStorage({ clock });
  const masterKey = Buffer.alloc(32, 7).toString("base64");
  const other = await openPlainBackend({ storage, masterKey, clock, policy: policyOf({ storage }) });
  const pawl = createPawl({ storage, masterKey, clock, headerMode: true });
  const { accessToken, refreshToken } = await other.create({ userId: "alice" as never });
  const browser = new TestBrowser();
  const ask = (headers = {}) =>
    browser.visit((exchange) => pawl.requireSession(exchange, { maxAge: "10m" }), { headers });
  const bearer = { authorization: `Bearer ${accessToken.token}` };
  expect((await ask(bearer)).error?.code).toBe("TRY_REFRESH");

  browser.jar.receive("app.example.com", [`__Host-pawl-access=${accessToken.token}; Path=/; Secure`]);
  const alone = await ask();
  expect([alone.error?.code, alone.lines]).toEqual(["TRY_REFRESH", 0]);
  browser.jar.receive("app.example.com", [`__Host-pawl-refresh=${refreshToken.token}; Path=/; Secure`]);
  const refreshed = await ask();
  expect([refreshed.status, refreshed.lines, refreshed.result?.auth?.methods]).toEqual([200, 2, []]);
  expect((await ask()).lines).toBe(0);
  await pawl.close();
  await other.close();
});

describe.each(backends)("a step-up, %s", (_, openBackend) => {
  const hour = 3_600_000;

  it("is of the same session, refuses its older access tokens, and no refresh moves it", async () => {
    const { clock, pawl, browser } = await benchOf(openBackend);
    const at = clock.now() - 5 * hour;
    const login = await browser.visit((exchange) =>
      pawl.createSession(exchange, { userId: "alice", auth: { methods: ["pwd"], at } }),
    );
    expect(login.result?.auth).toEqual({ at, methods: ["pwd"] });
    const other = browser.copy();
    clock.advance(MINUTE);
    const steppedUp = clock.now() as number;
    const auth = { methods: ["pwd", "otp"], level: "aal2" };
    const { result: session, lines } = await browser.visit(async (exchange) => {
      const found = await pawl.requireSession(exchange);
      await found.stepUp(auth);
      // Whoever asks during this request finds it so.
      expect((await pawl.requireSession(exchange, { level: "aal2" })).auth).toEqual({ at: steppedUp, ...auth });
      return found;
    });
    expect([lines, session?.handle, session?.auth]).toEqual([1, login.result?.handle, { at: steppedUp, ...auth }]);
    expect((await pawl.sessions.list("alice")).items).toHaveLength(1);

    const [, old = ""] = other.cookies().find(([name]) => name.endsWith("access")) ?? [];
    await expect(pawl.tokens.verify(old)).rejects.toMatchObject({ code: "TRY_REFRESH" });
    const late = await other.visit((exchange) => pawl.requireSession(exchange, { maxAge: "1m" }));
    expect([late.status, late.lines, late.result?.auth?.level]).toEqual([200, 2, "aal2"]);

    for (let round = 0; round < 3; round++) {
      clock.advance(2 * hour);
      const { result } = await browser.visit((exchange) => pawl.requireSession(exchange));
      expect(result?.auth).toEqual({ at: steppedUp, ...auth });
    }
    expect((await pawl.sessions.get(session?.handle ?? ""))?.auth).toEqual({ at: steppedUp, ...auth });
  });

  it("of a session that has just ended is refused, and its cookies are cleared", async () => {
    const { pawl, browser } = await benchOf(openBackend);
    await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
    const { error, status } = await browser.visit(async (exchange) => {
      const session = await pawl.requireSession(exchange);
      await pawl.sessions.endUser("alice");
      await session.stepUp({ methods: ["otp"] });
    });
    expect([status, error?.code, browser.cookies()]).toEqual([401, "UNAUTHORISED", []]);
  });

  it("that another change has overtaken carries that change", async () => {
    const { pawl, browser } = await benchOf(openBackend);
    const payload = { role: "admin" };
    await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice", payload }));
    const { result } = await browser.visit(async (exchange) => {
      const session = await pawl.requireSession(exchange);
      await pawl.sessions.updatePayload(session.handle, { role: "user" });
      await session.stepUp({ methods: ["otp"] });
      return session;
    });
    expect(result).toMatchObject({ payload: { role: "user" }, auth: { methods: ["otp"] } });
    const again = await browser.visit((exchange) => pawl.requireSession(exchange, { methods: ["otp"] }));
    expect([again.lines, again.result?.payload]).toEqual([0, { role: "user" }]);
  });

  it("is unknown while nothing is known of the session, and changes nothing", async () => {
    const { backend, pawl, browser } = await benchOf(openBackend);
    await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
    const stepUp = () =>
      browser.visit(async (exchange) => (await pawl.requireSession(exchange)).stepUp({ methods: ["otp"] }));
    backend.isDown = true;
    const { error, lines } = await stepUp();
    expect([error?.code, error?.status, lines]).toEqual(["UNKNOWN", 503, 0]);
    backend.isDown = false;
    expect((await browser.visit((exchange) => pawl.requireSession(exchange))).result?.auth?.methods).toEqual([]);
    expect((await stepUp()).status).toBe(200);
  });

  it("refuses methods that no claim could carry, or that take the token beyond its cookie", async () => {
    const { pawl, browser } = await benchOf(openBackend);
    const payload = { note: "x".repeat(2600) };
    await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice", payload }));
    for (const auth of [{ methods: ["\n"] }, { methods: [7 as never] }, { level: "x".repeat(128) }])
      await expect(
        browser.visit(async (exchange) => (await pawl.requireSession(exchange)).stepUp(auth)),
      ).rejects.toBeInstanceOf(TypeError);
    const { result, status } = await browser.visit((exchange) => pawl.requireSession(exchange));
    expect([status, result?.auth?.methods]).toEqual([200, []]);
  });

  it("reaches clients with their tokens in headers, and tells them anew who is there", async () => {
    const { pawl, browser } = await benchOf(openBackend, { headerMode: true });
    const mode = { "st-auth-mode": "header" };
    const login = await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }), {
      headers: mode,
    });
    const bearer = (token: string | null) => ({ ...mode, authorization: `Bearer ${token}` });
    const stepped = await browser.visit(
      async (exchange) => (await pawl.requireSession(exchange)).stepUp({ methods: ["otp"] }),
      { headers: bearer(login.headers.get("st-access-token")) },
    );
    expect(stepped.headers.get("st-refresh-token")).toBeNull();
    const told = JSON.parse(Buffer.from(stepped.headers.get("front-token") ?? "", "base64").toString()) as object;
    expect(told).toMatchObject({ uid: "alice", up: { sessionHandle: login.result?.handle } });
    const again = await browser.visit((exchange) => pawl.requireSession(exchange, { methods: ["otp"] }), {
      headers: bearer(stepped.headers.get("st-access-token")),
    });
    expect(again.status).toBe(200);
  });
});
