import { MemoryStorage } from "@pawl/storage";
import { afterEach, describe, expect, test } from "vitest";
import { getSession, init } from "../src/index.js";
import { testClock, testSession } from "../src/testing.js";

const res = { getHeader: () => undefined, setHeader: () => undefined };
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0)) await it.close();
});
const later = <It extends { close(): Promise<void> }>(it: It): It => {
  open.push(it);
  return it;
};

test("one line logs a user in", async () => {
  const { pawl, session, headers, cookies } = later(await testSession({ userId: "u1", payload: { role: "admin" } }));
  const found = await pawl.getSession({ headers }, res, true);
  expect(found.getUserId()).toBe("u1");
  expect(found.getJWTPayload().role).toBe("admin");
  expect(found.getHandle()).toBe(session.getHandle());
  expect(headers["cookie"]).toContain(`sRefreshToken=${cookies.sRefreshToken}`);
});

test("a login that fails leaves nothing open", async () => {
  const storage = new MemoryStorage();
  const stopped: string[] = [];
  const watch = storage.watchFeeds.bind(storage);
  storage.watchFeeds = (listener) => {
    const stop = watch(listener);
    return () => {
      stopped.push("stopped");
      stop();
    };
  };
  await expect(testSession({ userId: "", storage })).rejects.toMatchObject({ code: "GENERAL_ERROR" });
  expect(stopped).toEqual(["stopped"]);
});

test("time stands still until it is moved", async () => {
  const { pawl, clock, headers, cookies } = later(await testSession({ userId: "u1", accessTokenValidity: "1h" }));
  clock.advance("59m");
  await pawl.getSession({ headers }, res, true);
  clock.advance("1m");
  await expect(pawl.getSession({ headers }, res, true)).rejects.toMatchObject({ code: "TRY_REFRESH_TOKEN" });
  expect((await pawl.tokens.refreshSession(cookies.sRefreshToken)).session.userId).toBe("u1");
});

test("a month of refreshes, and theft, in no time", async () => {
  const { pawl, clock, cookies } = later(await testSession({ userId: "u1" }));
  let token = cookies.sRefreshToken;
  for (let day = 0; day < 30; day++) {
    clock.advance("1d");
    token = (await pawl.tokens.refreshSession(token)).refreshToken.token;
  }
  await expect(pawl.tokens.refreshSession(cookies.sRefreshToken)).rejects.toMatchObject({
    code: "TOKEN_THEFT_DETECTED",
  });
});

describe("asDefault", () => {
  test("makes it the instance of the documented functions, until it is closed", async () => {
    const { headers, close } = await testSession({ userId: "u1", asDefault: true });
    expect((await getSession({ headers }, res, true)).getUserId()).toBe("u1");
    await close();
    await expect(getSession({ headers }, res, true)).rejects.toThrow("Please call the init function");
  });
  test("what init has made stands again afterwards", async () => {
    init({ storage: "memory:", clock: testClock() });
    const { close } = await testSession({ userId: "u1", asDefault: true });
    await close();
    await expect(getSession({ headers: {} }, res, true)).rejects.toMatchObject({ code: "TRY_REFRESH_TOKEN" });
  });
});
