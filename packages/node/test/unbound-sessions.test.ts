import { describe, expect, it } from "vitest";
import { backends, benchOf } from "./backends.js";
import { HOUR } from "./site.js";

const OFFER = "secure-session-registration";

describe.each(backends)("where browsers are to bind their sessions, %s", (_, openBackend) => {
  const begin = (headerMode = false) => benchOf(openBackend, { headerMode }, { deviceBinding: "prefer" });

  it("a browser that cannot is refreshed in place, as ever", async () => {
    const { clock, pawl, browser } = await begin();
    const login = await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
    expect(login.headers.has(OFFER)).toBe(true);
    for (let round = 0; round < 3; round++) {
      clock.advance(2 * HOUR);
      const visit = await browser.visit((exchange) => pawl.requireSession(exchange));
      expect([visit.status, visit.lines, visit.headers.has(OFFER)]).toEqual([200, 2, false]);
    }
    expect((await pawl.sessions.list("alice")).items[0]?.bound).toBe(undefined);
    expect((await browser.visit((exchange) => pawl.signOut(exchange))).status).toBe(200);
  });

  it("tokens in headers are not bound, at a login or later, and refresh as ever", async () => {
    const { clock, pawl, browser } = await begin(true);
    const mode = { "st-auth-mode": "header" };
    const bearer = (token: string | null) => ({ ...mode, authorization: `Bearer ${token}` });
    let told = await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }), { headers: mode });
    for (let round = 0; round < 3; round++) {
      const access = told.headers.get("st-access-token");
      const stepped = await browser.visit(
        async (exchange) => (await pawl.requireSession(exchange)).stepUp({ methods: ["otp"] }),
        { headers: bearer(access) },
      );
      expect([stepped.status, stepped.headers.has(OFFER), told.headers.has(OFFER)]).toEqual([200, false, false]);
      clock.advance(2 * HOUR);
      const headers = bearer(told.headers.get("st-refresh-token"));
      told = await browser.visit((exchange) => pawl.refreshSession(exchange), { headers });
      expect([told.status, told.headers.has("st-access-token")]).toEqual([200, true]);
    }
  });

  it("tokens that the application hands out itself are not bound", async () => {
    const { clock, pawl } = await begin();
    let tokens = await pawl.tokens.create({ userId: "alice" });
    for (let round = 0; round < 3; round++) {
      clock.advance(2 * HOUR);
      tokens = await pawl.tokens.refresh(tokens.refreshToken);
      expect((await pawl.tokens.verify(tokens.accessToken)).userId).toBe("alice");
    }
  });
});
