import { expect, test } from "vitest";
import { Device } from "../../../engine/test/binding/device.js";
import { type Answer, listen, type ListeningCore, movableClock } from "../listening-core.js";
import { ask, create, expectProblem } from "./v1-requests.js";

const HOUR = 3_600_000;
const PREFER = { policy: { deviceBinding: "prefer" } } as const;

const refresh = (core: ListeningCore, refreshToken: string, more: object = {}): Promise<Answer> =>
  ask(core, "refreshSession", { body: { refreshToken, ...more } });

const bind = (core: ListeningCore, proof: string, refreshTokens: readonly string[] = []): Promise<Answer> =>
  ask(core, "bindSession", { body: { refreshTokens: [...refreshTokens], proof } });

/** A session that is bound, an hour after. */
const openBound = async () => {
  const clock = movableClock();
  const core = await listen(PREFER, { clock });
  const device = new Device();
  const login = await create(core, { bindable: true });
  clock.move(1000);
  const { json } = await bind(core, device.registration(login.registration), [login.refreshToken.token]);
  clock.move(HOUR);
  return { clock, core, device, bound: json, handle: login.session.handle as string };
};

test("a session is bound once, refreshed by its key, and every answer says that it is bound", async () => {
  const { core, device, bound, handle } = await openBound();
  expect(bound).toMatchObject({ handle, issued: { session: { handle, bound: true } } });
  const { token } = bound.issued.refreshToken;
  expectProblem(await refresh(core, token), "unproven", { why: "missing", sessionHandle: handle, userId: "user-1" });
  const asked = await refresh(core, token, { boundSession: handle });
  const proof = device.proof(asked.json.challenge as string);
  const { json } = await refresh(core, token, { boundSession: handle, proof });
  expect(json).toMatchObject({ minted: true, session: { bound: true } });
  const path = `/v1/sessions/${handle}`;
  expect((await ask(core, "getSession", { path })).json).toMatchObject({ bound: true });
  const verified = await ask(core, "verifySession", { body: { accessToken: json.accessToken.token } });
  expect(verified.json.session.bound).toBe(true);
  const { events, summary } = (await ask(core, "explainSession", { path: `${path}/explanation` })).json;
  expect(events).toMatchObject([
    { type: "device_bound", detail: { algorithm: "ES256" } },
    { type: "unproven_refresh", detail: { proof: "missing" }, count: 1 },
  ]);
  expect(summary).toContain("Bound to a key of its device since");
  expect((await ask(core, "settings")).json.deviceBinding).toBe("prefer");
});

test("a refused proof says why, and a missing one is no event where it is expected", async () => {
  const { clock, core, device, bound, handle } = await openBound();
  const { token } = bound.issued.refreshToken;
  const named = (more: object) => refresh(core, token, { boundSession: handle, ...more });
  expectProblem(await named({ proof: new Device().proof(bound.challenge) }), "unproven", { why: "foreign" });
  expectProblem(await named({ proof: device.proof(bound.challenge) }), "unproven", { why: "challenge" });
  expectProblem(await named({ proof: "garbage" }), "unproven", { why: "foreign" });
  expectProblem(await refresh(core, token, { skippedSessions: [handle] }), "unproven", { why: "missing" });
  expectProblem(await refresh(core, token, { unprovenIsExpected: true }), "unproven", { why: "missing" });
  const other = await create(core, { bindable: true });
  expectProblem(await named({ refreshToken: other.refreshToken.token }), "unauthorised", { why: "other_session" });
  clock.move(0);
  const { events } = (await core.send("GET", `/v1/events?type=unproven_refresh`)).json;
  expect(events).toMatchObject([{ count: 2 }]);
});

test("a session is not bound without the challenge of a login or step-up, nor where binding is off", async () => {
  const core = await listen(PREFER);
  const device = new Device();
  expect(await create(core)).not.toHaveProperty("registration");
  const login = await create(core, { bindable: true });
  const tokens = [login.refreshToken.token as string];
  expectProblem(await bind(core, "garbage", tokens), "binding_refused", { why: "proof" });
  expectProblem(await bind(core, device.registration("x"), tokens), "binding_refused", { why: "challenge" });
  const accessToken = login.accessToken.token as string;
  const stepped = await ask(core, "stepUp", { body: { accessToken, auth: { methods: [] }, bindable: true } });
  const proof = device.registration(stepped.json.registration as string);
  expectProblem(await bind(core, proof, ["garbage"]), "binding_refused", { why: "no_session" });
  expect((await bind(core, proof)).json).not.toHaveProperty("issued");
  expectProblem(await bind(core, new Device().registration(stepped.json.registration)), "binding_refused", {
    why: "bound",
  });

  const off = await listen();
  expect(await create(off, { bindable: true })).not.toHaveProperty("registration");
  expectProblem(await bind(off, proof), "binding_refused", { why: "policy" });
});

const flags = { enableAntiCsrf: false, useDynamicSigningKey: true };

test.each([
  ["CDI 1.0", "", {}],
  ["CDI 2.21", "/recipe", { "cdi-version": "2.21" }],
  ["CDI 5.4", "/recipe", { "cdi-version": "5.4" }],
])("a session of %s is not bound, and is refreshed as ever", async (_name, base, headers) => {
  const clock = movableClock();
  const core = await listen(PREFER, { clock });
  const user = { userId: "u1", userDataInJWT: {}, userDataInDatabase: {}, ...flags };
  let { json } = await core.send("POST", `${base}/session`, { headers, body: user });
  for (let round = 0; round < 3; round++) {
    clock.move(HOUR);
    const body = { refreshToken: json.refreshToken.token as string, ...flags };
    ({ json } = await core.send("POST", `${base}/session/refresh`, { headers, body }));
    expect(json.status).toBe("OK");
  }
  const { handle } = json.session;
  expect((await ask(core, "getSession", { path: `/v1/sessions/${handle}` })).json).not.toHaveProperty("bound");
});

test.each([
  ["CDI 1.0", "/session/refresh", {}],
  ["CDI 2.21", "/recipe/session/refresh", { "cdi-version": "2.21" }],
  ["CDI 5.4", "/recipe/session/refresh", { "cdi-version": "5.4" }],
])("%s cannot refresh it, and neither ends it nor calls it stolen", async (_name, path, headers) => {
  const { core, device, bound, handle } = await openBound();
  const { token: refreshToken } = bound.issued.refreshToken;
  const refused = await core.send("POST", path, { headers, body: { refreshToken, ...flags } });
  expect([refused.status, refused.text]).toEqual([
    409,
    "The session is bound to a key of its browser, which this protocol cannot prove\n",
  ]);
  const { json } = await refresh(core, refreshToken, { boundSession: handle });
  expect(
    (await refresh(core, refreshToken, { boundSession: handle, proof: device.proof(json.challenge) })).status,
  ).toBe(200);
});
