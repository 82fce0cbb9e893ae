import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { sdkVersions } from "./sdk-version.js";
import { sharedSetup } from "./setup.js";

const letIn = () => "let in";
const TRY_REFRESH = { status: 401, message: "try refresh token" };
const UNAUTHORISED = { status: 401, message: "unauthorised" };

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

describe.each(sdkVersions)("anti-CSRF of supertokens-node $version, unmodified", (sdk) => {
  const viaToken = sharedSetup(sdk, () => core, { session: { antiCsrf: "VIA_TOKEN" } });
  const viaHeader = sharedSetup(sdk, () => core, { session: { antiCsrf: "VIA_CUSTOM_HEADER" } });

  test("VIA_TOKEN: the core's token is asked for where something changes, and stays through a refresh", async () => {
    const { loggedIn } = viaToken();
    const visitor = await loggedIn();
    const token = visitor.antiCsrf;
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
    for (const wrong of [undefined, "00000000-0000-4000-8000-000000000000"]) {
      visitor.antiCsrf = wrong;
      expect(await visitor.act(letIn)).toMatchObject(TRY_REFRESH);
      expect(await visitor.act(letIn, { method: "GET" })).toMatchObject({ status: 200 });
      expect(await visitor.act(letIn, { options: { antiCsrfCheck: false } })).toMatchObject({ status: 200 });
    }
    visitor.antiCsrf = token;
    core.clock.advance(31_000);
    expect((await visitor.refresh()).status).toBe(200);
    expect(visitor.antiCsrf).toBe(token);
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
    core.clock.advance(31_000);
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
  });

  test("VIA_TOKEN: a refresh with another token is UNAUTHORISED, and alarms nobody", async () => {
    const { loggedIn, sdk: loaded, userId } = viaToken();
    const visitor = await loggedIn();
    for (const wrong of [undefined, "00000000-0000-4000-8000-000000000000"]) {
      const forger = visitor.copy();
      forger.antiCsrf = wrong;
      expect(await forger.refresh()).toMatchObject(UNAUTHORISED);
    }
    expect(await loaded.getAllSessionHandlesForUser(userId)).toHaveLength(1);
    expect((await visitor.refresh()).status).toBe(200);
  });

  test("VIA_CUSTOM_HEADER: the header is asked for where something changes, and at a refresh", async () => {
    const { loggedIn } = viaHeader();
    const visitor = await loggedIn();
    expect(visitor.antiCsrf).toBeUndefined();
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
    const forger = await loggedIn({}, { sendsRid: false });
    expect(await forger.act(letIn)).toMatchObject(TRY_REFRESH);
    expect(await forger.act(letIn, { method: "GET" })).toMatchObject({ status: 200 });
    expect(await forger.refresh()).toMatchObject(UNAUTHORISED);
    expect((await visitor.refresh()).status).toBe(200);
    expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
  });

  if (sdk.features.has("headerMode"))
    test("in header mode no other token is needed: browsers send none of themselves", async () => {
      const { loggedIn } = viaToken();
      const visitor = await loggedIn({}, { mode: "header", sendsRid: false });
      expect(visitor.antiCsrf).toBeUndefined();
      expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
      expect((await visitor.refresh()).status).toBe(200);
    });
});
