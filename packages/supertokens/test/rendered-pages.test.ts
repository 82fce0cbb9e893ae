import { MemoryStorage } from "@pawl/storage";
import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { sessionHandler } from "../src/fetch.js";
import { type CookieOptions, createPawl } from "../src/index.js";
import { testClock } from "../src/testing.js";
import { CookieJar } from "./cookie-jar.js";

const HOST = "app.example.com";
/** Redirects that a visit takes at most: to the refresh, to itself, and back. */
const MOST_REDIRECTS = 3;
/** As `session-cookies.ts` has it, and the mark of an attempt. */
const MOST_BYTES = 3072 + 100;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Which of an answer's lines a browser keeps. */
type Keeps = (line: string) => boolean;

/** An application whose pages are rendered on the server, and a browser. */
const start = (cookies: CookieOptions, keeps: Keeps = () => true, accessTokenValidity = "1h") => {
  const clock = testClock(Date.UTC(2030, 0, 1));
  const storage = new MemoryStorage({ clock });
  const masterKey = Buffer.alloc(32, 7).toString("base64");
  const pawl = createPawl({ storage, masterKey, cookies, accessTokenValidity });
  closing.push(
    () => pawl.close(),
    () => storage.close(),
  );
  const handle = sessionHandler({ pawl }, async (request, { res }) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/login") {
      await pawl.createNewSession(res, "u1");
      return Response.json({ kind: "login" });
    }
    const session = await pawl.readSession(request);
    if (session.kind !== "try_refresh") return Response.json({ kind: session.kind });
    const location = `/session/refresh?return=${encodeURIComponent(pathname + search)}`;
    return new Response(undefined, { status: 303, headers: { location } });
  });
  const jar = new CookieJar();

  const send = async (method: string, url: URL): Promise<Response> => {
    const cookie = jar.header(HOST, url.pathname);
    const answer = await handle(new Request(url, { method, headers: cookie === "" ? {} : { cookie } }));
    const lines = answer.headers.getSetCookie();
    const bytes = lines.reduce((sum, line) => sum + line.length + "Set-Cookie: \r\n".length, 0);
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
    jar.receive(HOST, lines.filter(keeps));
    return answer;
  };

  /** Follows redirects as a browser does. @returns what the page showed, or the status of a refusal. */
  const visit = async (path: string): Promise<string | number> => {
    let url = new URL(path, `https://${HOST}`);
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await send("GET", url);
      const location = answer.headers.get("location");
      if (location !== null) url = new URL(location, url);
      else return answer.status === 200 ? ((await answer.json()) as { kind: string }).kind : answer.status;
    }
    return "a loop";
  };
  const login = () => send("POST", new URL("/login", `https://${HOST}`));
  return { clock, jar, login, visit, pawl };
};

const settings: readonly CookieOptions[] = [
  {},
  { domain: "example.com" },
  { names: "prefixed" },
  { names: "prefixed", refreshTokenPath: "/" },
  { accessTokenPath: "/orders" },
];
const names = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"].flatMap((name) =>
  ["", "__Secure-", "__Host-"].map((prefix) => prefix + name),
);
const NOW = Date.UTC(2030, 0, 1);

/** A cookie that a sibling host, an older setting or a person put there. */
const planted = fc
  .record({
    name: fc.constantFrom(...names, "sRefreshAttempt"),
    value: fc.constantFrom("x", "", "a.b.c", "pawl_rt_1.AAAA", String(NOW), String(NOW + 1e12), "1893463200000"),
    domain: fc.constantFrom("", "; Domain=app.example.com", "; Domain=example.com"),
    path: fc.constantFrom("/", "/orders", "/session", "/session/", "/session/refresh"),
  })
  .map(({ name, value, domain, path }) =>
    name.startsWith("__Host-") ? `${name}=${value}; Path=/; Secure` : `${name}=${value}${domain}; Path=${path}; Secure`,
  );

const jars: readonly (readonly [string, fc.Arbitrary<Keeps>])[] = [
  ["keeps everything", fc.constant(() => true)],
  ["keeps nothing", fc.constant(() => false)],
  ["keeps only what was set at login", fc.constant((line: string) => !/1970|sRefreshAttempt/.test(line))],
  ["lets nothing be cleared", fc.constant((line: string) => !line.includes("1970"))],
  [
    "keeps cookies of some names",
    fc.subarray([...names, "sRefreshAttempt"]).map((kept) => (line) => kept.includes(line.split("=")[0] ?? "")),
  ],
  ["drops lines by chance", fc.infiniteStream(fc.boolean()).map((coins) => () => coins.next().value === true)],
];

const step = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("/", "/orders", "/orders?page=2").map((visit) => ({ visit })) },
  { weight: 1, arbitrary: fc.constantFrom("1s", "31s", "50m", "2h").map((pass) => ({ pass })) },
  { weight: 1, arbitrary: planted.map((plant) => ({ plant })) },
  { weight: 1, arbitrary: fc.constant({ login: true }) },
);

describe("no browser is sent round in circles", () => {
  test.each(jars)("one that %s", async (_, keeping) => {
    const property = fc.asyncProperty(
      fc.constantFrom(...settings),
      keeping,
      fc.array(step, { minLength: 4, maxLength: 20 }),
      async (cookies, keeps, steps) => {
        const { clock, jar, login, visit } = start(cookies, keeps);
        for (const it of steps)
          if ("visit" in it) expect(["valid", "none", 403]).toContain(await visit(it.visit));
          else if ("pass" in it) clock.advance(it.pass);
          else if ("plant" in it) jar.receive(HOST, [it.plant]);
          else await login();
        for (const close of closing.splice(0)) await close();
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });
});

test("a browser that keeps cookies stays logged in, whatever garbage stood there before", async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(...settings.slice(0, 4)),
    fc.array(planted, { maxLength: 6 }),
    async (cookies, plants) => {
      const { clock, jar, login, visit } = start(cookies);
      jar.receive(HOST, plants);
      await login();
      for (let round = 0; round < 5; round++) {
        clock.advance("61m");
        expect(await visit("/orders")).toBe("valid");
      }
      for (const close of closing.splice(0)) await close();
    },
  );
  await fc.assert(property, { numRuns: 50 });
});

describe("as it was seen", () => {
  test("cookies of a dropped domain whose session has ended are cleared where they are", async () => {
    const { clock, jar, login, visit, pawl } = start({});
    await login();
    const tokens = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"].map((name) => jar.value(name) ?? "");
    jar.clear();
    const [access, refresh, id] = tokens;
    jar.receive(HOST, [
      `sAccessToken=${access}; Domain=example.com; Path=/`,
      `sRefreshToken=${refresh}; Domain=example.com; Path=/session/refresh`,
      `sIdRefreshToken=${id}; Domain=example.com; Path=/`,
    ]);
    await pawl.revokeAllSessionsForUser("u1");
    clock.advance("2h");
    expect(await visit("/orders")).toBe("none");
    expect(jar.places).toEqual([`sRefreshAttempt ${HOST} /`]);
  });

  test.each(["/", "/orders"])("an id cookie planted at %s", async (path) => {
    const { clock, jar, login, visit } = start({});
    jar.receive(HOST, [`sIdRefreshToken=x; Domain=example.com; Path=${path}`]);
    expect(await visit("/orders")).toBe("none");
    // It is in nobody's way: not in that of a login at once, nor later.
    await login();
    expect(await visit("/orders")).toBe("valid");
    clock.advance("2h");
    expect(await visit("/orders")).toBe("valid");
  });

  test("a browser that keeps no cookies but sends old ones is told so", async () => {
    let keeping = true;
    const { clock, login, visit } = start({}, () => keeping);
    await login();
    keeping = false;
    clock.advance("2h");
    expect(await visit("/orders")).toBe(403);
    keeping = true;
    expect(await visit("/orders")).toBe("valid");
  });

  test("a bearer token of a proxy is no sign of a session", async () => {
    const { pawl } = start({});
    expect(await pawl.readSession({ headers: { authorization: "Bearer a.b.c" } })).toEqual({ kind: "none" });
  });

  test("a planted mark counts for no longer than a true one", async () => {
    const { clock, jar, login, visit } = start({});
    await login();
    clock.advance("2h");
    jar.receive(HOST, [`sRefreshAttempt=${NOW + 24 * 3_600_000}; Domain=example.com; Path=/`]);
    expect(await visit("/orders")).toBe("valid");
  });

  test("after a refresh a session with short access tokens is never read as none", async () => {
    const { clock, login, visit } = start({}, undefined, "2s");
    await login();
    for (let second = 0; second < 60; second++) {
      clock.advance("1s");
      expect(await visit("/orders")).toBe("valid");
    }
  });
});
