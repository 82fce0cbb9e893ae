import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { sdkVersions } from "./sdk-version.js";
import { sharedSetup } from "./setup.js";
import type { Visitor } from "./visitor.js";

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

const handleOf = async (visitor: Visitor): Promise<string> =>
  String((await visitor.act((session) => session.getHandle())).body);

describe.each(sdkVersions)("listing and revoking with supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);
  test("one session, several, all of a user; never another user's", async () => {
    const { sdk: loaded, loggedIn, userId } = setup();
    const visitors = [await loggedIn(), await loggedIn(), await loggedIn(), await loggedIn()];
    const other = await loggedIn({ userId: `${userId}-other` });
    const handles = await Promise.all(visitors.map(handleOf));
    const listed = async () => (await loaded.getAllSessionHandlesForUser(userId)).toSorted();
    expect(await listed()).toEqual(handles.toSorted());

    const [first = "", second = "", ...rest] = handles;
    expect(await loaded.revokeSession(first)).toBe(true);
    expect(await loaded.revokeSession(first)).toBe(false);
    expect(await visitors[0]?.refresh()).toMatchObject({ status: 401, message: "unauthorised" });
    expect(await loaded.revokeMultipleSessions([second, first, "unknown"])).toEqual([second]);
    expect(await listed()).toEqual(rest.toSorted());
    expect((await loaded.revokeAllSessionsForUser(userId)).toSorted()).toEqual(rest.toSorted());
    expect(await loaded.revokeAllSessionsForUser(userId)).toEqual([]);
    expect(await listed()).toEqual([]);
    expect((await other.refresh()).status).toBe(200);
  });

  test("a visitor ends its own session through the session", async () => {
    const { loggedIn, sdk: loaded, userId } = setup();
    const visitor = await loggedIn();
    expect((await visitor.act((session) => session.revokeSession())).status).toBe(200);
    expect(visitor.tokens.size).toBe(0);
    expect(await loaded.getAllSessionHandlesForUser(userId)).toEqual([]);
  });
});
