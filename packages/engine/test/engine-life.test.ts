import { type EventRecord, millis, type TenantId, type UserId } from "@pawl/storage";
import { expect, it } from "vitest";
import {
  type IssuedSession,
  type JsonObject,
  parseHandle,
  type RefreshOutcome,
  type SessionHandle,
} from "../src/index.js";
import { claimsOf, DAY, HOUR, MINUTE, onEveryStore, refresh, refreshed, use, USER } from "./engines.js";

const headerOf = (token: string): JsonObject =>
  JSON.parse(Buffer.from(token.slice(0, token.indexOf(".")), "base64").toString()) as JsonObject;

onEveryStore("life of a session", (open) => {
  it("create, verify, refresh, use, change, revoke, explain", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const created = stage.clock.now();
    const session = await engine.createSession({
      userId: USER,
      payload: { role: "editor" },
      data: { cart: [1, 2] },
      device: "Firefox on Linux",
      address: "192.0.2.1",
    });
    const { handle } = session.session;
    const auth = { at: created, methods: [] };
    expect(session.session).toEqual({
      handle,
      tenantId: "public",
      userId: USER,
      payload: { role: "editor" },
      payloadVersion: 0,
      auth,
    });
    expect(session.accessToken).toMatchObject({ createdTime: created, expiry: created + HOUR });
    expect(session.refreshToken).toMatchObject({ createdTime: created, expiry: created + 100 * DAY });
    expect(await claimsOf(engine, session)).toMatchObject({
      form: "v5",
      handle,
      tenantId: "public",
      userId: USER,
      seq: 0,
      payload: { role: "editor" },
      antiCsrfToken: session.antiCsrfToken,
      expiresAt: session.accessToken.expiry,
    });

    expect(await engine.updateSessionData(handle, { cart: [] })).toBe(true);
    expect((await claimsOf(engine, session)).payload).toEqual({ role: "editor" });
    expect(await engine.updatePayload(handle, { role: "admin" })).toEqual({ handle, payloadVersion: 1, at: created });
    const older = await engine.verifyAccessToken({ accessToken: session.accessToken.token });
    expect(older).toMatchObject({ kind: "try_refresh", why: "outdated" });

    stage.clock.advance(2 * HOUR);
    const turned = refreshed(await refresh(engine, session));
    expect((await claimsOf(engine, turned)).payload).toEqual({ role: "admin" });
    expect(turned.session.payload).toEqual({ role: "admin" });
    stage.clock.advance(MINUTE);
    await use(engine, turned);

    expect(await engine.getSession(handle)).toEqual({
      handle,
      tenantId: "public",
      userId: USER,
      payload: { role: "admin" },
      payloadVersion: 1,
      auth,
      data: { cart: [] },
      device: "Firefox on Linux",
      address: "192.0.2.1",
      createdAt: created,
      lastActiveAt: stage.clock.now(),
      refreshedAt: created + 2 * HOUR,
      expiresAt: created + 2 * HOUR + 100 * DAY,
    });

    expect(await engine.revokeSessions([handle], { reason: "logout" })).toEqual([handle]);
    expect(await engine.verifyAccessToken({ accessToken: turned.accessToken.token })).toMatchObject({ why: "revoked" });
    expect(await refresh(engine, turned)).toMatchObject({ kind: "unauthorised", why: "no_session" });
    expect(await engine.getSession(handle)).toBeUndefined();
    expect(await engine.updatePayload(handle, {})).toBeUndefined();
    expect(await engine.updateSessionData(handle, {})).toBe(false);
    expect(await engine.revokeSessions([handle])).toEqual([]);
    expect(await engine.explainSession(handle)).toMatchObject({ status: "ended", reason: "logout" });
  });

  it("a session may live without an anti-CSRF token, and the answer says so", async () => {
    const engine = await (await open()).engine();
    const without = await engine.createSession({ userId: USER, enableAntiCsrf: false });
    expect(without).not.toHaveProperty("antiCsrfToken");
    expect(await claimsOf(engine, without)).not.toHaveProperty("antiCsrfToken");
    const outcome = await engine.refreshSession({ refreshToken: without.refreshToken.token, enableAntiCsrf: false });
    expect(refreshed(outcome)).not.toHaveProperty("antiCsrfToken");
  });

  it("refresh compares the anti-CSRF token when both sides have it on", async () => {
    const engine = await (await open()).engine();
    const session = await engine.createSession({ userId: USER });
    const ask = { refreshToken: session.refreshToken.token, enableAntiCsrf: true };
    const own = session.antiCsrfToken ?? "none";
    expect(await engine.refreshSession(ask)).toMatchObject({ kind: "unauthorised", why: "anti_csrf" });
    const other = await engine.createSession({ userId: USER });
    for (const antiCsrfToken of ["", "x", other.antiCsrfToken ?? "none"])
      expect(await engine.refreshSession({ ...ask, antiCsrfToken })).toMatchObject({ why: "anti_csrf" });
    refreshed(await engine.refreshSession({ ...ask, antiCsrfToken: own }));
    refreshed(await engine.refreshSession({ ...ask, enableAntiCsrf: false }));
  });

  it("tokens are written in the form and with the kind of key that was asked for", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({
      userId: USER,
      form: "v1",
      keyKind: "static",
      payload: { sub: "mine" },
    });
    expect(await claimsOf(engine, session)).toMatchObject({ form: "v1", userId: USER, payload: { sub: "mine" } });
    expect(engine.listSigningKeys().some((key) => key.kind === "static" && key.algorithm === "RS256")).toBe(true);
    const kidOf = (token: string): unknown => headerOf(token)["kid"];
    const kept = refreshed(await refresh(engine, session));
    expect(kidOf(kept.accessToken.token)).toMatch(/^s-/);
    const dynamic = await engine.refreshSession({ refreshToken: session.refreshToken.token, keyKind: "dynamic" });
    expect(kidOf(refreshed(dynamic).accessToken.token)).toMatch(/^d-/);
  });

  it("a kind of key that a refresh asked for stays, also for what asks for none", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const kidOf = ({ accessToken }: IssuedSession): unknown => headerOf(accessToken.token)["kid"];
    const session = await engine.createSession({ userId: USER });
    stage.clock.advance(HOUR);
    const ask = { refreshToken: session.refreshToken.token, keyKind: "static" } as const;
    const turned = refreshed(await engine.refreshSession(ask));
    expect(kidOf(turned)).toMatch(/^s-/);
    // The same successor again, within the window.
    expect(kidOf(refreshed(await refresh(engine, session)))).toMatch(/^s-/);
    stage.clock.advance(HOUR);
    expect(kidOf(refreshed(await refresh(engine, turned)))).toMatch(/^s-/);
  });

  it("tokens are signed with the algorithm that was asked for, where their form allows it, and renewed with it", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER, algorithm: "RS256" });
    expect(headerOf(session.accessToken.token)).toMatchObject({ alg: "RS256", version: "5" });
    stage.clock.advance(HOUR);
    const ask = { refreshToken: session.refreshToken.token, algorithm: "RS256", form: "v3" } as const;
    const turned = refreshed(await engine.refreshSession(ask));
    expect(headerOf(turned.accessToken.token)).toMatchObject({ alg: "RS256", version: "3" });
    const nested = refreshed(await engine.refreshSession({ ...ask, algorithm: "ES256", form: "v2" }));
    expect(headerOf(nested.accessToken.token)).toEqual({ alg: "RS256", typ: "JWT", version: "2" });

    stage.clock.advance(MINUTE);
    for (const { accessToken } of [turned, nested]) {
      const confirmed = await engine.confirmAccessToken({ accessToken: accessToken.token });
      const clean = confirmed.kind === "valid" ? confirmed.accessToken : undefined;
      expect(headerOf(String(clean?.token))).toEqual(headerOf(accessToken.token));
      const regenerated = await engine.regenerateAccessToken(accessToken.token, { role: "y" });
      const renewed = regenerated.kind === "regenerated" ? regenerated.accessToken : undefined;
      expect(headerOf(String(renewed?.token))).toEqual(headerOf(accessToken.token));
      expect(renewed?.expiry).toBe(accessToken.expiry);
    }
    const other = refreshed(await refresh(engine, turned));
    expect(headerOf(other.accessToken.token)).toMatchObject({ alg: "ES256", version: "5" });
  });

  it("a refresh turns the anti-CSRF token on and off, and it stays the same one", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER, enableAntiCsrf: false });
    const turn = async (
      { refreshToken }: IssuedSession,
      enableAntiCsrf: boolean,
      antiCsrfToken?: string,
    ): Promise<RefreshOutcome> => {
      stage.clock.advance(HOUR);
      return engine.refreshSession({
        refreshToken: refreshToken.token,
        enableAntiCsrf,
        ...(antiCsrfToken === undefined ? {} : { antiCsrfToken }),
      });
    };
    const on = refreshed(await turn(session, true));
    expect((await claimsOf(engine, on)).antiCsrfToken).toBe(on.antiCsrfToken);
    expect(on.antiCsrfToken).toMatch(/^[0-9a-f-]{36}$/);
    expect(await turn(on, true)).toMatchObject({ why: "anti_csrf" });
    const off = refreshed(await turn(on, false));
    expect(off).not.toHaveProperty("antiCsrfToken");
    expect(await claimsOf(engine, off)).not.toHaveProperty("antiCsrfToken");
    expect(refreshed(await turn(off, true)).antiCsrfToken).toBe(on.antiCsrfToken);
  });

  it("lists the sessions of a user and of a tenant, page by page, and their handles", async () => {
    const engine = await (await open()).engine();
    const handles: SessionHandle[] = [];
    for (let count = 0; count < 5; count++) handles.push((await engine.createSession({ userId: USER })).session.handle);
    await engine.createSession({ userId: "user-2" as UserId });
    await engine.createSession({ userId: USER, tenantId: "acme" as TenantId });

    expect((await engine.listSessionHandles({ userId: USER })).toSorted()).toEqual(handles.toSorted());
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await engine.listSessions(
        { userId: USER, tenantId: "public" as TenantId },
        { limit: 2, ...(after === undefined ? {} : { after }) },
      );
      seen.push(...page.items.map((item) => item.handle));
      after = page.next;
    } while (after !== undefined);
    expect(seen.toSorted()).toEqual(handles.toSorted());
    expect((await engine.listSessions({}, { limit: 100 })).items).toHaveLength(7);
  });

  it("ends a page early where sessions hold much data, and loses none", async () => {
    const engine = await (await open()).engine();
    const data = { text: "x".repeat(1_000_000) };
    for (let count = 0; count < 60; count++)
      await engine.createSession({ userId: USER, ...(count < 30 ? { data } : {}) });
    const sizes: number[] = [];
    const seen = new Set<string>();
    let after: string | undefined;
    do {
      const page = await engine.listSessions({}, { limit: 500, ...(after === undefined ? {} : { after }) });
      sizes.push(page.items.length);
      for (const { handle } of page.items) seen.add(handle);
      after = page.next;
    } while (after !== undefined);
    expect(seen.size).toBe(60);
    expect(sizes.length).toBeGreaterThan(1);
  });

  it("ends all sessions of a user but one, or all of a tenant, and touches no other", async () => {
    const engine = await (await open()).engine();
    const tenantId = "acme" as TenantId;
    const mine = [await engine.createSession({ userId: USER }), await engine.createSession({ userId: USER })] as const;
    const other = await engine.createSession({ userId: "user-2" as UserId });
    const tenants = await engine.createSession({ userId: USER, tenantId });
    const except = mine[0].session.handle;

    const ended = await engine.revokeAllForUser(
      { userId: USER, except },
      { reason: "logout", detail: "settings page" },
    );
    expect(ended).toEqual([mine[1].session.handle]);
    expect((await engine.explainSession(mine[1].session.handle)).summary).toMatch(/by logout \(settings page\)\.$/);
    for (const session of [mine[0], other, tenants]) await claimsOf(engine, session);
    await expect(engine.revokeAllForUser({ userId: USER, except: "mistyped" as SessionHandle })).rejects.toMatchObject({
      code: "invalid_input",
    });
    await expect(engine.revokeAllForUser({ userId: USER, except: tenants.session.handle })).rejects.toMatchObject({
      code: "invalid_input",
    });

    expect(await engine.revokeTenant(tenantId)).toEqual([tenants.session.handle]);
    expect(await engine.revokeAllForUser({ userId: USER })).toEqual([except]);
    await claimsOf(engine, other);
  });

  it("a handle belongs to its tenant: with another one it names nothing", async () => {
    const engine = await (await open()).engine();
    const session = await engine.createSession({ userId: USER, tenantId: "acme" as TenantId });
    const { handle } = session.session;
    const id = parseHandle(handle)?.id as string;
    expect(handle).toBe(`${id}_acme`);
    for (const wrong of [id, `${id}_other`, `${id}_public`, handle.toUpperCase(), `${handle} `, `${handle}_acme`, ""]) {
      expect(await engine.getSession(wrong)).toBeUndefined();
      expect(await engine.updateSessionData(wrong, { x: 1 })).toBe(false);
      expect(await engine.updatePayload(wrong, { x: 1 })).toBeUndefined();
      expect(await engine.revokeSessions([wrong])).toEqual([]);
      expect((await engine.explainSession(wrong)).status).toBe("unknown");
    }
    expect(await engine.getSession(handle)).toMatchObject({ handle, tenantId: "acme", data: {} });
    expect(await engine.revokeSessions([handle, handle, id])).toEqual([handle]);
  });

  it("keeps a limit on the sessions of a user by ending the least recently refreshed", async () => {
    const stage = await open();
    const engine = await stage.engine({ maxSessionsPerUser: 2 });
    const first = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const second = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const firstTurned = refreshed(await refresh(engine, first));
    const third = await engine.createSession({ userId: USER });
    expect((await engine.verifyAccessToken({ accessToken: second.accessToken.token })).kind).toBe("unauthorised");
    for (const session of [firstTurned, third]) await claimsOf(engine, session);
    expect(await engine.explainSession(second.session.handle)).toMatchObject({ reason: "session_limit" });

    await Promise.all(Array.from({ length: 10 }, () => engine.createSession({ userId: USER })));
    expect(await engine.listSessionHandles({ userId: USER })).toHaveLength(2);
  });

  it("idleness ends a session that is neither used nor refreshed; use and refresh each put it off", async () => {
    const stage = await open();
    const engine = await stage.engine({ idleTimeout: millis(30 * MINUTE) });
    const idle = await engine.createSession({ userId: USER });
    const used = await engine.createSession({ userId: USER });
    let turned = await engine.createSession({ userId: USER });
    // Whoever is active comes to refresh before idleness would end the session.
    expect(idle.accessToken.expiry - idle.accessToken.createdTime).toBe(14 * MINUTE);

    stage.clock.advance(13 * MINUTE);
    await use(engine, used);
    turned = refreshed(await refresh(engine, turned));
    stage.clock.advance(17 * MINUTE);
    expect(await refresh(engine, idle)).toMatchObject({ kind: "unauthorised", why: "no_session" });
    expect(await engine.getSession(idle.session.handle)).toBeUndefined();
    expect(await engine.explainSession(idle.session.handle)).toMatchObject({ status: "ended", reason: "idle" });
    refreshed(await refresh(engine, used));
    turned = refreshed(await refresh(engine, turned));
    stage.clock.advance(30 * MINUTE);
    expect((await refresh(engine, turned)).kind).toBe("unauthorised");
  });

  it("the absolute timeout ends a session however busy it is, its tokens with it", async () => {
    const stage = await open();
    const engine = await stage.engine({ absoluteTimeout: millis(DAY) });
    let session = await engine.createSession({ userId: USER });
    const end = session.refreshToken.expiry;
    expect(end).toBe(stage.clock.now() + DAY);
    for (let round = 0; round < 3; round++) {
      stage.clock.advance(7 * HOUR + 50 * MINUTE);
      session = refreshed(await refresh(engine, session));
      expect(session.refreshToken.expiry).toBe(end);
    }
    expect(session.accessToken.expiry).toBe(end);
    stage.clock.advance(30 * MINUTE);
    expect(await engine.verifyAccessToken({ accessToken: session.accessToken.token })).toMatchObject({
      why: "expired",
    });
    expect((await refresh(engine, session)).kind).toBe("unauthorised");
    expect((await engine.explainSession(session.session.handle)).summary).toContain("absolute timeout");
  });

  it("a refresh token works until the last instant of its time, and not after", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const early = await engine.createSession({ userId: USER });
    stage.clock.advance(1);
    const late = await engine.createSession({ userId: USER });
    stage.clock.advance(engine.policy.refreshTokenValidity - 1);
    expect(await refresh(engine, early)).toMatchObject({ why: "no_session" });
    refreshed(await refresh(engine, late));
  });

  it("keeps an ended session dead whatever is replayed (CVE-2024-31999, CVE-2024-35220, CVE-2026-9802)", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const first = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const second = refreshed(await refresh(engine, first));
    await engine.revokeSessions([first.session.handle]);
    const restarted = await stage.engine();
    for (const node of [engine, restarted]) {
      for (const session of [first, second]) expect((await refresh(node, session)).kind).toBe("unauthorised");
      expect((await node.verifyAccessToken({ accessToken: second.accessToken.token })).kind).toBe("unauthorised");
      const regenerated = await node.regenerateAccessToken(second.accessToken.token, { role: "admin" });
      expect(regenerated).toMatchObject({ kind: "unauthorised", why: "no_session" });
    }
  });

  it("gives payload and data back to the letter, and no member of theirs reaches a prototype (CVE-2019-10744)", async () => {
    const engine = await (await open()).engine();
    const text =
      '{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"é":[1e3,0.1,null,"\\u0000"],"b":{},"a":""}';
    const value = JSON.parse(text) as JsonObject;
    const session = await engine.createSession({ userId: USER, payload: value, data: value });
    const information = await engine.getSession(session.session.handle);
    expect(JSON.stringify(information?.data)).toBe(JSON.stringify(value));
    expect(JSON.stringify(information?.payload)).toBe(JSON.stringify(value));
    const { payload } = await claimsOf(engine, session);
    expect(JSON.stringify(payload)).toBe(JSON.stringify(value));
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  });

  it("keeps users apart whose ids differ only in case, normal form or blanks", async () => {
    const engine = await (await open()).engine();
    const ids = ["é", "e\u0301", "É", "É ", "e", "user%00", "💾".repeat(128)] as UserId[];
    for (const userId of ids) await engine.createSession({ userId });
    for (const userId of ids) {
      const [handle, ...others] = await engine.listSessionHandles({ userId });
      expect(others).toEqual([]);
      expect(await engine.getSession(handle as string)).toMatchObject({ userId });
    }
  });

  it("writes one event for the end of each session and none for a refresh", async () => {
    const stage = await open();
    const engine = await stage.engine();
    let session = await engine.createSession({ userId: USER });
    for (let round = 0; round < 5; round++) {
      stage.clock.advance(MINUTE);
      session = refreshed(await refresh(engine, session));
    }
    await engine.revokeSessions([session.session.handle], { reason: "revoked_by_admin", detail: "ticket 7" });
    const { items } = await engine.listEvents({ userId: USER }, { limit: 100 });
    expect(items.map(({ type, reason, count }: EventRecord) => ({ type, reason, count }))).toEqual([
      { type: "session_ended", reason: "revoked_by_admin", count: 1 },
    ]);
  });
});
