import { expect, it } from "vitest";
import { HOUR, sessionCookies, statusAndBody, type Start } from "./kit.js";

const MINUTE = HOUR / 60;
const FORBIDDEN = [403, { message: "forbidden", code: "FORBIDDEN" }];

export const testSteppingUp = (start: Start): void => {
  it("asks a user who logged in too long ago to step up, by a challenge that pages can read, and lets them pass then", async () => {
    const { clock, visitor, login, thefts } = await start({ origins: ["http://localhost:3001"] });
    await login();
    expect((await visitor.ask("/vault")).status).toBe(200);
    // The second time after a refresh, which moves nothing.
    for (const [wait, lines] of [
      [11 * MINUTE, 0],
      [2 * HOUR, 2],
    ] as const) {
      clock.advance(wait);
      const answer = await visitor.ask("/vault", { headers: { origin: "http://localhost:3001" } });
      expect(statusAndBody(answer)).toEqual([401, { message: "confirm who you are", code: "STEP_UP" }]);
      expect(answer.headers["www-authenticate"]).toBe('Bearer error="insufficient_user_authentication", max_age="600"');
      expect(answer.headers["access-control-expose-headers"]).toContain("WWW-Authenticate");
      expect(sessionCookies(answer)).toHaveLength(lines);
      expect((await visitor.ask("/me")).status).toBe(200);
    }
    const other = visitor.copy();
    const confirmed = await visitor.ask("/confirm", { method: "POST" });
    expect([confirmed.status, sessionCookies(confirmed).length]).toEqual([200, 1]);
    expect((await visitor.ask("/vault")).status).toBe(200);
    // Another tab's older access token is refused, and refreshed.
    const late = await other.ask("/vault");
    expect([late.status, sessionCookies(late).length]).toEqual([200, 2]);
    expect(thefts).toEqual([]);
  });

  it("lets somebody act for another user, keeps them out where it should, and gives them back their own", async () => {
    const { clock, pawl, visitor, login, thefts } = await start();
    await login("admin");
    const act = () => visitor.ask("/act", { method: "POST" });
    const me = async () => (await visitor.ask("/me")).json;
    const [alice, bob] = [
      { userId: "alice", role: "admin" },
      { userId: "bob", role: "user" },
    ];
    expect((await act()).status).toBe(200);
    expect(await me()).toEqual(bob);
    for (const [path, method] of [
      ["/vault", "GET"],
      ["/users/1", "DELETE"],
      ["/confirm", "POST"],
      ["/login", "POST"],
    ] as const)
      expect([path, ...statusAndBody(await visitor.ask(path, { method }))]).toEqual([path, ...FORBIDDEN]);
    // What is the user's is changed there.
    expect((await visitor.ask("/save", { method: "POST" })).status).toBe(200);
    expect(await me()).toEqual({ ...bob, role: "admin" });
    expect((await act()).status).toBe(200);
    expect(await me()).toEqual(alice);

    await act();
    const refreshed = await visitor.ask("/session/refresh", { method: "POST" });
    expect([refreshed.status, await me()]).toEqual([200, bob]);
    clock.advance(16 * MINUTE);
    expect(await me()).toEqual(alice);

    await act();
    await pawl.sessions.endUser("bob");
    expect(await me()).toEqual(bob);
    expect((await visitor.ask("/signout", { method: "POST" })).status).toBe(200);
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
    expect(thefts).toEqual([]);
  });
};
