import { describe, expect, test } from "vitest";
import { listen, type ListeningCore, movableClock } from "../listening-core.js";
import { at, create, expectText, login } from "./cdi-requests.js";
import { ask } from "./v1-requests.js";

const REFUSED = "The session acts for another user, which this protocol cannot express";
const AS_BOB = { userId: "bob", payload: { role: "user" }, reason: "ticket 4711" };

const post = (core: ListeningCore, version: string, path: string, body: object) =>
  core.send("POST", version === "1.0" ? path.replace("/recipe", "") : path, { ...at(version), body });
const refresh = (core: ListeningCore, version: string, refreshToken: string) =>
  post(core, version, "/recipe/session/refresh", { refreshToken, enableAntiCsrf: false, useDynamicSigningKey: true });
const verify = (core: ListeningCore, version: string, accessToken: string, checkDatabase = false) =>
  post(core, version, "/recipe/session/verify", {
    accessToken,
    checkDatabase,
    doAntiCsrfCheck: false,
    enableAntiCsrf: false,
  });

/** A session that was begun by another SDK, refreshed by ours, and acts for Bob. */
const start = async (version: string) => {
  const clock = movableClock();
  const core = await listen({}, { clock });
  const path = version === "1.0" ? "/session" : "/recipe/session";
  const theirs = (await core.send("POST", path, { ...at(version), body: login })).json;
  clock.move(31_000);
  const body = { refreshToken: theirs.refreshToken.token as string };
  const ours = (await ask(core, "refreshSession", { body })).json;
  const accessToken = ours.accessToken.token as string;
  const acting = (await ask(core, "actAs", { body: { accessToken, ...AS_BOB } })).json;
  const tokens = {
    theirs: theirs.accessToken.token as string,
    acting: acting.accessToken.token as string,
    refresh: ours.refreshToken.token as string,
  };
  return { core, clock, handle: ours.session.handle as string, tokens };
};

describe.each(["1.0", "2.9", "2.15", "2.21", "3.0", "4.0", "5.4"])("CDI %s", (version) => {
  test("refuses what would name the other user alone; the session goes on and is its owner's again", async () => {
    const { core, clock, tokens } = await start(version);
    for (const later of [0, 31_000]) {
      clock.move(later);
      const { status, text } = await refresh(core, version, tokens.refresh);
      expect([status, text]).toEqual([409, expect.stringMatching(/^the session acts for another user, which /)]);
    }
    expectText(await verify(core, version, tokens.acting), 409, REFUSED);

    await ask(core, "actAsSelf", { body: { accessToken: tokens.acting } });
    const own = (await refresh(core, version, tokens.refresh)).json;
    expect(own).toMatchObject({ status: "OK", session: { userId: "user-1", userDataInJWT: { role: "x" } } });
  });

  test("lets it run out", async () => {
    const { core, clock, tokens } = await start(version);
    clock.move(16 * 60_000);
    const own = (await refresh(core, version, tokens.refresh)).json;
    expect(own).toMatchObject({ status: "OK", session: { userId: "user-1" } });
  });
});

describe.each(["2.21", "5.4"])("CDI %s", (version) => {
  test("regenerates no token of somebody for whom the session does not speak now", async () => {
    const { core, tokens } = await start(version);
    const regenerate = (accessToken: string) => post(core, version, "/recipe/session/regenerate", { accessToken });
    expectText(await regenerate(tokens.theirs), 409, REFUSED);
    const answer = await verify(core, version, tokens.theirs, true);
    expect(answer.json.status).toBe("TRY_REFRESH_TOKEN");
  });

  test("by its handle the session is its owner's", async () => {
    const { core, handle } = await start(version);
    const { json } = await core.send("GET", `/recipe/session?sessionHandle=${handle}`, at(version));
    expect(json).toMatchObject({ userId: "user-1", userDataInJWT: { role: "x" }, userDataInDatabase: { n: null } });
    const listed = await core.send("GET", "/recipe/session/user?userId=user-1", at(version));
    expect(listed.json.sessionHandles).toEqual([handle]);
  });
});

test("a change of the payload by a CDI reaches our verifiers", async () => {
  const core = await listen();
  const { json } = await create(core);
  const body = { sessionHandle: json.session.handle as string, userDataInJWT: { role: "y" } };
  await core.send("PUT", "/recipe/jwt/data", { ...at("5.4"), body });
  const accessToken = json.accessToken.token as string;
  expect((await ask(core, "verifySession", { body: { accessToken } })).json.code).toBe("try_refresh_token");
});
