import { describe, expect, test } from "vitest";
import { StorageError } from "@pawl/storage";
import { type Answer, listen, type ListeningCore, movableClock, sharedCore } from "../listening-core.js";
import { create } from "./v1-requests.js";

const PATH = "/gateway/check";
const COOKIE = "__Host-pawl-access";
const KEY = "correct-horse-battery-staple";
const VERIFIER_KEY = "a-key-of-a-gateway-only=";
const GET = { "x-forwarded-method": "GET" };
const POST = { "x-forwarded-method": "POST" };

const check = (core: ListeningCore, headers: Readonly<Record<string, string>>, query = ""): Promise<Answer> =>
  core.send("GET", PATH + query, { headers });

const outcomeOf = ({ status, headers }: Answer): readonly unknown[] => [status, headers["pawl-code"]];
const NOBODY = [401, "UNAUTHORISED"];
const REFRESH = [401, "TRY_REFRESH"];
const OTHER_SITE = [403, "CSRF"];
const UNKNOWN = [503, "UNKNOWN"];
const PASSED = [200, undefined];

const cookie = (...values: readonly string[]): { readonly cookie: string } => ({
  cookie: values.map((value) => `${COOKIE}=${value}`).join("; "),
});

describe("a request with a session", () => {
  test("passes by its cookie or bearer token, and is told whose it is", async () => {
    const core = await sharedCore();
    const { session, accessToken } = await create(core, { payload: { role: "editor" } });
    const token = accessToken.token as string;
    for (const headers of [
      { ...GET, ...cookie(token) },
      { ...GET, cookie: `a=1; ${COOKIE}=${token}; b=2` },
      { authorization: `Bearer ${token}` },
      { authorization: `Bearer ${token}`, ...cookie("x") },
    ]) {
      const answer = await check(core, headers);
      expect([outcomeOf(answer), answer.text, answer.headers["cache-control"]]).toEqual([PASSED, "", "no-store"]);
      expect(answer.headers["pawl-user"]).toBe("user-1");
      expect(answer.headers["pawl-session"]).toBe(session.handle);
      const claims: unknown = JSON.parse(Buffer.from(String(answer.headers["pawl-claims"]), "base64url").toString());
      expect(claims).toMatchObject({ active: true, sub: "user-1", sid: session.handle as string, role: "editor" });
    }
  });

  test.each(["a b", "Zoë 😀", "a\r\nPawl-User: root", "x".repeat(512), "%", 'a"b', "\u0001"])(
    "whatever its user is called: %j",
    async (userId) => {
      const core = await sharedCore();
      const { accessToken } = await create(core, { userId });
      const answer = await check(core, { ...GET, ...cookie(accessToken.token as string) });
      expect(answer.headers["pawl-user"]).toMatch(/^[\x21-\x7e]+$/);
      expect(decodeURIComponent(String(answer.headers["pawl-user"]))).toBe(userId);
    },
  );

  test("of several cookies of the name the best one counts", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const [ended, one] = [await create(core, { userId: "a" }), await create(core, { userId: "b" })];
    await core.send("POST", "/v1/sessions/revoke", { body: { handles: [ended.session.handle] } });
    clock.move(10_000);
    const newer = await create(core, { userId: "c" });
    const [dead, older, newest] = [ended, one, newer].map(({ accessToken }) => accessToken.token as string) as [
      string,
      string,
      string,
    ];
    const user = async (...values: string[]) =>
      (await check(core, { ...GET, ...cookie(...values) })).headers["pawl-user"];
    expect(await user("x", dead, older)).toBe("b");
    expect(await user(newest, older)).toBe("c");
    expect(await user(older, newest, dead)).toBe("c");
    expect(outcomeOf(await check(core, { ...GET, ...cookie("x", dead) }))).toEqual(NOBODY);
  });

  test("the name of its cookie can be given, and no other is read", async () => {
    const core = await sharedCore();
    const token = (await create(core)).accessToken.token as string;
    const named = { ...GET, cookie: `pawl-access=${token}` };
    expect(outcomeOf(await check(core, named))).toEqual(NOBODY);
    expect(outcomeOf(await check(core, named, "?cookie=pawl-access"))).toEqual(PASSED);
    expect(outcomeOf(await check(core, { ...GET, ...cookie(token) }, "?cookie=pawl-access"))).toEqual(NOBODY);
  });
});

describe("a request without a session, or with one that is over", () => {
  test("may not pass, and is told whether a refresh may help, and where to return to", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const [expired, changed, ended] = [await create(core), await create(core), await create(core)];
    const token = ({ accessToken }: typeof expired) => accessToken.token as string;
    await core.send("POST", "/v1/sessions/revoke", { body: { handles: [ended.session.handle] } });
    await core.send("PUT", `/v1/sessions/${changed.session.handle}/payload`, { body: { payload: { role: "none" } } });
    expect(outcomeOf(await check(core, { ...GET, ...cookie(token(ended)) }))).toEqual(NOBODY);
    expect(outcomeOf(await check(core, { ...GET, ...cookie(token(changed)) }))).toEqual(REFRESH);
    expect(outcomeOf(await check(core, { authorization: `Bearer ${token(changed)}` }))).toEqual(REFRESH);
    clock.move(3_600_000);
    const page = { "x-forwarded-uri": "/orders?page=2&all=1" };
    const answer = await check(core, { ...GET, ...page, ...cookie(token(expired)) });
    expect(outcomeOf(answer)).toEqual(REFRESH);
    expect(answer.headers["www-authenticate"]).toBe("Bearer");
    expect(answer.headers["pawl-return"]).toBe("%2Forders%3Fpage%3D2%26all%3D1");
    expect(answer.json).toMatchObject({ message: "try refresh token", code: "TRY_REFRESH" });
    expect(answer.headers).not.toHaveProperty("pawl-user");
    for (const headers of [
      {},
      GET,
      { ...GET, cookie: "a=1" },
      { authorization: "Bearer x" },
      { authorization: "Basic x" },
    ])
      expect(outcomeOf(await check(core, headers))).toEqual(NOBODY);
  });

  test("that was just refreshed is not sent to refresh again", async () => {
    const core = await sharedCore();
    const at = (time: number) => ({ "x-forwarded-uri": `/a?pawl-refreshed=${time}` });
    const headers = { ...GET, ...cookie("x") };
    expect(outcomeOf(await check(core, { ...headers, ...at(Date.now()) }))).toEqual(NOBODY);
    expect(outcomeOf(await check(core, { ...headers, ...at(Date.now() - 31_000) }))).toEqual(REFRESH);
  });

  test.each(["//evil.example/", "/\\evil.example", "https://evil.example/", "evil", "", "/a\u00e9", "/a b"])(
    "is never sent back to another host, or to what is no path: %j",
    async (uri) => {
      const core = await sharedCore();
      const headers = { ...GET, ...cookie("x"), "x-forwarded-uri": uri };
      expect((await check(core, headers)).headers["pawl-return"]).toBe("%2F");
    },
  );
});

describe("a request that another site may have had sent", () => {
  const cross = { "sec-fetch-site": "cross-site" };
  const host = { "x-forwarded-host": "app.example.com" };
  interface Case {
    readonly headers: Readonly<Record<string, string>>;
    readonly query?: string;
    readonly expected: readonly unknown[];
  }
  test.each<Case>([
    { headers: { ...GET, ...cross, origin: "https://evil.example" }, expected: PASSED },
    { headers: { "x-forwarded-method": "head", ...cross }, expected: PASSED },
    { headers: { ...POST, ...cross }, expected: OTHER_SITE },
    { headers: { ...POST, ...cross, origin: "https://evil.example" }, expected: OTHER_SITE },
    { headers: { ...POST, "sec-fetch-site": "same-site" }, expected: OTHER_SITE },
    { headers: { ...POST, ...host, origin: "https://evil.example" }, expected: OTHER_SITE },
    { headers: { ...POST, origin: "https://app.example.com" }, expected: OTHER_SITE },
    { headers: { ...POST, ...host, origin: "null" }, expected: OTHER_SITE },
    // A gateway that does not tell the method lets nobody in by a link.
    { headers: cross, expected: OTHER_SITE },
    { headers: { "sec-fetch-site": "same-origin" }, expected: PASSED },
    { headers: { ...POST, "sec-fetch-site": "same-origin" }, expected: PASSED },
    { headers: { ...POST, "sec-fetch-site": "none" }, expected: PASSED },
    { headers: { ...POST, ...host, origin: "https://app.example.com" }, expected: PASSED },
    { headers: POST, expected: PASSED },
    {
      headers: { ...POST, ...cross, origin: "https://other.example.com" },
      query: "?origins=https://a.example,https://other.example.com",
      expected: PASSED,
    },
    {
      headers: { ...POST, ...cross, origin: "https://evil.example" },
      query: "?origins=https://a.example",
      expected: OTHER_SITE,
    },
  ])("$headers $query: $expected", async ({ headers, query, expected }) => {
    const core = await sharedCore();
    const token = (await create(core)).accessToken.token as string;
    expect(outcomeOf(await check(core, { ...headers, ...cookie(token) }, query))).toEqual(expected);
    // No browser adds a bearer token by itself.
    expect(outcomeOf(await check(core, { ...headers, authorization: `Bearer ${token}` }, query))).toEqual(PASSED);
  });

  test("a bearer token that is none of ours switches the check not off", async () => {
    const core = await sharedCore();
    const token = (await create(core)).accessToken.token as string;
    const headers = { ...POST, ...cross, authorization: "Bearer x", ...cookie(token) };
    expect(outcomeOf(await check(core, headers))).toEqual(OTHER_SITE);
  });
});

describe("nothing is known, and no user seems logged out", () => {
  test("where the gateway shows no key, or a wrong one; the key of a verifier is enough", async () => {
    const core = await listen({ apiKeys: [KEY], verifierApiKeys: [VERIFIER_KEY] });
    const { accessToken } = await core.engine.createSession({ userId: "u" as never, form: "pawl" });
    const user = { ...GET, ...cookie(accessToken.token) };
    expect(outcomeOf(await check(core, user))).toEqual(UNKNOWN);
    expect(outcomeOf(await check(core, { ...user, "api-key": "wrong" }))).toEqual(UNKNOWN);
    expect(outcomeOf(await check(core, { ...user, authorization: `Bearer ${accessToken.token}` }))).toEqual(UNKNOWN);
    for (const key of [KEY, VERIFIER_KEY]) {
      expect(outcomeOf(await check(core, { ...user, "api-key": key }))).toEqual(PASSED);
      const bearer = { authorization: `Bearer ${accessToken.token}`, "api-key": key };
      expect(outcomeOf(await check(core, bearer))).toEqual(PASSED);
      expect(outcomeOf(await check(core, { "api-key": key }))).toEqual(NOBODY);
    }
  });

  test("where what it asks is wrong", async () => {
    const core = await sharedCore();
    const token = (await create(core)).accessToken.token as string;
    const headers = { ...GET, ...cookie(token) };
    for (const query of [
      "?cookie=",
      "?cookie=a;b",
      "?cookie=a%3Db",
      "?unknown=1",
      "?checkDatabase=yes",
      "?cookie=a&cookie=a",
    ])
      expect([query, ...outcomeOf(await check(core, headers, query))]).toEqual([query, ...UNKNOWN]);
    for (const [method, path] of [
      ["POST", PATH],
      ["GET", `${PATH}/`],
      ["GET", "/gateway/other"],
    ] as const)
      expect([path, ...outcomeOf(await core.send(method, path, { headers }))]).toEqual([path, ...UNKNOWN]);
    expect(outcomeOf(await check(core, { ...headers, host: "evil.example" }))).toEqual(UNKNOWN);
  });

  test("where the store does not answer and has to be asked", async () => {
    const core = await listen({ logLevel: "none" });
    const token = (await create(core)).accessToken.token as string;
    const headers = { ...GET, ...cookie(token) };
    expect(outcomeOf(await check(core, headers, "?checkDatabase=true"))).toEqual(PASSED);
    await core.engine.storage.close();
    const answer = await check(core, headers, "?checkDatabase=true");
    expect([outcomeOf(answer), answer.headers["retry-after"]]).toEqual([UNKNOWN, "1"]);
    expect(answer.headers).not.toHaveProperty("pawl-user");
    // A token within its time needs no store.
    expect(outcomeOf(await check(core, headers))).toEqual(PASSED);
  });
});

test("every other path still refuses what a browser sends", async () => {
  const core = await sharedCore();
  for (const path of ["/v1/settings", "/oauth/introspect", "/healthz"])
    expect([path, (await core.send("GET", path, { headers: { "sec-fetch-site": "same-origin" } })).status]).toEqual([
      path,
      403,
    ]);
});

test("uses are reported, so that a theft shows as early as with our SDK", async () => {
  const clock = movableClock();
  const core = await listen({}, { clock });
  const refresh = async (refreshToken: string) =>
    (await core.send("POST", "/v1/sessions/refresh", { body: { refreshToken } })).json;
  const login = await create(core);
  clock.move(60_000);
  const next = await refresh(login.refreshToken.token);
  clock.move(60_000);
  expect(outcomeOf(await check(core, { ...GET, ...cookie(next.accessToken.token as string) }))).toEqual(PASSED);
  await expect
    .poll(async () => {
      const row = await core.engine.storage.getSession(login.session.handle);
      return [row?.current, row?.next];
    })
    .toEqual([1, 1]);
  expect(await refresh(login.refreshToken.token)).toMatchObject({ code: "token_theft_detected" });
});

test("a use that cannot be reported holds up nobody", async () => {
  const clock = movableClock();
  const core = await listen({}, { clock });
  const token = (await create(core)).accessToken.token as string;
  clock.move(120_000);
  core.engine.storage.reportUses = () => Promise.reject(new StorageError("unavailable", "down"));
  expect(outcomeOf(await check(core, { ...GET, ...cookie(token) }))).toEqual(PASSED);
});
