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
const changes = settings
  .flatMap((before) => settings.map((after) => ({ before, after })))
  .filter(({ before, after }) => before !== after);

describe("a change of the cookies logs nobody out, and leaves nothing behind", () => {
  test.each(changes)("$before to $after", async ({ before, after }) => {
    const { clock, jar, release } = installation();
    const [first, second] = [release(before), release(after)];
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
  const nodes = [release({}), release({ names: "prefixed" }), release({ domain: "example.com" })] as const;
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
