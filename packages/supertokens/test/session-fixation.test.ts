import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser } from "./browser.js";
import { modes, type Running } from "./modes.js";
import { startWebApp, type WebApp } from "./web-app.js";

describe.each(modes)("$name: a planted cookie never survives login (CVE-2022-25896)", ({ start }) => {
  let running: Running;
  let app: WebApp;
  beforeAll(async () => {
    running = await start();
    app = await startWebApp(running.pawl);
  });
  afterAll(async () => {
    await app.close();
    await running.close();
  });

  /** A browser in which somebody has left the cookies of a session of his own. */
  const planted = async () => {
    const attacker = new Browser(app);
    const { body } = await attacker.login("attacker");
    const victim = new Browser(app);
    for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
    return { attacker, victim, handle: body.handle as string };
  };

  test("the login makes a session of its own, with other tokens", async () => {
    const { attacker, victim, handle } = await planted();
    const before = new Map(victim.cookies);
    const { body } = await victim.login("victim");
    expect(body.handle).not.toBe(handle);
    expect([...victim.cookies.keys()].toSorted()).toEqual([...before.keys()].toSorted());
    for (const [name, value] of victim.cookies) expect(value).not.toBe(before.get(name));
    expect((await victim.send("/me")).body).toMatchObject({ userId: "victim", handle: body.handle });
    // What was planted was the session that the login's request carried: it has ended.
    expect((await attacker.send("/me")).body).toMatchObject({ errType: 2000 });
    expect((await attacker.refresh()).body).toMatchObject({ errType: 2000 });
  });

  test("a text of somebody's choice becomes no session, neither before the login nor after", async () => {
    const victim = new Browser(app);
    for (const name of ["sAccessToken", "sRefreshToken", "sIdRefreshToken"]) victim.cookies.set(name, "chosen");
    expect((await victim.send("/me")).status).toBe(401);
    await victim.login("victim");
    expect([...victim.cookies.values()]).not.toContain("chosen");
    const chosen = new Browser(app);
    const cookie = "sAccessToken=chosen; sRefreshToken=chosen; sIdRefreshToken=chosen";
    expect((await chosen.send("/me", { cookie })).status).toBe(401);
    expect((await chosen.send("/session/refresh", { method: "POST", cookie })).status).toBe(401);
  });
});
