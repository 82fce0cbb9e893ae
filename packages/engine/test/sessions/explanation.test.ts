import { millis, type EndReason } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import type { Policy } from "../../src/index.js";
import { DAY, memoryStage, MINUTE, onEveryStore, refresh, refreshed, USER, use } from "../engines.js";

const revoked: readonly [Extract<EndReason, "logout" | "revoked" | "revoked_by_admin" | "erased">, RegExp][] = [
  ["logout", /^Ended 2027-01-15 08:01 UTC by logout\.$/],
  ["revoked", /^Ended 2027-01-15 08:01 UTC by the application, which revoked it\.$/],
  ["revoked_by_admin", /^Ended 2027-01-15 08:01 UTC by an administrator, who revoked it\.$/],
  ["erased", /^Ended 2027-01-15 08:01 UTC because the user's data was erased\.$/],
];

onEveryStore("explanation of a session that", (open) => {
  const start = async (policy: Partial<Policy> = {}) => {
    const stage = await open();
    const engine = await stage.engine(policy);
    const session = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    return { stage, engine, session, handle: session.session.handle };
  };

  it("lives", async () => {
    const { engine, session, handle } = await start();
    expect(await engine.explainSession(handle)).toMatchObject({ handle, status: "live", userId: USER, events: [] });
    expect((await engine.explainSession(handle)).summary).toBe(
      "Live since 2027-01-15 08:00 UTC, never refreshed, last active 2027-01-15 08:00 UTC.",
    );
    await refresh(engine, session);
    expect((await engine.explainSession(handle)).summary).toContain("refreshed once");
  });

  it.each(revoked)("was ended with reason %s", async (reason, summary) => {
    const { stage, engine, handle } = await start();
    await engine.revokeSessions([handle], { reason });
    const explained = await engine.explainSession(handle);
    expect(explained).toMatchObject({ status: "ended", reason, endedAt: stage.clock.now(), userId: USER });
    expect(explained.summary).toMatch(summary);
    expect(explained.events).toMatchObject([{ type: "session_ended", reason }]);
  });

  it("was stolen", async () => {
    const { stage, engine, session, handle } = await start();
    const held = refreshed(await refresh(engine, session));
    stage.clock.advance(MINUTE);
    await use(engine, held);
    await refresh(engine, session);
    const explained = await engine.explainSession(handle);
    expect(explained.summary).toBe(
      "Ended 2027-01-15 08:02 UTC by token reuse: a refresh token was used again after its successor had been used.",
    );
    expect(explained.events.map(({ type }) => type).toSorted()).toEqual(["session_ended", "token_reuse"]);
    expect(JSON.stringify(explained)).not.toMatch(/pawl_rt|secret|hash/i);
  });

  it("gave way to a newer one", async () => {
    const { engine, handle } = await start({ maxSessionsPerUser: 1 });
    await engine.createSession({ userId: USER });
    expect(await engine.explainSession(handle)).toMatchObject({ status: "ended", reason: "session_limit" });
    expect((await engine.explainSession(handle)).summary).toContain("by the session limit");
  });

  const endings: readonly [EndReason, number, Partial<Policy>, RegExp][] = [
    ["expired", 100 * DAY, {}, /by expiry: its last refresh token was not used in time\.$/],
    ["expired", DAY, { absoluteTimeout: millis(DAY) }, /by its absolute timeout/],
    ["idle", DAY, { idleTimeout: millis(DAY), eventRetention: millis(150 * DAY) }, /by idleness/],
  ];
  it.each(endings)("came to its time: %s after %d ms", async (reason, life, policy, summary) => {
    const { stage, engine, session, handle } = await start(policy);
    const endedAt = session.refreshToken.createdTime + life;
    stage.clock.advance(life);
    const explained = await engine.explainSession(handle);
    expect(explained).toMatchObject({ status: "ended", reason, endedAt });
    expect(explained.summary).toMatch(summary);

    // The row is deleted with its refresh token; its event tells on until that is deleted too.
    stage.clock.advance(session.refreshToken.expiry - stage.clock.now());
    expect((await engine.sweep()).sessions).toBe(1);
    expect(await stage.storage.getSession(handle as never)).toBeUndefined();
    expect(await engine.explainSession(handle)).toMatchObject({ status: "ended", reason, endedAt });
    stage.clock.advance(200 * DAY);
    await engine.sweep();
    expect(await engine.explainSession(handle)).toMatchObject({ status: "unknown", events: [] });
  });

  it("never was", async () => {
    const { engine } = await start();
    const explained = await engine.explainSession("00000000-0000-4000-8000-000000000000");
    expect(explained).toMatchObject({ status: "unknown", events: [] });
    expect(explained.summary).toMatch(/never existed/);
  });
});

describe("sweep", () => {
  it("deletes a bounded number of rows in a round and the rest in the next ones", async () => {
    const stage = memoryStage();
    const engine = await stage.engine();
    const at = stage.clock.now();
    await stage.storage.appendEvents(
      Array.from({ length: 50_100 }, (_, count) => ({ key: `old ${count}`, at, type: "admin" as const, count: 1 })),
    );
    const session = await engine.createSession({ userId: USER });
    await engine.updatePayload(session.session.handle, {});
    await engine.revokeSessions([session.session.handle]);
    stage.clock.advance(91 * DAY);
    const first = await engine.sweep();
    expect(first).toEqual({ sessions: 0, revocations: 1, changes: 1, events: 50_000, counts: 0, deadOutbox: 0 });
    const second = await engine.sweep();
    expect(second.events).toBeGreaterThan(0);
    expect(await engine.sweep()).toEqual({
      sessions: 0,
      revocations: 0,
      changes: 0,
      events: 0,
      counts: 0,
      deadOutbox: 0,
    });
    expect((await engine.listEvents({}, { limit: 10 })).items).toEqual([]);
  });

  it("keeps what a verifier may still have to read", async () => {
    const stage = memoryStage();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER });
    await engine.updatePayload(session.session.handle, {});
    await engine.revokeSessions([session.session.handle]);
    stage.clock.advance(engine.policy.accessTokenValidity);
    expect(await engine.sweep()).toMatchObject({ revocations: 0, changes: 0 });
  });
});
