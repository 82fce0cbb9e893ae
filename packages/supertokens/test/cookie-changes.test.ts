import { MemoryStorage } from "@pawl/storage";
import { afterEach, describe, expect, test } from "vitest";
import { sessionHandler } from "../src/fetch.js";
import { type CookieOptions, createPawl, type Pawl } from "../src/index.js";
import { testClock } from "../src/testing.js";
import { CookieJar } from "./cookie-jar.js";

const HOST = "app.eu.example.com";
const REFRESH = "/api/session/refresh";
/** More than it takes: of the places that do not fit into an answer, chance takes some. */
const MOST_ROUNDS = 100;
const storages: MemoryStorage[] = [];
const pawls: Pawl[] = [];
afterEach(async () => {
  for (const pawl of pawls.splice(0)) await pawl.close();
  for (const storage of storages.splice(0)) await storage.close();
});

/** One installation whose cookies change from one release to the next; the browser stays. */
const installation = () => {
  const clock = testClock(Date.UTC(2030, 0, 1));
  const storage = new MemoryStorage({ clock });
  storages.push(storage);
  const jar = new CookieJar();
  const release = (cookies: CookieOptions) => {
    const masterKey = Buffer.alloc(32, 7).toString("base64");
    const pawl = createPawl({ storage, masterKey, cookies: { refreshTokenPath: REFRESH, ...cookies } });
    pawls.push(pawl);
    const handle = sessionHandler({ pawl, basePath: "/api" }, async (request, { req, res }) => {
      if (request.url.endsWith("/api/login")) await pawl.createNewSession(res, "u1");
      else await pawl.getSession(req, res, false);
      return Response.json({});
    });
    return async (method: string, path: string): Promise<Response> => {
      const request = new Request(`https://${HOST}${path}`, { method, headers: { host: HOST } });
      const cookie = jar.header(HOST, path);
      if (cookie !== "") request.headers.set("cookie", cookie);
      request.headers.set("host", HOST);
      const answer = await handle(request);
      jar.receive(HOST, answer.headers.getSetCookie());
      return answer;
    };
  };
  return { clock, jar, release };
};

const settings: readonly CookieOptions[] = [
  {},
  { names: "prefixed" },
  { names: "prefixed", refreshTokenPath: "/" },
  { domain: "example.com" },
  { domain: "eu.example.com", names: "prefixed" },
  { accessTokenPath: "/api" },
  { refreshTokenPath: "/" },
  { sameSite: "strict" },
];
/** Every name that a setting has given. */
const alsoRead = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"].flatMap((name) =>
  ["", "__Secure-", "__Host-"].map((prefix) => prefix + name),
);
const changes = settings
  .flatMap((before) => settings.map((after) => ({ before, after })))
  .filter(({ before, after }) => before !== after);

describe("a change of the cookies logs nobody out, and leaves nothing behind", () => {
  test.each(changes)("$before to $after", async ({ before, after }) => {
    const { clock, jar, release } = installation();
    const [first, second] = [release({ ...before, alsoRead }), release({ ...after, alsoRead })];
    await first("POST", "/api/login");
    expect((await second("GET", "/api/me")).status).toBe(200);
    const fresh = installation();
    await fresh.release(after)("POST", "/api/login");
    // An answer has room for some of the places only.
    for (let round = 0; round < 3 || (round < MOST_ROUNDS && jar.places.join() !== fresh.jar.places.join()); round++) {
      clock.advance("2h");
      expect((await second("GET", "/api/me")).status).toBe(401);
      expect((await second("POST", REFRESH)).status).toBe(200);
      expect((await second("GET", "/api/me")).status).toBe(200);
    }
    expect(jar.places).toEqual(fresh.jar.places);

    // And back again: what the first release reads is the newest, whatever was left meanwhile.
    clock.advance("2h");
    expect((await first("POST", REFRESH)).status).toBe(200);
    expect((await first("GET", "/api/me")).status).toBe(200);
  });
});

test("releases side by side, each with cookies of its own", async () => {
  const { clock, release } = installation();
  const nodes = [release({}), release({ names: "prefixed", alsoRead }), release({ domain: "example.com" })] as const;
  await nodes[0]("POST", "/api/login");
  for (let round = 0; round < 30; round++) {
    clock.advance(round % 2 === 0 ? "2h" : "10s");
    const refreshing = nodes[round % 3] as (typeof nodes)[0];
    expect((await refreshing("POST", REFRESH)).status).toBe(200);
    for (const node of nodes) expect((await node("GET", "/api/me")).status).toBe(200);
  }
});

test.each([
  [{}, ["sAccessToken", "sIdRefreshToken", "sRefreshToken"]],
  [{ names: "prefixed" }, ["__Host-sAccessToken", "__Host-sIdRefreshToken", "__Secure-sRefreshToken"]],
  [
    { names: "prefixed", refreshTokenPath: "/" },
    ["__Host-sAccessToken", "__Host-sIdRefreshToken", "__Host-sRefreshToken"],
  ],
  [
    { names: "prefixed", domain: "example.com" },
    ["__Secure-sAccessToken", "__Secure-sIdRefreshToken", "__Secure-sRefreshToken"],
  ],
  [{ names: "prefixed", secure: false }, ["sAccessToken", "sIdRefreshToken", "sRefreshToken"]],
] as const)("names with %j", async (cookies, names) => {
  const { jar, release } = installation();
  await release(cookies)("POST", "/api/login");
  expect(jar.places.map((place) => place.split(" ")[0])).toEqual(names);
});

test("a planted cookie without the prefix counts for nothing beside the real one (CVE-2026-39410)", async () => {
  const attacker = installation();
  await attacker.release({})("POST", "/api/login");
  const { clock, jar, release } = installation();
  const app = release({ names: "prefixed" });
  await app("POST", "/api/login");
  const before = jar.places;
  const planted = attacker.jar.value("sRefreshToken");
  jar.receive(HOST, [
    `sRefreshToken=${planted}; Domain=example.com; Path=/`,
    `sAccessToken=x; Domain=example.com; Path=/`,
  ]);
  for (let round = 0; round < MOST_ROUNDS && jar.places.join() !== before.join(); round++) {
    clock.advance("2h");
    expect((await app("POST", REFRESH)).status).toBe(200);
  }
  expect(jar.places).toEqual(before);
});

describe("with names that have a prefix", () => {
  /** What a host beside this one can set: cookies of the whole domain, so none with `__Host-`. */
  const plant = async (jar: CookieJar, prefix: string) => {
    const attacker = installation();
    const app = attacker.release({ domain: "example.com", refreshTokenPath: "/" });
    await app("POST", "/api/login");
    for (const name of ["sAccessToken", "sRefreshToken", "sIdRefreshToken"])
      jar.receive(HOST, [`${prefix}${name}=${attacker.jar.value(name)}; Domain=example.com; Path=/; Secure`]);
  };

  test.each(["", "__Secure-"])("planted cookies named %jsAccessToken log nobody in", async (prefix) => {
    const { jar, release } = installation();
    const app = release({ names: "prefixed", refreshTokenPath: "/" });
    await plant(jar, prefix);
    expect((await app("GET", "/api/me")).status).toBe(401);
    expect((await app("POST", REFRESH)).status).toBe(401);
    // And what is planted is cleared.
    for (let round = 0; round < MOST_ROUNDS && jar.places.length > 0; round++) await app("POST", REFRESH);
    expect(jar.places).toEqual([]);
  });

  test("a weaker name is read where it is named, a stronger one always", async () => {
    const before = installation();
    await before.release({})("POST", "/api/login");
    const stay = async (names: CookieOptions) => (await before.release(names)("GET", "/api/me")).status;
    expect(await stay({ names: "prefixed" })).toBe(401);
    expect(await stay({ names: "prefixed", alsoRead: ["sAccessToken", "sIdRefreshToken"] })).toBe(200);
    const prefixed = installation();
    await prefixed.release({ names: "prefixed" })("POST", "/api/login");
    expect((await prefixed.release({})("GET", "/api/me")).status).toBe(200);
  });
});

describe.each(["st-auth-mode", "rid"])("of two sessions in one request, with %s", (sdk) => {
  test("the one whose anti-CSRF token the page sends is not displaced by a newer one", async () => {
    const { clock, pawl, send } = twoSessions(sdk);
    const older = await send("/login?older");
    clock.advance("1m");
    const newer = await send("/login?newer");
    const cookie = [newer, older].flatMap(({ cookies }) => cookies).join("; ");
    for (const own of [older, newer]) {
      const headers = { cookie, "anti-csrf": own.antiCsrf };
      expect((await send("/me", headers)).userId).toBe(own.userId);
      expect((await send("/refresh", headers)).userId).toBe(own.userId);
    }
    // Nothing tells which one it was: the newer one counts.
    expect((await send("/me", { cookie })).userId).toBe("newer");
    await pawl.close();
  });
});

const twoSessions = (sdk: string) => {
  const clock = testClock(Date.UTC(2030, 0, 1));
  const storage = new MemoryStorage({ clock });
  storages.push(storage);
  const pawl = createPawl({ storage, masterKey: Buffer.alloc(32, 7).toString("base64") });
  const handle = sessionHandler({ pawl }, async (request, { req, res }) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/login") await pawl.createNewSession(res, search.slice(1));
    const session = pathname === "/me" ? await pawl.getSession(req, res, false) : undefined;
    const refreshed = pathname === "/refresh" ? await pawl.refreshSession(req, res) : undefined;
    return Response.json({ userId: (session ?? refreshed)?.getUserId() ?? search.slice(1) });
  });
  const send = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await handle(new Request(`https://${HOST}${path}`, { headers: { [sdk]: "cookie", ...headers } }));
    const { userId } = (await answer.json()) as { readonly userId: string };
    const cookies = answer.headers.getSetCookie().map((line) => line.slice(0, line.indexOf(";")));
    return { userId, cookies, antiCsrf: answer.headers.get("anti-csrf") ?? "" };
  };
  return { clock, pawl, send };
};
