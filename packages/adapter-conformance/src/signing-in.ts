import { expect, it } from "vitest";
import { HOUR, ownHeaders, statusAndBody, type Start } from "./kit.js";
import { ask } from "./visitor.js";

export const testSigningIn = (start: Start): void => {
  it("leaves what has no session to do with it alone", async () => {
    const { origin } = await start();
    const answer = await ask(`${origin}/public`);
    expect([answer.status, answer.text, ownHeaders(answer)]).toEqual([200, "public", []]);
    const missing = await ask(`${origin}/nothing`);
    expect([missing.status, ownHeaders(missing)]).toEqual([404, []]);
    expect(statusAndBody(await ask(`${origin}/maybe`))).toEqual([200, { userId: null }]);
  });

  it("leaves public routes alone where somebody is logged in, also when the access token has run out", async () => {
    const { clock, visitor, login } = await start();
    await login();
    for (const wait of [0, 2 * HOUR]) {
      clock.advance(wait);
      const answer = await visitor.ask("/public");
      expect([answer.status, answer.text, ownHeaders(answer)]).toEqual([200, "public", []]);
    }
  });

  it("answers 401 with a JSON body where nobody is logged in", async () => {
    const { origin } = await start();
    const answer = await ask(`${origin}/me`);
    expect(statusAndBody(answer)).toEqual([401, { message: "unauthorised", code: "UNAUTHORISED" }]);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.setCookies).toEqual([]);
  });

  it("logs in with two cookies, each on a line of its own, beside the application's", async () => {
    const { cookiePrefix, visitor, login } = await start();
    const answer = await login();
    expect([answer.status, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
    // Frameworks that write the lines anew have attributes in another case and order (RFC 6265 section 5.2).
    const lines = answer.setCookies.map((line) => line.replace(/=[^;]*/, "=…").replace(/Expires=[^;]*/, "Expires=…"));
    const attributes = `path=/; expires=…; httponly; ${cookiePrefix === "pawl" ? "" : "secure; "}samesite=lax`;
    expect(lines.map((line) => line.toLowerCase())).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^app=…/),
        `${cookiePrefix}-access=…; ${attributes}`.toLowerCase(),
        `${cookiePrefix}-refresh=…; ${attributes}`.toLowerCase(),
      ]),
    );
    expect(lines).toHaveLength(3);
    expect(statusAndBody(await visitor.ask("/me"))).toEqual([200, { userId: "alice", role: "user" }]);
    expect(statusAndBody(await visitor.ask("/maybe"))).toEqual([200, { userId: "alice" }]);
  });

  it("uses prefixed and secure cookies for a host that is not this machine", async () => {
    const { origin } = await start();
    const answer = await ask(`${origin}/login`, { method: "POST", headers: { host: "app.example.com" } });
    const names = answer.setCookies.map((line) => line.slice(0, line.indexOf("=")));
    expect(names.toSorted()).toEqual(["__Host-pawl-access", "__Host-pawl-refresh", "app"]);
    for (const line of answer.setCookies) if (line.startsWith("__Host-")) expect(line).toContain("; Secure");
  });

  it("replaces the payload, in this answer's access token too", async () => {
    const { visitor, login } = await start();
    await login();
    expect((await visitor.ask("/users/1", { method: "DELETE" })).status).toBe(403);
    const saved = await visitor.ask("/save", { method: "POST" });
    expect([saved.status, saved.setCookies.length]).toEqual([200, 1]);
    expect((await visitor.ask("/users/1", { method: "DELETE" })).status).toBe(200);
  });

  it("signs out by its own route and by the application's, also with an access token that has run out", async () => {
    const { clock, pawl, visitor, login } = await start();
    for (const [path, wait] of [
      ["/signout", 0],
      ["/leave", 0],
      ["/signout", 2 * HOUR],
      ["/leave", 2 * HOUR],
    ] as const) {
      await login();
      const before = visitor.copy();
      clock.advance(wait);
      const answer = await visitor.ask(path, { method: "POST" });
      expect([path, answer.status]).toEqual([path, 200]);
      expect([...visitor.cookies.keys()]).toEqual(["app"]);
      expect((await before.ask("/me")).status).toBe(401);
    }
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
    expect((await visitor.ask("/signout", { method: "POST" })).status).toBe(200);
  });

  it("ends the session that the browser had when somebody logs in", async () => {
    const { pawl, login, clock } = await start();
    await login();
    await login();
    clock.advance(2 * HOUR);
    await login();
    await expect.poll(async () => (await pawl.sessions.list("alice")).items.length).toBe(1);
  });
};
