import { expect, it } from "vitest";
import { call } from "./connection.js";
import { Barrier, HOUR, statusAndBody, type Start } from "./kit.js";

export const testRefreshing = (start: Start): void => {
  it("refreshes in place, again and again", async () => {
    const { clock, visitor, login, thefts } = await start();
    await login();
    for (let round = 0; round < 5; round++) {
      clock.advance(2 * HOUR);
      const path = round % 2 === 0 ? "/me" : "/maybe";
      const answer = await visitor.ask(path);
      expect([answer.status, answer.setCookies.length, answer.json]).toMatchObject([200, 2, { userId: "alice" }]);
      expect((await visitor.ask(path)).setCookies).toEqual([]);
    }
    expect(thefts).toEqual([]);
  });

  it("refreshes in place for five requests at once, whose answers arrive in any order", async () => {
    const { clock, visitor, login, thefts } = await start();
    await login();
    for (let round = 0; round < 4; round++) {
      clock.advance(2 * HOUR);
      const answers = await Promise.all(Array.from({ length: 5 }, () => visitor.ask("/me")));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    }
    expect(thefts).toEqual([]);
  });

  it("goes on after an answer that was lost", async () => {
    const { clock, visitor, login, thefts } = await start();
    await login();
    clock.advance(2 * HOUR);
    for (const [path, method, status] of [
      ["/me", "GET", 200],
      ["/save", "POST", 200],
      ["/redirect", "GET", 302],
      ["/session/refresh", "POST", 200],
      ["/session/refresh", "GET", 303],
    ] as const) {
      expect([path, (await visitor.ask(path, { method, isLost: true })).status]).toEqual([path, status]);
      for (let round = 0; round < 2; round++) {
        clock.advance(2 * HOUR);
        expect((await visitor.ask("/me")).status).toBe(200);
      }
      clock.advance(2 * HOUR);
    }
    await visitor.ask("/signout", { method: "POST", isLost: true });
    expect((await visitor.ask("/signout", { method: "POST" })).status).toBe(200);
    expect([...visitor.cookies.keys()]).toEqual(["app"]);
    expect(thefts).toEqual([]);
  });

  it("writes no cookies of a refresh with an answer that comes late", async () => {
    const { clock, visitor, login, onWait, thefts } = await start();
    await login();
    for (const [wait, lines] of [
      [4000, 2],
      [6000, 0],
      [3 * HOUR, 0],
    ] as const) {
      clock.advance(2 * HOUR);
      onWait(() => clock.advance(wait));
      const answer = await visitor.ask("/slow");
      expect([wait, answer.status, answer.setCookies.length]).toEqual([wait, 200, lines]);
      expect((await visitor.ask("/me")).status).toBe(200);
    }
    expect(thefts).toEqual([]);
  });

  it("keeps cookies on redirects, errors, streams and HEAD", async () => {
    const { clock, ownAnswers, visitor, login } = await start();
    await login();
    const linesOfErrors = ownAnswers.losesCookiesOfErrors === undefined ? 2 : 0;
    for (const [path, method, status, lines] of [
      ["/redirect", "GET", 302, 3],
      ["/throws", "GET", 500, linesOfErrors],
      ["/stream", "GET", 200, 2],
      ["/me", "HEAD", 200, 2],
      ["/redirect", "HEAD", 302, 3],
      ["/throws", "HEAD", 500, linesOfErrors],
      ["/stream", "HEAD", 200, 2],
      ["/users/1", "DELETE", 403, 2],
    ] as const) {
      clock.advance(2 * HOUR);
      const answer = await visitor.ask(path, { method });
      expect([path, answer.status, answer.setCookies.length]).toEqual([path, status, lines]);
    }
    expect((await visitor.ask("/me")).status).toBe(200);
  });

  it("streams without holding back", async () => {
    const { origin, ownAnswers, visitor, login, onWait } = await start();
    await login();
    const barrier = new Barrier();
    if (ownAnswers.holdsStreams !== undefined) barrier.release();
    onWait(barrier.pass);
    const { body } = await call(`${origin}/stream`, { headers: { cookie: visitor.cookieHeader } }).answer;
    let text = "";
    for await (const chunk of body) {
      text += String(chunk);
      barrier.release();
    }
    expect(text).toBe("onetwo");
  });

  it("detects a stolen refresh token and clears the cookies of whoever presents it", async () => {
    const { clock, visitor, login, thefts } = await start();
    await login();
    const thief = visitor.copy();
    for (let round = 0; round < 3; round++) {
      clock.advance(2 * HOUR);
      expect((await visitor.ask("/me")).status).toBe(200);
    }
    const caught = await thief.ask("/me");
    expect(statusAndBody(caught)).toEqual([
      401,
      { message: "token theft detected", code: "TOKEN_THEFT", reason: "token_reuse" },
    ]);
    expect([...thief.cookies.keys()]).toEqual(["app"]);
    expect(thefts).toHaveLength(1);
    expect(statusAndBody(await visitor.ask("/session/refresh", { method: "POST" }))).toEqual([
      401,
      { message: "unauthorised", code: "UNAUTHORISED", reason: "token_reuse" },
    ]);
    expect([...visitor.cookies.keys()]).toEqual(["app"]);
  });

  it("refreshes for pages rendered where no cookie can be set, and sends the browser back to this host", async () => {
    const { visitor, login } = await start();
    await login();
    const route = "/session/refresh";
    for (const [wanted, location] of [
      ["/me?x=1", "/me?x=1"],
      ["//evil.example", "/"],
      ["/\\evil.example", "/"],
      ["https://evil.example", "/"],
      ["/a\r\nSet-Cookie: x=1", "/"],
      ["/\t/evil.example", "/"],
    ] as const) {
      const first = await visitor.ask(`${route}?return=${encodeURIComponent(wanted)}`);
      // To itself, to see that the browser keeps the cookies.
      const again = new URL(String(first.headers["location"]), `http://localhost${route}`);
      expect([wanted, first.status, first.setCookies.length, again.pathname]).toEqual([wanted, 303, 2, route]);
      const answer = await visitor.ask(again.pathname + again.search);
      expect([wanted, answer.status, answer.headers["location"]]).toEqual([wanted, 303, location]);
    }
  });

  it("tells a page to refresh no more where the browser keeps no cookies", async () => {
    const { clock, visitor, login } = await start();
    await login();
    clock.advance(2 * HOUR);
    const path = "/session/refresh?return=/a%3Fb%23c&tried=";
    const first = await visitor.ask(path);
    expect(first.headers["location"]).toMatch(/^\/a\?b&pawl-refreshed=\d+#c$/);
  });

  it("refreshes for no picture, script or frame of another site", async () => {
    const { visitor, login } = await start();
    await login();
    const modes = { document: "navigate", iframe: "navigate", image: "no-cors", script: "no-cors", empty: "cors" };
    for (const [destination, mode] of Object.entries(modes)) {
      const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": destination };
      const answer = await visitor.ask("/session/refresh?return=/me", { headers });
      const [status, lines] = destination === "document" ? [303, 2] : [403, 0];
      expect([destination, answer.status, answer.setCookies.length]).toEqual([destination, status, lines]);
    }
  });
};
