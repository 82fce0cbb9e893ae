import { expect, test } from "vitest";
import { listen, type ListeningCore, movableClock } from "../listening-core.js";
import { ask, expectProblem } from "./v1-requests.js";

const DAY = 86_400_000;
const WINDOW = 31_000;

/** A session of another system, on a core. */
const open = async (...[config, options]: Parameters<typeof listen>) => {
  const clock = movableClock();
  const core = await listen(config, { clock, ...options });
  const former = { former: "old id", userId: "user-1", tenantId: "t1", until: clock.now() + 30 * DAY };
  return { clock, core, former };
};

const refresh = async (core: ListeningCore, refreshToken: string) =>
  (await ask(core, "refreshSession", { body: { refreshToken } })).json;

test("a session of another system goes on with what was given, and every repetition is answered with the same one", async () => {
  const { clock, core, former } = await open({ keyKind: "static" });
  const given = { payload: { role: "admin" }, data: { cart: [1] }, device: "Firefox", address: "::1" };
  const body = { ...former, ...given, createdAt: clock.now() - DAY };
  const first = await ask(core, "adoptSession", { body });
  const { session, accessToken, refreshToken } = first.json;
  expect([first.headers["cache-control"], session]).toEqual([
    "no-store",
    {
      handle: expect.stringMatching(/_t1$/) as string,
      tenantId: "t1",
      userId: "user-1",
      payload: given.payload,
      payloadVersion: 0,
      auth: { at: clock.now() - DAY, methods: [] },
    },
  ]);
  const header = Buffer.from(accessToken.token.split(".")[0] as string, "base64").toString();
  expect(JSON.parse(header)).toMatchObject({ version: "pawl", kid: expect.stringMatching(/^s-/) as string });
  for (const wait of [0, WINDOW, 3 * DAY]) {
    clock.move(wait);
    const again = (await ask(core, "adoptSession", { body: former })).json;
    expect([again.session, again.minted]).toEqual([session, wait > 0]);
  }
  expect((await refresh(core, refreshToken.token)).session).toEqual(session);
  const { json } = await ask(core, "getSession", { path: `/v1/sessions/${session.handle}` });
  expect(json).toMatchObject({ ...given, createdAt: body.createdAt });
  const range = `from=${clock.now() - 5 * DAY}&to=${clock.now() + 1}`;
  const { counts } = (await ask(core, "listCounts", { path: `/v1/counts?${range}&step=day` })).json;
  expect(counts).toContainEqual(expect.objectContaining({ name: "login", count: 1 }));
});

test("whoever comes with the old cookie when its successors are in use is a thief, and what ended is not adopted again", async () => {
  const { clock, core, former } = await open();
  let { session, refreshToken } = (await ask(core, "adoptSession", { body: former })).json;
  for (let turn = 0; turn < 2; turn++) {
    clock.move(WINDOW);
    ({ session, refreshToken } = await refresh(core, refreshToken.token as string));
  }
  clock.move(WINDOW);
  expectProblem(await ask(core, "adoptSession", { body: former }), "token_theft_detected", {
    sessionHandle: session.handle as string,
    userId: "user-1",
    tenantId: "t1",
  });
  expectProblem(await ask(core, "adoptSession", { body: former }), "unauthorised");
});

test.each([true, false])(
  "a refused session is not adopted before its time is over (adopted before: %s)",
  async (isAdopted) => {
    const { clock, core, former } = await open();
    const adopted = isAdopted ? (await ask(core, "adoptSession", { body: former })).json : undefined;
    for (let repetition = 0; repetition < 2; repetition++) {
      const answer = await ask(core, "refuseAdoption", { body: { ...former, reason: "logout" } });
      expect([answer.status, answer.text]).toEqual([204, ""]);
    }
    for (const wait of [0, DAY, 28 * DAY]) {
      clock.move(wait);
      await core.engine.storage.deleteExpired(clock.now(), 100);
      expectProblem(await ask(core, "adoptSession", { body: former }), "unauthorised");
    }
    if (adopted === undefined) return;
    const path = `/v1/sessions/${adopted.session.handle}/explanation`;
    expect((await ask(core, "explainSession", { path })).json).toMatchObject({ status: "ended", reason: "logout" });
  },
);

test("a full key is needed, and a store that is down is no answer about a session", async () => {
  const [key, verifierKey] = ["correct-horse-battery-staple", "a-key-of-a-verifier-alone="];
  const { core, former } = await open({ apiKeys: [key], verifierApiKeys: [verifierKey], logLevel: "none" });
  const names = ["adoptSession", "refuseAdoption"] as const;
  for (const name of names) {
    for (const headers of [{}, { "api-key": verifierKey }])
      expectProblem(await ask(core, name, { body: former, headers }), "api_key_invalid");
    const headers = { "api-key": key, "sec-fetch-site": "same-origin" };
    expectProblem(await ask(core, name, { body: former, headers }), "browser_refused");
  }
  await core.engine.storage.close();
  for (const name of names)
    expectProblem(await ask(core, name, { body: former, headers: { "api-key": key } }), "storage_unavailable");
});
