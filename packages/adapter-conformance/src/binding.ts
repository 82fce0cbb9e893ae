import { expect, it } from "vitest";
import { type Start, statusAndBody } from "./kit.js";
import { DEVICE, TestDevice } from "./test-device.js";
import type { Received } from "./visitor.js";

const MINUTE = 60_000;
const BOUND = { rules: { deviceBinding: "prefer", accessTokenValidity: 10 * MINUTE } } as const;
const ACCESS = "__Host-pawl-access";
const REFRESH = "__Host-pawl-refresh";

/** A cookie line without its value and its life, as a browser compares it: frameworks may write it in another order. */
const attributesOf = (line: string): readonly string[] =>
  line
    .toLowerCase()
    .split(/; */u)
    .filter((part) => !/^(?:expires|max-age|[^;]*pawl-[a-z]*)=/u.test(part))
    .toSorted();

const lineOf = ({ setCookies }: Received, name: string): string =>
  setCookies.find((line) => line.startsWith(`${name}=`)) ?? "";

/** A cookie that ends with a token of so many seconds, less what an answer and a request may take on their way. */
const expectToEndBefore = (seconds: number, line: string): void => {
  const life = Number(/; *max-age=(\d+)(?:;|$)/iu.exec(line)?.[1]);
  expect([life < seconds, life > seconds - 60]).toEqual([true, true]);
};

const cookieNames = ({ visitor }: TestDevice): readonly string[] => [...visitor.cookies.keys()].toSorted();

export const testBinding = (start: Start): void => {
  const begin = async () => {
    const it = await start(BOUND);
    const device = new TestDevice(it.visitor);
    return { ...it, device, answers: await device.logIn() };
  };

  it("asks the browser for a key at a login, and binds the session to it", async () => {
    const { pawl, device, answers } = await begin();
    const { login, registered } = answers;
    expect(login.headers["secure-session-registration"]).toMatch(
      /^\(ES256 RS256\);path="\/session\/device";challenge="[\w-]+"$/,
    );
    expect([registered.status, registered.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(registered.headers["content-type"]).toMatch(/^application\/json/);
    const { credentials, ...instructions } = registered.json as {
      readonly credentials: readonly { readonly type: string; readonly name: string; readonly attributes: string }[];
    };
    expect(instructions).toEqual({ session_identifier: device.handle, scope: { include_site: false } });
    // Where these differ a browser refreshes for ever.
    expect(credentials).toMatchObject([{ type: "cookie", name: ACCESS }]);
    expect(attributesOf(credentials[0]!.attributes)).toEqual(attributesOf(lineOf(registered, ACCESS)));
    expectToEndBefore(600, lineOf(registered, ACCESS));
    expect(registered.setCookies).toHaveLength(2);
    expect((await pawl.sessions.list("alice")).items).toMatchObject([{ handle: device.handle, bound: true }]);
    expect((await device.ask("/me")).status).toBe(200);
  });

  it("asks for no key over plain http", async () => {
    const { cookiePrefix, visitor } = await start(BOUND);
    const login = await visitor.ask("/login", { method: "POST" });
    expect("secure-session-registration" in login.headers).toBe(cookiePrefix !== "pawl");
  });

  it("refreshes a bound session for a proof alone, and asks for it with 403", async () => {
    const { clock, device, thefts } = await begin();
    for (let round = 0; round < 3; round++) {
      clock.advance(11 * MINUTE);
      // Not in place: the request that finds the access token outdated has the browser refresh before the next one.
      const late = await device.ask("/me");
      expect(statusAndBody(late)).toEqual([401, { message: "try refresh token", code: "TRY_REFRESH" }]);
      expect([late.setCookies.length, cookieNames(device)]).toEqual([1, [REFRESH, "app"]]);
      const asked = await device.refresh("");
      expect([asked.status, asked.setCookies]).toEqual([403, []]);
      expect(asked.headers["secure-session-challenge"]).toMatch(new RegExp(`^"[\\w-]+";id="${device.handle}"$`, "u"));
      const refreshed = await device.refresh();
      expect([refreshed.status, refreshed.headers["cache-control"]]).toEqual([200, "no-store"]);
      expect(refreshed.json).toMatchObject({ session_identifier: device.handle });
      expect(cookieNames(device)).toEqual([ACCESS, REFRESH, "app"]);
      expect((await device.ask("/me")).status).toBe(200);
    }
    expect(thefts).toEqual([]);
  });

  it("sends a challenge ahead in the last minutes of an access token, where it can", async () => {
    const { clock, backend, device } = await begin();
    clock.advance(MINUTE);
    expect("secure-session-challenge" in (await device.ask("/me")).headers).toBe(false);
    clock.advance(5 * MINUTE);
    // A core would have to be asked.
    expect("secure-session-challenge" in (await device.ask("/me")).headers).toBe("storage" in backend.options);
  });

  it("gives a copied jar nothing, by whatever proof, and lets its owner go on", async () => {
    const { clock, pawl, device, thefts } = await begin();
    clock.advance(11 * MINUTE);
    const thief = new TestDevice(device.visitor.copy());
    expect((await thief.ask("/me")).status).toBe(401);
    expect((await thief.ask("/me")).status).toBe(401);
    expect((await thief.ask("/session/refresh", "POST")).status).toBe(401);
    expect((await thief.ask(DEVICE, "POST")).status).toBe(503);
    const named = { "sec-secure-session-id": `"${device.handle}"` };
    const { headers } = await thief.ask(DEVICE, "POST", named);
    const [, challenge = ""] = /^"([^"]*)"/u.exec(String(headers["secure-session-challenge"])) ?? [];
    for (const proof of [thief.proof(challenge), thief.proof(challenge, true), '"a.b.c"', "x", device.proof("y")]) {
      const refused = await thief.ask(DEVICE, "POST", { ...named, "secure-session-response": proof });
      expect([refused.status, refused.setCookies]).toEqual([403, []]);
    }
    expect(cookieNames(thief)).toEqual([REFRESH, "app"]);
    await device.refresh("");
    expect((await device.refresh()).status).toBe(200);
    expect((await device.ask("/me")).status).toBe(200);
    expect([thefts, (await pawl.sessions.list("alice")).items.length]).toEqual([[], 1]);
  });

  it("tells what has changed in a bound session by an access token that ends when the older one would have", async () => {
    const { clock, pawl, device } = await begin();
    clock.advance(4 * MINUTE);
    await pawl.sessions.updatePayload(device.handle, { role: "admin" });
    const told = await device.ask("/me");
    expect(statusAndBody(told)).toEqual([200, { userId: "alice", role: "admin" }]);
    expect(told.setCookies).toHaveLength(1);
    expectToEndBefore(360, lineOf(told, ACCESS));
    expect((await device.ask("/users/1", "DELETE")).status).toBe(200);
    clock.advance(6 * MINUTE);
    expect((await device.ask("/me")).status).toBe(401);
  });

  it("ends a bound session cleanly, and answers 503 while nothing is known", async () => {
    const { clock, backend, device } = await begin();
    backend.isDown = true;
    expect([(await device.refresh()).status, cookieNames(device)]).toEqual([503, [ACCESS, REFRESH, "app"]]);
    backend.isDown = false;
    clock.advance(MINUTE);
    const kept = device.visitor.copy();
    expect((await device.ask("/signout", "POST")).status).toBe(200);
    const over = { session_identifier: device.handle, continue: false };
    expect(statusAndBody(await device.refresh())).toEqual([200, over]);
    const other = new TestDevice(kept);
    const answer = await other.ask(DEVICE, "POST", { "sec-secure-session-id": `"${device.handle}"` });
    expect([...statusAndBody(answer), cookieNames(other)]).toEqual([200, over, ["app"]]);
  });
};
