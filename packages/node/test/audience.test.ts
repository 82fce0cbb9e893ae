import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig, type RunningCore, startCore } from "@pawl/core";
import { createEngine, defaultPolicy, parseMasterKeys, verificationKeysFromJwks } from "@pawl/engine";
import { MemoryStorage, type UserId } from "@pawl/storage";
import { describe, expect, onTestFinished, test } from "vitest";
import { CoreVerifier } from "../src/backend/core/core-verifier.js";
import { createPawl, type Exchange, type Pawl, type PawlOptions } from "../src/index.js";
import { forwardTo } from "./adapters/forward.js";
import { served } from "./adapters/served.js";
import { TestBrowser } from "./browser.js";
import { testClock } from "./clock.js";

const RULE = { issuer: "https://sessions.example.com", audience: "https://api.example.com" };
const MASTER_KEY = Buffer.alloc(32, 7).toString("base64");

const claimsIn = (token: string | undefined): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token?.split(".")[1] ?? "", "base64url").toString()) as Readonly<Record<string, unknown>>;
const accessTokenOf = (browser: TestBrowser): string | undefined =>
  browser.cookies().find(([name]) => name.endsWith("access"))?.[1];

/** Applications of one release after the other, over one store. */
const startReleases = () => {
  const clock = testClock();
  const storage = new MemoryStorage({ clock });
  onTestFinished(() => storage.close());
  const release = (options: Partial<PawlOptions>): Pawl => {
    const pawl = createPawl({ storage, masterKey: MASTER_KEY, clock, ...options } as PawlOptions);
    onTestFinished(() => pawl.close());
    return pawl;
  };
  return { clock, release };
};

const me = (pawl: Pawl) => async (exchange: Exchange) => (await pawl.requireSession(exchange)).userId;

describe("issuer and audience", () => {
  test("stand in access tokens, which are accepted", async () => {
    const { release } = startReleases();
    const [pawl, several] = [release(RULE), release({ ...RULE, audience: ["billing", RULE.audience] })];
    const { accessToken } = await pawl.tokens.create({ userId: "alice", payload: { role: "editor" } });
    expect(claimsIn(accessToken)).toMatchObject({ iss: RULE.issuer, aud: RULE.audience, client_id: RULE.audience });
    expect((await several.tokens.verify(accessToken)).payload).toEqual({ role: "editor" });
    const other = await several.tokens.create({ userId: "alice", payload: {} });
    expect(claimsIn(other.accessToken)["aud"]).toEqual(["billing", RULE.audience]);
    const elsewhere = release({ ...RULE, audience: "elsewhere" });
    await expect(elsewhere.tokens.verify(accessToken)).rejects.toMatchObject({ code: "TRY_REFRESH" });
  });

  test("switched on, log no visitor out, and refresh each once, in place", async () => {
    const { clock, release } = startReleases();
    const [before, after] = [release({}), release(RULE)];
    const browser = new TestBrowser();
    await browser.visit((exchange) => before.createSession(exchange, { userId: "alice" }));
    expect(claimsIn(accessTokenOf(browser))["iss"]).toBeUndefined();
    for (const lines of [2, 0, 0]) {
      clock.advance(60_000);
      const visit = await browser.visit(me(after));
      expect([visit.result, visit.status, visit.lines]).toEqual(["alice", 200, lines]);
    }
    expect(claimsIn(accessTokenOf(browser))["iss"]).toBe(RULE.issuer);
    // A release that is rolled back takes what it meets.
    expect(await browser.visit(me(before))).toMatchObject({ result: "alice", lines: 0 });
  });

  test("are told together, and with a core by its configuration", () => {
    const create = (options: object) => () => createPawl({ storage: "memory:", ...options });
    expect(create({ issuer: RULE.issuer })).toThrow("issuer and audience are given together, or neither is");
    expect(create({ audience: "a" })).toThrow("issuer and audience are given together, or neither is");
    expect(create({ ...RULE, issuer: "http://sessions.example.com" })).toThrow("issuer must be an https URL");
    expect(create({ ...RULE, audience: [] })).toThrow("audience must be a name or URL, or a list of such");
    expect(() => createPawl({ core: ["http://127.0.0.1:1"], ...RULE } as PawlOptions)).toThrow(
      "issuer cannot be given here: the core's config.yaml says it",
    );
  });
});

test("a core that comes back with an issuer: its applications learn of it, and nobody is logged out", async () => {
  const clock = testClock();
  const folder = await mkdtemp(join(tmpdir(), "pawl-audience-"));
  const defaults = readConfig({ env: {}, cwd: folder });
  let core: RunningCore | undefined;
  const start = async (rule: { readonly issuer?: string; readonly audience?: readonly string[] }): Promise<void> => {
    await core?.close();
    const policy = { ...defaultPolicy, enableAntiCsrf: false, ...rule };
    const storage = `sqlite:${join(folder, "sessions.db")}`;
    core = await startCore({ ...defaults, port: 0, storage, policy, logLevel: "none" }, { clock });
  };
  await start({});
  const front = await served(createServer((req, res) => forwardTo(core?.address.port ?? 0, req, res)));
  const pawl = createPawl({ core: [front.origin], clock });
  onTestFinished(async () => {
    await pawl.close();
    await front.close();
    await core?.close();
    await rm(folder, { recursive: true });
  });

  const browser = new TestBrowser();
  await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
  const old = accessTokenOf(browser) ?? "";
  expect((await pawl.tokens.verify(old)).userId).toBe("alice");

  await start({ issuer: RULE.issuer, audience: [RULE.audience] });
  const outcome = () =>
    pawl.tokens.verify(old).then(
      ({ userId }) => userId,
      (error: { code?: string }) => error.code,
    );
  await expect.poll(outcome, { timeout: 20_000 }).toBe("TRY_REFRESH");
  const visit = await browser.visit(me(pawl));
  expect([visit.result, visit.lines]).toEqual(["alice", 2]);
  expect(claimsIn(accessTokenOf(browser))["iss"]).toBe(RULE.issuer);
  expect(await browser.visit(me(pawl))).toMatchObject({ result: "alice", lines: 0 });
});

test("a verifier of former rules, which remembers what was revoked, objects to no audience", async () => {
  const clock = testClock();
  const [former, present] = ["a", "b"].map((name) => ({ issuer: `https://${name}.example`, audience: [name] }));
  const verifier = new CoreVerifier(clock, { accessTokenValidity: 3_600_000, enableAntiCsrf: false, ...former });
  const storage = new MemoryStorage({ clock });
  const engine = await createEngine({ storage, masterKeys: parseMasterKeys(MASTER_KEY), policy: present });
  onTestFinished(() => engine.close());
  verifier.setKeys(verificationKeysFromJwks(engine.keySet()));
  const { accessToken } = await engine.createSession({ userId: "alice" as UserId, form: "pawl" });
  expect(verifier.verify({ accessToken: accessToken.token })).toMatchObject({ why: "wrong_audience" });
  verifier.setRules({ accessTokenValidity: 7_200_000, enableAntiCsrf: false, ...present });
  expect(verifier.audienceRule).toEqual(present);
  expect(verifier.verify({ accessToken: accessToken.token })).toMatchObject({ kind: "valid" });
});
