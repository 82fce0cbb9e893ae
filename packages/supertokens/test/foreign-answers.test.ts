import { problems } from "@pawl/protocol";
import type { RequestListener } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Pawl } from "../src/index.js";
import { page, type ProxiedCore, startProxiedCore } from "./core-proxy.js";

const GENERAL = { errType: 1000 };

let proxied: ProxiedCore;
let pawl: Pawl;
beforeEach(async () => {
  proxied = await startProxiedCore({ checkDatabase: true });
  pawl = await proxied.open();
});
afterEach(() => proxied.close());

const answering =
  (status: number, body?: unknown): RequestListener =>
  (_req, res) =>
    void res
      .writeHead(status, { "content-type": "application/json" })
      .end(body === undefined ? "" : JSON.stringify(body));

/** Answers that look like success, or like an answer about a session, and are none of a core. */
const foreign: readonly (readonly [string, RequestListener])[] = [
  ["200 with a page", page],
  ["204", answering(204)],
  ["200 with nothing", answering(200)],
  ["200 with null", answering(200, null)],
  ["200 with an array", answering(200, [])],
  ["200 with another object", answering(200, { status: "OK" })],
  ["201 with another object", answering(201, { status: "OK" })],
  ["302", answering(302)],
  ...(["unauthorised", "session_not_found", "try_refresh_token", "token_theft_detected"] as const).map(
    (code) =>
      [
        `a problem of somebody else with the code ${code}`,
        answering(problems[code].status, { code, title: "T" }),
      ] as const,
  ),
];

describe.each(foreign)("what answers in the core's place: %s", (name, answer) => {
  test("every call is GENERAL_ERROR, and no cookie is touched", async () => {
    const login = new Map<string, string | readonly string[]>();
    await pawl.createNewSession(
      { getHeader: (header) => login.get(header), setHeader: (header, value) => login.set(header, value) },
      "u1",
    );
    const cookie = [login.get("Set-Cookie") ?? []]
      .flat()
      .map((line) => line.split(";")[0])
      .join("; ");
    const req = { headers: { cookie } };
    const res = { getHeader: () => undefined, setHeader: () => expect.unreachable("no cookie may be touched") };
    const session = await pawl.getSession(req, res, false);
    const handle = session.getHandle();

    proxied.instead = answer;
    // A 204 is what these answer, whoever does.
    const changes =
      name === "204"
        ? []
        : [
            () => session.updateSessionData({}),
            () => pawl.updateSessionData(handle, {}),
            () => pawl.sessions.updatePayload(handle, {}),
          ];
    for (const call of [
      ...changes,
      () => session.getSessionData(),
      () => session.revokeSession(),
      () => pawl.getSession(req, res, false),
      () => pawl.refreshSession(req, res),
      () => pawl.createNewSession(res, "u2"),
      () => pawl.getSessionData(handle),
      () => pawl.revokeSessionUsingSessionHandle(handle),
      () => pawl.revokeAllSessionsForUser("u1"),
      () => pawl.getAllSessionHandlesForUser("u1"),
      () => pawl.sessions.get(handle),
      () => pawl.sessions.listForUser("u1"),
      () => pawl.sessions.explain(handle),
      () => pawl.keySet(),
    ])
      await expect(call(), call.toString()).rejects.toMatchObject({
        ...GENERAL,
        message: expect.stringContaining("Pawl core threw an error for a ") as string,
      });
  });
});

test("use reports wait while something else answers", async () => {
  const { accessToken, session } = await pawl.tokens.createNewSession("u1");
  proxied.clock.advance("10m");
  proxied.instead = (req, res) => req.url === "/v1/sessions/uses" && page(req, res);
  await pawl.tokens.getSession(accessToken.token, undefined, false, "x");
  await expect.poll(() => proxied.asked).toContain("POST /v1/sessions/uses");
  proxied.instead = undefined;
  await expect
    .poll(async () => (await pawl.sessions.get(session.handle))?.lastActiveAt, { timeout: 5000 })
    .toBe(proxied.clock.now());
});

test("use reports that a core refuses are dropped: they would be refused again", async () => {
  const reports = () => proxied.asked.filter((request) => request === "POST /v1/sessions/uses").length;
  const verify = async () => {
    const { accessToken } = await pawl.tokens.createNewSession("u1");
    proxied.clock.advance("10m");
    await pawl.tokens.getSession(accessToken.token, undefined, false, "x");
  };
  const bodies: string[] = [];
  proxied.instead = (req, res) => {
    if (req.url !== "/v1/sessions/uses") return false;
    req.on("data", (chunk) => bodies.push(String(chunk)));
    return void req.on("end", () => res.writeHead(400).end("{}"));
  };
  await verify();
  await expect.poll(reports).toBe(1);
  await verify();
  await expect.poll(() => bodies.length).toBe(2);
  expect(bodies[1]).not.toContain((JSON.parse(bodies[0] ?? "") as { uses: { handle: string }[] }).uses[0]?.handle);
});

test("a logout whose answer was lost: asked again the core has nothing to end, and the session is refused here all the same", async () => {
  const trusting = await startProxiedCore();
  let isLost = false;
  trusting.instead = (req, res) => {
    // The feed does not tell either.
    if (req.url === "/v1/revocations") return void res.destroy();
    if (req.url !== "/v1/sessions/revoke" || isLost) return false;
    isLost = true;
    return void trusting.core.engine.revokeSessions([login.session.handle]).then(() => res.destroy());
  };
  const other = await trusting.open();
  const login = await other.tokens.createNewSession("u1");
  const verify = () => other.tokens.getSession(login.accessToken.token, undefined, false, "x");
  await verify();
  expect(await other.revokeSessionUsingSessionHandle(login.session.handle)).toBe(false);
  expect(isLost).toBe(true);
  await expect(verify()).rejects.toMatchObject({ errType: 2000 });
  await trusting.close();
});
