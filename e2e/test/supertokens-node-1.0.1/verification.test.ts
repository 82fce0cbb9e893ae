import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { bothSettings, startTestCore, type TestCore } from "../core.js";
import { entries, setup } from "./application.js";
import type { Client, VerifyOptions } from "./client.js";

const asksTheCore = ["POST /session/verify"];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A core whose CDI 1.0 tokens are signed by keys that rotate; closed after the test. */
const startRotatingCore = async (): Promise<TestCore> => {
  const core = await startTestCore({ config: { cdi1: { enabled: true, withoutKey: false, keyKind: "dynamic" } } });
  onTestFinished(() => core.close());
  return core;
};

/** What an access token of version 1 says. */
const claimsOf = (client: Client): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(client.tokens.get("sAccessToken")?.split(".")[1] ?? "", "base64").toString());

describe.each(entries)("getSession of $name, unmodified", (entry) => {
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore();
  });
  afterAll(() => core.close());

  test("1.0.1 statement 4: an access token without its id token is UNAUTHORISED, and nobody is asked", async () => {
    const { sdk, proxy, loggedIn } = await setup(entry, core);
    const client = await loggedIn();
    client.tokens.delete("sIdRefreshToken");
    expect(await client.verify()).toEqual({ errType: sdk.Error.UNAUTHORISED, message: "idRefreshToken missing" });
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 5: a valid token without parent asks nobody", async () => {
    const { proxy, loggedIn, userId } = await setup(entry, core);
    const client = await loggedIn();
    expect(await client.verify()).toEqual({ userId });
    expect(await client.verify({ check: false })).toEqual({ userId });
    expect(proxy.take()).toEqual([]);
  });

  test.each<[string, VerifyOptions, ((token: string) => string)?]>([
    ["a wrong anti-CSRF token", { antiCsrf: "wrong" }],
    ["no anti-CSRF token", { antiCsrf: undefined }],
    ["a bad signature", {}, (token) => `${token.slice(0, -8)}AAAAAA==`],
    ["no JWT at all", {}, () => "garbage"],
  ])("1.0.1 statement 6: %s is asked of the core, and its answer holds", async (_, options, forged) => {
    const { sdk, proxy, loggedIn, userId } = await setup(entry, core);
    const client = await loggedIn();
    const good = client.tokens.get("sAccessToken") ?? "";
    if (forged) client.tokens.set("sAccessToken", forged(good));
    expect(await client.verify(options)).toEqual({
      errType: sdk.Error.TRY_REFRESH_TOKEN,
      message: expect.any(String) as string,
    });
    expect(proxy.take()).toEqual(asksTheCore);
    // only the attempt was refused
    client.tokens.set("sAccessToken", good);
    expect(await client.verify()).toEqual({ userId });
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 6: an expired token is asked of the core, and its answer holds", async () => {
    const { sdk, proxy, loggedIn } = await setup(entry, core);
    // minted two hours ago by the core's clock: expired for both sides
    core.clock.advance(-2 * HOUR);
    const client = await loggedIn();
    core.clock.advance(2 * HOUR);
    expect(await client.verify()).toEqual({
      errType: sdk.Error.TRY_REFRESH_TOKEN,
      message: "Access token expired",
    });
    expect(proxy.take()).toEqual(asksTheCore);
  });

  test("1.0.1 statement 6: a token of a signing key that is not known yet is asked of the core, and its OK holds", async () => {
    const rotating = await startRotatingCore();
    const { proxy, loggedIn, userId } = await setup(entry, rotating);
    const client = await loggedIn();
    await rotating.engine.rotateSigningKey("RS256");
    rotating.clock.advance(61_000);
    const elsewhere = await (await setup(entry, rotating)).loggedIn();
    const visitor = client.copy();
    for (const [name, token] of elsewhere.tokens) visitor.tokens.set(name, token);
    expect(await visitor.verify({ check: false })).toEqual(await elsewhere.verify());
    expect(proxy.take()).toEqual(asksTheCore);
    // with the answer came the new key, and the one before it is now the core's to know
    expect(await visitor.verify({ check: false })).toEqual(await elsewhere.verify());
    expect(proxy.take()).toEqual([]);
    expect(await client.verify()).toEqual({ userId });
    expect(proxy.take()).toEqual(asksTheCore);
  });

  test("1.0.1 statement 6: anti-CSRF is not compared where the argument is false", async () => {
    const { proxy, loggedIn, userId } = await setup(entry, core);
    const client = await loggedIn();
    expect(await client.verify({ check: false, antiCsrf: "wrong" })).toEqual({ userId });
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 6: anti-CSRF is not compared where the handshake did not enable it", async () => {
    const without = await startTestCore({ policy: { enableAntiCsrf: false } });
    onTestFinished(() => without.close());
    const { proxy, loggedIn, userId } = await setup(entry, without);
    const client = await loggedIn();
    expect(client.antiCsrf).toBeUndefined();
    expect(await client.verify({ check: true, antiCsrf: "wrong" })).toEqual({ userId });
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 8: with a signing key said to have expired every call goes to the core, whose reply brings the new key", async () => {
    const rotating = await startTestCore({
      config: { cdi1: { enabled: true, withoutKey: false, keyKind: "dynamic" } },
    });
    onTestFinished(() => rotating.close());
    rotating.clock.advance(-60 * DAY);
    const { proxy, loggedIn, userId } = await setup(entry, rotating);
    const client = await loggedIn();
    for (let call = 0; call < 2; call++) {
      expect(await client.verify()).toEqual({ userId });
      expect(proxy.take()).toEqual(asksTheCore);
    }
    // the core turns to a key of today; a login elsewhere brings a token signed with it, not the key
    rotating.clock.advance(60 * DAY);
    await rotating.engine.maintainSigningKeys();
    rotating.clock.advance(61_000);
    const elsewhere = await (await setup(entry, rotating)).loggedIn();
    for (const [name, token] of elsewhere.tokens) client.tokens.set(name, token);
    const verified = await client.verify({ antiCsrf: elsewhere.antiCsrf });
    expect(verified.errType).toBeUndefined();
    expect(proxy.take()).toEqual(asksTheCore);
    expect(await client.verify({ antiCsrf: elsewhere.antiCsrf })).toEqual(verified);
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 12: a revoked session is accepted until its access token expires", async () => {
    const { sdk, proxy, loggedIn, userId } = await setup(entry, core);
    const client = await loggedIn();
    expect(await sdk.revokeAllSessionsForUser(userId)).toBe(1);
    proxy.take();
    onTestFinished(() => void vi.useRealTimers());
    const loggedInAt = Date.now();
    for (const minutes of [0, 30, 59]) {
      vi.setSystemTime(loggedInAt + minutes * 60_000);
      expect(await client.verify()).toEqual({ userId });
      expect(proxy.take()).toEqual([]);
    }
    vi.setSystemTime(loggedInAt + HOUR + 1000);
    const { TRY_REFRESH_TOKEN, UNAUTHORISED } = sdk.Error;
    expect(await client.copy().verify()).toMatchObject({ errType: TRY_REFRESH_TOKEN });
    expect(await client.refresh()).toMatchObject({ errType: UNAUTHORISED });
  });
});

describe.each(entries)("getSession after a refresh, of $name, unmodified", (entry) => {
  describe.each(bothSettings)("with $settings", ({ settings, options }) => {
    let core: TestCore;
    beforeAll(async () => {
      core = await startTestCore(options);
    });
    afterAll(() => core.close());

    test("1.0.1 statement 7: a token with a parent goes to the core, whose answer replaces the access token alone, once", async () => {
      const { proxy, loggedIn, userId } = await setup(entry, core);
      const client = await loggedIn();
      core.clock.advance(31_000);
      expect(await client.refresh()).toEqual({ userId });
      proxy.take();
      const refreshed = new Map(client.tokens);
      const { parentRefreshTokenHash1: parent, ...claims } = claimsOf(client);
      expect(parent).toEqual(expect.any(String));
      if (settings === "the defaults") {
        // within the window nothing is confirmed: the core is asked each time, and the token stays
        for (let call = 0; call < 2; call++) {
          expect(await client.verify()).toEqual({ userId });
          expect(proxy.take()).toEqual(asksTheCore);
          expect(client.tokens).toEqual(refreshed);
        }
        core.clock.advance(31_000);
      }
      expect(await client.verify()).toEqual({ userId });
      expect(proxy.take()).toEqual(asksTheCore);
      const changed = [...client.tokens].filter(([name, token]) => refreshed.get(name) !== token);
      expect(changed.map(([name]) => name)).toEqual(["sAccessToken"]);
      // the same but for the parent, and no longer valid than before
      expect(claimsOf(client)).toEqual({ ...claims, timeCreated: expect.any(Number) as number });
      expect(await client.verify()).toEqual({ userId });
      expect(proxy.take()).toEqual([]);
    });

    test("1.0.1 statement 9: what the core answers is thrown, UNAUTHORISED and TRY_REFRESH_TOKEN", async () => {
      const { sdk, proxy, loggedIn, userId } = await setup(entry, core);
      const client = await loggedIn();
      core.clock.advance(31_000);
      await client.refresh();
      const { TRY_REFRESH_TOKEN, UNAUTHORISED } = sdk.Error;
      expect(await client.verify({ antiCsrf: "wrong" })).toMatchObject({ errType: TRY_REFRESH_TOKEN });
      await sdk.revokeAllSessionsForUser(userId);
      proxy.take();
      expect(await client.verify()).toEqual({ errType: UNAUTHORISED, message: expect.any(String) as string });
      expect(proxy.take()).toEqual(asksTheCore);
    });
  });
});
