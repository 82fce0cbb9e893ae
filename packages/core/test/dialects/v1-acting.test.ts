import { routes } from "@pawl/protocol";
import { millis } from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { listen, type ListeningCore, movableClock } from "../listening-core.js";
import { ask, create, expectProblem } from "./v1-requests.js";

const AS_BOB = { userId: "bob", payload: { role: "user" }, reason: "ticket 4711" };
const BOB = { userId: "bob", actor: { userId: "user-1" }, payload: { role: "user" } };

const actAs = (core: ListeningCore, accessToken: string, more: object = {}) =>
  ask(core, "actAs", { body: { accessToken, ...AS_BOB, ...more } });
const verify = (core: ListeningCore, accessToken: string) => ask(core, "verifySession", { body: { accessToken } });
const refresh = (core: ListeningCore, refreshToken: string, more: object = {}) =>
  ask(core, "refreshSession", { body: { refreshToken, ...more } });

describe("how sure it is who is there", () => {
  test("a login says it, stepping up replaces it, and older access tokens are refused", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const at = clock.now() - 60_000;
    const auth = { at, methods: ["pwd"], level: "aal1" };
    const identityProvider = { issuer: "https://id.example", subject: "alice", sessionId: "sid-1" };
    const first = await create(core, { auth, identityProvider });
    expect(first.session).toMatchObject({ auth, payloadVersion: 0 });
    expect((await ask(core, "getSession", { path: `/v1/sessions/${first.session.handle}` })).json).toMatchObject({
      auth,
      identityProvider,
    });

    const body = { accessToken: first.accessToken.token as string, auth: { methods: ["hwk"], level: "aal2" } };
    const stepped = (await ask(core, "stepUp", { body })).json;
    const now = clock.now();
    expect(stepped).toMatchObject({
      session: { handle: first.session.handle as string, auth: { ...body.auth, at: now }, payloadVersion: 1 },
      changedAt: now,
    });
    expect((await verify(core, stepped.accessToken.token)).json.session.auth).toEqual({ ...body.auth, at: now });
    expectProblem(await verify(core, first.accessToken.token), "try_refresh_token");
    clock.move(31_000);
    const { json } = await refresh(core, first.refreshToken.token);
    expect(json).toMatchObject({ minted: true, session: { auth: { methods: ["hwk"] } } });
    expect((await refresh(core, first.refreshToken.token)).json.minted).toBe(false);
  });

  test("is refused for a token that is none, a session that has ended, and names that no header could carry", async () => {
    const core = await listen();
    const { session, accessToken } = await create(core);
    const stepUp = (auth: object, token: string = accessToken.token) =>
      ask(core, "stepUp", { body: { accessToken: token, auth } });
    expectProblem(await stepUp({ methods: ["one time"] }), "invalid_input");
    expectProblem(await stepUp({ level: "aal2" }), "invalid_input");
    expectProblem(await stepUp({ methods: [] }, "garbage"), "unauthorised");
    await ask(core, "revokeSessions", { body: { handles: [session.handle] } });
    expectProblem(await stepUp({ methods: ["hwk"] }), "unauthorised");
  });
});

describe("acting for a user", () => {
  test("one session: tokens name the user and who acts, the audit trail both, and the end gives the own one back", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const first = await create(core, { payload: { role: "support" } });
    const { handle } = first.session as { readonly handle: string };
    const begun = (await actAs(core, first.accessToken.token, { for: 600_000, data: { cart: 1 } })).json;
    expect(begun.session).toMatchObject({ handle, ...BOB });
    expect((await verify(core, begun.accessToken.token)).json.session).toMatchObject(BOB);
    expectProblem(await verify(core, first.accessToken.token), "try_refresh_token");

    const path = `/v1/sessions/${handle}`;
    const { json: information } = await ask(core, "getSession", { path });
    const until = Math.floor((clock.now() + 600_000) / 1000) * 1000;
    expect(information).toMatchObject({
      userId: "user-1",
      payload: { role: "support" },
      acting: { userId: "bob", reason: "ticket 4711", until },
    });
    const { sessions } = (await ask(core, "listSessions", { path: `${routes.listSessions.path}?userId=user-1` })).json;
    expect(sessions).toEqual([information]);
    expect(Object.keys(information.acting)).toEqual(["userId", "reason", "until"]);
    const { json: of } = await ask(core, "getSession", { path: `${path}?as=bob` });
    expect(of).toMatchObject({ userId: "user-1", payload: { role: "user" }, data: { cart: 1 } });
    expectProblem(await ask(core, "getSession", { path: `${path}?as=carol` }), "session_not_found");
    const put = (body: object) => ask(core, "updateSessionData", { path: `/v1/sessions/${handle}/data`, body });
    expect((await put({ data: { cart: 2 }, as: "bob" })).status).toBe(204);
    expectProblem(await put({ data: {}, as: "carol" }), "session_not_found");

    clock.move(31_000);
    const { json: next } = await refresh(core, first.refreshToken.token);
    expect(next.session).toMatchObject(BOB);
    const own = (await ask(core, "actAsSelf", { body: { accessToken: next.accessToken.token as string } })).json;
    expect(own.session).toMatchObject({ userId: "user-1", payload: { role: "support" } });
    expect(own.session).not.toHaveProperty("actor");

    for (const userId of ["user-1", "bob"]) {
      const { json } = await ask(core, "listEvents", { path: `${routes.listEvents.path}?userId=${userId}` });
      const acted = json.events as readonly { readonly type: string; readonly detail: object }[];
      expect(acted.map(({ type }) => type)).toEqual(["acting_ended", "acting_started"]);
      expect(acted[0]?.detail).toMatchObject({ actor: "user-1", userId: "bob", reason: "ticket 4711", end: "asked" });
    }
  });

  test("refusals say why, and change nothing", async () => {
    const core = await listen();
    const first = await create(core);
    const token = first.accessToken.token as string;
    expectProblem(await actAs(core, token, { userId: "user-1" }), "acting_refused", { why: "self" });
    for (const wrong of [{ userId: "" }, { reason: " " }, { payload: undefined }, { for: 3_600_001 }, { shoe: 1 }])
      expectProblem(await actAs(core, token, wrong), "invalid_input");
    const acting = (await actAs(core, token)).json.accessToken.token as string;
    expectProblem(await actAs(core, acting, { userId: "carol" }), "acting_refused", { why: "acting" });
    const stepUp = { accessToken: acting, auth: { methods: [] } };
    expectProblem(await ask(core, "stepUp", { body: stepUp }), "acting_refused", { why: "acting" });
    const regenerate = { accessToken: token, payload: {} };
    expectProblem(await ask(core, "regenerateSession", { body: regenerate }), "outdated");
    expectProblem(await actAs(core, "garbage"), "unauthorised");
  });

  test("the limit is the configured one", async () => {
    const core = await listen({ policy: { longestActing: millis(60_000) } });
    const { accessToken } = await create(core);
    expectProblem(await actAs(core, accessToken.token, { for: 60_001 }), "invalid_input");
    expect((await actAs(core, accessToken.token, { for: 60_000 })).status).toBe(200);
  });

  test("a form of another protocol cannot say it: refused, and the session goes on", async () => {
    const core = await listen();
    const first = await create(core);
    await actAs(core, first.accessToken.token);
    for (const form of ["v1", "v5"])
      expectProblem(await refresh(core, first.refreshToken.token, { form }), "acting_refused");
    expect((await refresh(core, first.refreshToken.token)).json.session).toMatchObject(BOB);
  });
});

describe("a payload that is changed", () => {
  const change = (core: ListeningCore, handle: string, body: object) =>
    ask(core, "updatePayload", { path: `/v1/sessions/${handle}/payload`, body });

  test("is announced unless said otherwise, and only in the version that is expected", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const { session, accessToken } = await create(core, { payload: { role: "admin" } });
    const quiet = await change(core, session.handle, { payload: { role: "a" }, announced: false });
    expect(quiet.json).toEqual({ handle: session.handle as string, payloadVersion: 1, at: clock.now() });
    expect((await verify(core, accessToken.token)).status).toBe(200);
    const expected = { payload: { role: "b" }, expectedVersion: 0 };
    expectProblem(await change(core, session.handle, expected), "session_not_found");
    expect((await change(core, session.handle, { payload: { role: "b" } })).json.payloadVersion).toBe(2);
    expectProblem(await verify(core, accessToken.token), "try_refresh_token");

    const body = { accessToken: accessToken.token as string, payload: { role: "c" } };
    expectProblem(await ask(core, "regenerateSession", { body: { ...body, expectedVersion: 1 } }), "outdated");
    const given = (await ask(core, "regenerateSession", { body: { ...body, expectedVersion: 2 } })).json;
    expect(given).toMatchObject({ session: { payload: { role: "c" }, payloadVersion: 3 }, changedAt: clock.now() });
  });

  test("is held to the claims of its form", async () => {
    const core = await listen();
    const { session } = await create(core);
    expectProblem(await change(core, session.handle, { payload: { act: {} } }), "invalid_input");
    expect((await change(core, session.handle, { payload: { act: {} }, form: "v5" })).status).toBe(200);
  });
});
