import { expect, it } from "vitest";
import { parseHandle, type IssuedSession, type SessionEngine } from "../../src/index.js";
import { HOUR, memoryStage, MINUTE, onEveryStore, refresh, refreshed, USER } from "../engines.js";

const PAWL = { userId: USER, form: "pawl" } as const;
const CAUSE = { reason: "logout", detail: "the client asked" } as const;

const isLive = async (engine: SessionEngine, { session }: IssuedSession): Promise<boolean> =>
  (await engine.getSession(session.handle)) !== undefined;

onEveryStore("the revocation of a token", (open) => {
  it.each(["accessToken", "refreshToken"] as const)("ends the session of its %s, with a reason, once", async (kind) => {
    const stage = await open();
    const engine = await stage.engine();
    const [session, other] = [await engine.createSession(PAWL), await engine.createSession(PAWL)];
    expect(await engine.revokeToken(session[kind].token, CAUSE)).toBe("ended");
    expect(await engine.explainSession(session.session.handle)).toMatchObject({ status: "ended", reason: "logout" });
    expect(engine.verifier.verify({ accessToken: session.accessToken.token })).toMatchObject({ why: "revoked" });
    expect(await engine.revokeToken(session[kind].token, CAUSE)).toBe("nothing");
    expect(await isLive(engine, other)).toBe(true);
  });

  it("ends it also by a refresh token that was replaced, and that is no theft", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const first = await engine.createSession(PAWL);
    stage.clock.advance(MINUTE);
    const second = refreshed(await refresh(engine, first));
    stage.clock.advance(MINUTE);
    refreshed(await refresh(engine, second));
    stage.clock.advance(MINUTE);
    expect(await engine.revokeToken(first.refreshToken.token, CAUSE)).toBe("ended");
    const { items } = await engine.listEvents({ sessionId: parseHandle(first.session.handle)!.id }, { limit: 10 });
    expect(items.map(({ type, reason }) => [type, reason])).toEqual([["session_ended", "logout"]]);
  });

  it("ends it also by an access token that a change has outdated, and not by one that has expired", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const [changed, idle] = [await engine.createSession(PAWL), await engine.createSession(PAWL)];
    await engine.updatePayload(changed.session.handle, { role: "reader" });
    expect(await engine.revokeToken(changed.accessToken.token)).toBe("ended");
    stage.clock.advance(HOUR);
    expect(await engine.revokeToken(idle.accessToken.token)).toBe("nothing");
    expect(await isLive(engine, idle)).toBe(true);
  });
});

it("knows a JWT of the application, which nobody can end, from what is none of ours", async () => {
  const [engine, other] = [await memoryStage().engine(), await memoryStage().engine()];
  const jwt = { payload: {}, issuer: "http://localhost", validity: 60, algorithm: "ES256", keyKind: "static" } as const;
  const own = await engine.issueJwt(jwt);
  const [header = "", payload = "", signature = ""] = own.split(".");
  expect(await engine.revokeToken(own)).toBe("unsupported");
  const foreign = await other.createSession(PAWL);
  const { alg, kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as Record<string, string>;
  const forged = Buffer.from(JSON.stringify({ alg, kid, typ: "JWT", more: 1 })).toString("base64url");
  for (const token of [
    "",
    "..",
    `${forged}.${payload}.${signature}`,
    `${header}.${payload}.`,
    await other.issueJwt(jwt),
    foreign.accessToken.token,
    foreign.refreshToken.token,
  ])
    expect([token, await engine.revokeToken(token)]).toEqual([token, "nothing"]);
});
