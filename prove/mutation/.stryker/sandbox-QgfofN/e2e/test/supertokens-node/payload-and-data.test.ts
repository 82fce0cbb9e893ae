import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import type { Values } from "./sdk.js";
import { sdkVersions } from "./sdk-version.js";
import { sharedSetup } from "./setup.js";

/** What JSON can hold, and implementations have lost. */
const ODD: Values = { ü: "Ω🌍", nothing: null, none: {}, list: [1, "2", [null]], big: 1e21, exact: 0.1, text: '"\\\n' };
const HOUR = 3_600_000;

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

describe.each(sdkVersions)("payload and data of supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);
  test("both come back as they went in, also from the core", async () => {
    const { sdk: loaded, loggedIn, userId } = setup();
    const since = core.clock.now();
    const visitor = await loggedIn({ payload: ODD, data: ODD });
    const seen = await visitor.act(async (session) => ({
      handle: session.getHandle(),
      payload: session.getAccessTokenPayload() as Values,
      data: (await session.getSessionDataFromDatabase()) as Values,
      timeCreated: await session.getTimeCreated(),
      expiry: await session.getExpiry(),
    }));
    const { handle, payload, data, timeCreated, expiry } = seen.body as Record<string, unknown>;
    expect(payload).toMatchObject(ODD);
    expect(data).toEqual(ODD);
    expect(timeCreated).toBeGreaterThanOrEqual(since);
    expect(timeCreated).toBeLessThanOrEqual(core.clock.now());
    expect(expiry).toBeGreaterThan(since + 99 * 24 * HOUR);
    const known = await loaded.information(String(handle));
    expect(known).toMatchObject({ userId, data: ODD, timeCreated, expiry });
    expect(known?.payload).toMatchObject(ODD);
  });

  test("merged through the session, a payload is in the visitor's next request and stays through a refresh", async () => {
    const { loggedIn } = setup();
    const visitor = await loggedIn({ payload: { role: "member", plan: "free" } });
    const before = visitor.tokens.get("access");
    const merged = await visitor.act(async (session) => {
      await session.mergeIntoAccessTokenPayload({ role: "admin" });
      return session.getAccessTokenPayload() as Values;
    });
    expect(merged).toMatchObject({ status: 200, body: { role: "admin", plan: "free" } });
    expect(visitor.tokens.get("access")).not.toBe(before);
    const payload = () => visitor.act((session) => session.getAccessTokenPayload() as Values);
    expect(await payload()).toMatchObject({ status: 200, body: { role: "admin", plan: "free" } });
    core.clock.advance(31_000);
    await visitor.refresh();
    expect(await payload()).toMatchObject({ status: 200, body: { role: "admin", plan: "free" } });
  });

  test("merged by handle, a payload is in the token from the next refresh on", async () => {
    const { sdk: loaded, loggedIn } = setup();
    const visitor = await loggedIn({ payload: { role: "member", plan: "free" } });
    const payload = () => visitor.act((session) => session.getAccessTokenPayload() as Values);
    const handle = String((await visitor.act((session) => session.getHandle())).body);
    expect(await loaded.mergePayload(handle, { role: "admin" })).toBe(true);
    expect(await payload()).toMatchObject({ body: { role: "member", plan: "free" } });
    core.clock.advance(31_000);
    await visitor.refresh();
    expect(await payload()).toMatchObject({ body: { role: "admin", plan: "free" } });
  });

  test("data is written through the session and by handle", async () => {
    const { sdk: loaded, loggedIn } = setup();
    const visitor = await loggedIn({ data: { note: 1 } });
    const data = () => visitor.act((session) => session.getSessionDataFromDatabase());
    await visitor.act((session) => session.updateSessionDataInDatabase({ note: 2 }));
    expect((await data()).body).toEqual({ note: 2 });
    const handle = String((await visitor.act((session) => session.getHandle())).body);
    expect(await loaded.updateData(handle, { note: 3 })).toBe(true);
    expect((await data()).body).toEqual({ note: 3 });
  });

  test("of a session that is not there, nothing is known or changed", async () => {
    const { sdk: loaded, loggedIn } = setup();
    const visitor = await loggedIn();
    const ended = String((await visitor.act((session) => session.getHandle())).body);
    await loaded.revokeSession(ended);
    for (const handle of [ended, "unknown", "00000000-0000-4000-8000-000000000000"]) {
      expect(await loaded.information(handle)).toBeUndefined();
      expect(await loaded.mergePayload(handle, { role: "admin" })).toBe(false);
      expect(await loaded.updateData(handle, { note: 3 })).toBe(false);
    }
    expect(await visitor.act((session) => session.getSessionDataFromDatabase())).toMatchObject({
      status: 401,
      message: "unauthorised",
    });
    expect(visitor.tokens.size).toBe(0);
  });
});
