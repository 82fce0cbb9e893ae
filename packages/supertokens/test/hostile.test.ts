import { createPrivateKey, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPawl } from "../src/index.js";
import { Browser } from "./browser.js";
import { modes, type Running } from "./modes.js";
import { startWebApp, type WebApp } from "./web-app.js";

const UNAUTHORISED = 2000;
const TRY_REFRESH_TOKEN = 3000;
const TOKEN_THEFT_DETECTED = 4000;

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const part = (token: string, at: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[at] ?? "", "base64url").toString()) as Record<string, unknown>;

describe.each(modes)("$name: tokens and cookies that nobody was given", ({ start }) => {
  let running: Running;
  let app: WebApp;
  let browser: Browser;
  let access = "";
  let refresh = "";

  beforeAll(async () => {
    running = await start();
    app = await startWebApp(running.pawl);
    browser = new Browser(app);
    await browser.login("u1", { payload: { role: "user" } });
    access = browser.cookies.get("sAccessToken") ?? "";
    refresh = browser.cookies.get("sRefreshToken") ?? "";
  });
  afterAll(async () => {
    await app.close();
    await running.close();
  });

  const getWith = (token: string) =>
    new Browser(app).send("/me", { cookie: `sAccessToken=${token}; sIdRefreshToken=x` });
  const refreshWith = (token: string) =>
    new Browser(app).send("/session/refresh", { method: "POST", cookie: `sRefreshToken=${token}` });

  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const forged = (header: object, signature: (signed: string) => Buffer): string => {
    const signed = `${encode(header)}.${access.split(".")[1]}`;
    return `${signed}.${signature(signed).toString("base64url")}`;
  };
  const es256 = (signed: string): Buffer =>
    sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const none = (): Buffer => Buffer.alloc(0);

  const hostile: readonly (readonly [string, () => string])[] = [
    ["empty", () => ""],
    ["dots", () => ".."],
    ["half a million dots", () => ".".repeat(500_000)],
    ["500 kB", () => "x".repeat(500_000)],
    ["of another kind: a refresh token", () => refresh],
    ["of another key", () => forged(part(access, 0), es256)],
    ["alg none", () => forged({ ...part(access, 0), alg: "none" }, none)],
    ["alg none, spelled otherwise", () => forged({ ...part(access, 0), alg: "nOnE" }, none)],
    [
      "alg HS256",
      () => forged({ ...part(access, 0), alg: "HS256" }, (s) => createHmac("sha256", "k").update(s).digest()),
    ],
    ["alg RS256", () => forged({ ...part(access, 0), alg: "RS256" }, es256)],
    ["an unknown kid", () => forged({ ...part(access, 0), kid: "d-1" }, es256)],
    ["a kid that is a path", () => forged({ ...part(access, 0), kid: "../../etc/passwd" }, es256)],
    ["a kid of 10 kB", () => forged({ ...part(access, 0), kid: "k".repeat(10_000) }, es256)],
    ["a kid __proto__", () => forged({ ...part(access, 0), kid: "__proto__" }, es256)],
    ["crit", () => forged({ ...part(access, 0), crit: ["x"] }, es256)],
    [
      "a key of its own",
      () =>
        forged(
          {
            ...part(access, 0),
            jwk: createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" })).export({ format: "jwk" }),
          },
          es256,
        ),
    ],
    ["a signature of zeros (CVE-2022-21449)", () => forged(part(access, 0), () => Buffer.alloc(64))],
    [
      "another payload",
      () => {
        const [header, , signature] = access.split(".");
        return `${header}.${encode({ ...part(access, 1), role: "admin" })}.${signature}`;
      },
    ],
  ];

  test.each(hostile)("an access token that is %s: TRY_REFRESH_TOKEN, cookies kept", async (_, token) => {
    const answer = await getWith(token());
    expect(answer.body).toMatchObject({ errType: TRY_REFRESH_TOKEN });
    expect(answer.setCookie).toEqual([]);
  });

  test.each(hostile.filter(([name]) => !name.includes("refresh token")))(
    "a refresh token that is %s: UNAUTHORISED, cookies cleared",
    async (_, token) => {
      const answer = await refreshWith(token());
      expect(answer.body).toMatchObject({ errType: UNAUTHORISED });
      expect(answer.setCookie).toHaveLength(3);
    },
  );

  test("an access token cut at every character", async () => {
    for (let length = 0; length < access.length; length++) {
      const req = { headers: { cookie: `sAccessToken=${access.slice(0, length)}; sIdRefreshToken=x` } };
      const res = { getHeader: () => undefined, setHeader: () => expect.unreachable("nothing may be set") };
      await expect(running.pawl.getSession(req, res, false)).rejects.toMatchObject({ errType: TRY_REFRESH_TOKEN });
    }
  });

  test("a refresh token cut at every character, or with one changed", async () => {
    for (let at = 0; at < refresh.length; at += 3) {
      const changed = refresh.slice(0, at) + (refresh[at] === "A" ? "B" : "A") + refresh.slice(at + 1);
      for (const token of [refresh.slice(0, at), changed])
        await expect(running.pawl.tokens.refreshSession(token)).rejects.toMatchObject({ errType: UNAUTHORISED });
    }
  });

  test.each([undefined, null, 5, {}, [], true, "x".repeat(2_000_000)])(
    "tokens that are no token (%#)",
    async (value) => {
      const { tokens } = running.pawl;
      await expect(tokens.refreshSession(value as never)).rejects.toMatchObject({ errType: UNAUTHORISED });
      await expect(tokens.getSession(value as never, undefined, true, "x")).rejects.toMatchObject({
        errType: TRY_REFRESH_TOKEN,
      });
    },
  );

  test("50,000 cookies beside ours (CVE-2025-58186)", async () => {
    const others = Array.from({ length: 50_000 }, (_, at) => `c${at}=${at}`).join("; ");
    const answer = await browser.send("/me", { cookie: `${others}; ${browser.cookieHeader}` });
    expect(answer.body.userId).toBe("u1");
  });

  test("50,000 cookies of our names: an answer, and soon", async () => {
    const many = Array.from({ length: 50_000 }, (_, at) => `sAccessToken=${at}`).join("; ");
    const answer = await browser.send("/me", { cookie: `${many}; sIdRefreshToken=x` });
    expect(answer.body.errType).toBe(TRY_REFRESH_TOKEN);
  });

  describe("duplicate cookies (supertokens-node#826)", () => {
    test("the one that verifies counts, wherever it stands", async () => {
      const own = `sAccessToken=${access}`;
      for (const cookies of [`sAccessToken=garbage; ${own}`, `${own}; sAccessToken=garbage`, `sAccessToken=; ${own}`]) {
        const answer = await browser.send("/me", { cookie: `${cookies}; sIdRefreshToken=x` });
        expect(answer.body.userId).toBe("u1");
        expect(answer.setCookie).toEqual([]);
      }
    });

    test("the one that refreshes counts, wherever it stands", async () => {
      const own = `sRefreshToken=${refresh}`;
      for (const cookie of [`sRefreshToken=garbage; ${own}`, `${own}; sRefreshToken=garbage`]) {
        const answer = await new Browser(app).send("/session/refresh", { method: "POST", cookie });
        expect(answer.status).toBe(200);
      }
    });

    test("an ended session wins over what is no token; one that may be refreshed wins over an ended one", async () => {
      const { pawl, clock, close } = await start();
      const own = await startWebApp(pawl);
      const older = new Browser(own);
      await older.login("u1");
      clock.advance("30m");
      const user = new Browser(own);
      const { body } = await user.login("u1");
      await pawl.revokeSessionUsingSessionHandle(body.handle);
      clock.advance("30m");
      const ended = `sAccessToken=${user.cookies.get("sAccessToken")}`;
      const expired = `sAccessToken=${older.cookies.get("sAccessToken")}`;

      const over = await user.send("/me", { cookie: `sAccessToken=garbage; ${ended}; sIdRefreshToken=x` });
      expect(over.body.errType).toBe(UNAUTHORISED);
      expect(over.setCookie.every((line) => /^s\w+=; .*Expires=Thu, 01 Jan 1970/.test(line))).toBe(true);
      const refreshable = await user.send("/me", { cookie: `${ended}; ${expired}; sIdRefreshToken=x` });
      expect(refreshable.body.errType).toBe(TRY_REFRESH_TOKEN);
      expect(refreshable.setCookie).toEqual([]);
      await own.close();
      await close();
    });

    test.each([
      ["example.com", "; Domain=example.com"],
      ["", ""],
    ])(
      "with `olderDomain: %j` a refresh clears what is there twice at the older domain",
      async (olderDomain, domain) => {
        const { pawl, clock, close } = await start({ cookies: { olderDomain } });
        const own = await startWebApp(pawl);
        const user = new Browser(own);
        await user.login("u1");
        clock.advance("10m");
        const cookie = `sRefreshToken=garbage; ${user.cookieHeader}`;
        const answer = await user.send("/session/refresh", { method: "POST", cookie });
        expect(answer.status).toBe(200);
        expect(answer.setCookie).toContain(
          `sRefreshToken=${domain}; Path=/session/refresh; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax`,
        );
        expect((await user.refresh()).setCookie).toHaveLength(3);
        await own.close();
        await close();
      },
    );

    describe("of refresh tokens", () => {
      /** A user whose first refresh token is dead: on its own it is an alarm. */
      const staleAndCurrent = async () => {
        const user = new Browser(app);
        await user.login("u4");
        const stale = user.cookies.get("sRefreshToken") ?? "";
        for (let round = 0; round < 2; round++) {
          running.clock.advance("10m");
          await user.refresh();
        }
        running.clock.advance("10m");
        return { user, stale, current: () => user.cookies.get("sRefreshToken") ?? "" };
      };
      const present = (user: Browser, tokens: readonly string[]) =>
        user.send("/session/refresh", {
          method: "POST",
          cookie: tokens.map((token) => `sRefreshToken=${token}`).join("; "),
        });

      test("a stale one of the same session is no theft, first or last; alone it is", async () => {
        const { user, stale, current } = await staleAndCurrent();
        for (const order of [
          () => [stale, current()],
          () => [current(), stale],
          () => [stale, "garbage", current(), refresh.slice(0, -1), stale],
        ]) {
          expect((await present(user, order())).status).toBe(200);
          running.clock.advance("10m");
        }
        expect((await present(user, ["garbage", stale])).body).toMatchObject({ errType: TOKEN_THEFT_DETECTED });
      });

      test("of another store, or with a changed character, hides none that is good", async () => {
        const { user, current } = await staleAndCurrent();
        const elsewhere = await start();
        const foreign = (await elsewhere.pawl.tokens.createNewSession("u4", {}, {})).refreshToken.token;
        await elsewhere.close();
        const changed = current().slice(0, -9) + (current().at(-9) === "A" ? "B" : "A") + current().slice(-8);
        for (const forged of [foreign, changed]) {
          expect((await present(user, [forged, current()])).status).toBe(200);
          expect((await present(user, [current(), forged])).status).toBe(200);
          expect((await present(new Browser(app), [forged])).body).toMatchObject({ errType: UNAUTHORISED });
        }
      });

      test("of two sessions the later one goes on; when it has ended, the other", async () => {
        const [older, newer] = [new Browser(app), new Browser(app)];
        const handles: string[] = [];
        for (const user of [older, newer]) {
          handles.push((await user.login("u5")).body.handle as string);
          running.clock.advance("10m");
        }
        const tokens = [older, newer].map((user) => user.cookies.get("sRefreshToken") ?? "");
        const handleOf = async (order: readonly string[]) => {
          const user = new Browser(app);
          expect((await present(user, order)).status).toBe(200);
          return (await user.send("/me")).body.handle;
        };
        expect(await handleOf(tokens)).toBe(handles[1]);
        expect(await handleOf(tokens.toReversed())).toBe(handles[1]);
        await running.pawl.revokeSessionUsingSessionHandle(handles[1] ?? "");
        expect(await handleOf(tokens)).toBe(handles[0]);
        expect(await handleOf(tokens.toReversed())).toBe(handles[0]);
      });
    });
  });
});

test("no token, key or password in any message", async () => {
  for (const { start } of modes) {
    const running = await start();
    const canary = "CANARY".repeat(20);
    const attempts = [
      running.pawl.tokens.refreshSession(`pawl_rt_1.${canary}`),
      running.pawl.tokens.getSession(`${canary}.${canary}.${canary}`, canary, true, canary),
      running.pawl.getSessionData(canary),
      running.pawl.createNewSession({ getHeader: () => undefined, setHeader: () => undefined }, "u", {
        big: canary.repeat(50),
      }),
    ];
    for (const { reason } of (await Promise.allSettled(attempts)) as PromiseRejectedResult[])
      expect(String((reason as Error).stack)).not.toContain("CANARY");
    await running.close();
  }
});

test("more planted cookies under older names than are looked at are refused for good, and cleared: no lasting 503", async () => {
  const names = ["__Host-sRefreshToken", "__Secure-sRefreshToken", "sRefreshToken"];
  const planted = names.flatMap((name) => Array.from({ length: 9 }, (_, index) => `${name}=planted-${index}`));
  const pawl = createPawl({ storage: "memory:", cookies: { names: "prefixed", refreshTokenPath: "/" } });
  const headers = new Map<string, string | readonly string[]>();
  const res = {
    getHeader: (name: string) => headers.get(name),
    setHeader: (name: string, value: string | readonly string[]) => headers.set(name, value),
  };
  const req = { headers: { cookie: planted.slice(9).join("; ") } };
  await expect(pawl.refreshSession(req, res)).rejects.toMatchObject({ errType: UNAUTHORISED });
  expect(headers.get("Set-Cookie")?.length).toBeGreaterThan(0);
  await pawl.close();
});
