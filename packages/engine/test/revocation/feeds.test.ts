import { type FeedPage, millis, type SessionId, StorageError, type TenantId } from "@pawl/storage";
import { expect, it } from "vitest";
import type { Changed, Revoked } from "../../src/index.js";
import { followFeeds } from "../../src/revocation/feeds.js";
import { intercepted, type StorageCall } from "../intercepted-storage.js";
import { claimsOf, HOUR, MINUTE, memoryStage, onEveryStore, refresh, refreshed, USER, use } from "../engines.js";

onEveryStore("revocation feed", (open) => {
  it("a session is refused here before the promise resolves, and elsewhere soon after", async () => {
    const stage = await open();
    const [here, there] = [await stage.engine(), await stage.engine()];
    const session = await here.createSession({ userId: USER });
    const input = { accessToken: session.accessToken.token };
    const heard = new Promise<Revoked>((resolve) => there.revocations.subscribe(resolve));
    let refusedBefore = false;
    here.revocations.subscribe(() => (refusedBefore = here.verifier.verify(input).kind === "unauthorised"));
    await here.revokeSessions([session.session.handle]);
    expect(refusedBefore).toBe(true);
    expect(here.verifier.verify(input)).toMatchObject({ why: "revoked" });
    expect(await heard).toEqual({ handle: session.session.handle, at: stage.clock.now(), reason: "revoked" });
    expect(there.verifier.verify(input)).toMatchObject({ why: "revoked" });
  });

  it("a process that starts knows what was revoked within one access token lifetime", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER });
    await engine.revokeSessions([session.session.handle]);
    stage.clock.advance(HOUR - 1);
    const late = await stage.engine();
    expect(late.verifier.verify({ accessToken: session.accessToken.token })).toMatchObject({ why: "revoked" });
  });

  it("tells each listener of each session once, whatever ended it, here and elsewhere, and no one who stopped", async () => {
    const stage = await open();
    const engine = await stage.engine({ maxSessionsPerUser: 2 });
    const there = await stage.engine();
    const heard: unknown[] = [];
    const heardThere: unknown[] = [];
    const unheard: string[] = [];
    engine.revocations.subscribe(({ handle, reason }) => heard.push([handle, reason]));
    there.revocations.subscribe(({ handle, reason }) => heardThere.push([handle, reason]));
    engine.revocations.subscribe(({ handle }) => unheard.push(handle))();
    const first = await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const robbed = await engine.createSession({ userId: USER });
    await engine.createSession({ userId: USER });
    stage.clock.advance(MINUTE);
    const turned = refreshed(await refresh(engine, robbed));
    stage.clock.advance(MINUTE);
    await use(engine, turned);
    await refresh(engine, robbed);
    const tenant = await engine.createSession({ userId: USER, tenantId: "acme" as TenantId });
    await engine.revokeSessions([tenant.session.handle], { reason: "logout" });
    for (const node of [engine, there, engine, there]) await node.revocations.catchUp();
    const ended = [
      [first.session.handle, "session_limit"],
      [robbed.session.handle, "token_reuse"],
      [tenant.session.handle, "logout"],
    ];
    expect(heard).toEqual(ended);
    expect(heardThere).toEqual(ended);
    expect(unheard).toEqual([]);
  });

  it("can be read elsewhere, from a cursor on; a cursor of another store starts one lifetime ago", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const old = await engine.createSession({ userId: USER });
    await engine.revokeSessions([old.session.handle]);
    stage.clock.advance(HOUR + 1);
    const session = await engine.createSession({ userId: USER });
    await engine.revokeSessions([session.session.handle]);
    const revoked = { handle: session.session.handle, at: stage.clock.now(), reason: "revoked" };

    const start = await engine.revocationsSince(undefined);
    expect(start.revoked).toEqual([revoked]);
    const further = await engine.createSession({ userId: USER, tenantId: "acme" as TenantId });
    await engine.revokeSessions([further.session.handle]);
    const next = await engine.revocationsSince(start);
    expect(next.revoked).toContainEqual({
      handle: further.session.handle,
      at: stage.clock.now(),
      reason: "revoked",
    });
    const foreign = await (await (await open()).engine()).revocationsSince(undefined);
    expect((await engine.revocationsSince(foreign)).revoked).toContainEqual(revoked);
  });
});

onEveryStore("feed of changes", (open) => {
  it("older tokens are refused here before the promise resolves, and elsewhere soon after; a refresh brings a new one", async () => {
    const stage = await open();
    const [here, there] = [await stage.engine(), await stage.engine()];
    const session = await here.createSession({ userId: USER, payload: { role: "admin" } });
    const { handle } = session.session;
    const input = { accessToken: session.accessToken.token };
    const heard = new Promise<Changed>((resolve) => there.changes.subscribe(resolve));
    let refusedBefore = false;
    here.changes.subscribe(() => (refusedBefore = here.verifier.verify(input).kind === "try_refresh"));
    await here.updatePayload(handle, { role: "user" });
    expect(refusedBefore).toBe(true);
    expect(here.verifier.verify(input)).toMatchObject({ why: "outdated" });
    expect(await heard).toEqual({ handle, payloadVersion: 1, at: stage.clock.now() });
    expect(there.verifier.verify(input)).toMatchObject({ why: "outdated" });

    for (let twice = 0; twice < 2; twice += 1) {
      const { accessToken } = refreshed(await refresh(there, session));
      const renewed = { accessToken: accessToken.token };
      for (const engine of [here, there])
        expect(engine.verifier.verify(renewed)).toMatchObject({
          claims: { payload: { role: "user" }, payloadVersion: 1 },
        });
    }
    expect(await here.getSession(handle)).toMatchObject({ payload: { role: "user" } });
  });

  it("what is not announced leaves older tokens as they are", async () => {
    const engine = await (await open()).engine();
    const session = await engine.createSession({ userId: USER });
    await engine.updatePayload(session.session.handle, { role: "user" }, { announced: false });
    await engine.revocations.catchUp();
    expect(engine.verifier.verify({ accessToken: session.accessToken.token }).kind).toBe("valid");
    expect((await engine.changesSince(undefined)).changed).toEqual([]);
    const renewed = refreshed(await refresh(engine, session));
    expect(await claimsOf(engine, renewed)).toMatchObject({ payload: { role: "user" }, payloadVersion: 1 });
  });

  it("a process that starts knows what changed within one access token lifetime", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const session = await engine.createSession({ userId: USER });
    await engine.updatePayload(session.session.handle, { role: "user" });
    stage.clock.advance(HOUR - 1);
    const late = await stage.engine();
    expect(late.verifier.verify({ accessToken: session.accessToken.token })).toMatchObject({ why: "outdated" });
  });

  it("tells each listener of each change once, in order, and no one who stopped; no revocation is in it", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const heard: unknown[] = [];
    const unheard: unknown[] = [];
    engine.changes.subscribe(({ handle, payloadVersion }) => heard.push([handle, payloadVersion]));
    engine.changes.subscribe((change) => unheard.push(change))();
    const sessions = [
      await engine.createSession({ userId: USER }),
      await engine.createSession({ userId: USER, tenantId: "acme" as TenantId }),
    ];
    const told: unknown[] = [];
    for (const payloadVersion of [1, 2])
      for (const { session } of sessions) {
        await engine.updatePayload(session.handle, { payloadVersion });
        told.push([session.handle, payloadVersion]);
        stage.clock.advance(MINUTE);
      }
    await engine.revokeSessions(sessions.map(({ session }) => session.handle));
    await engine.revocations.catchUp();
    await engine.changes.catchUp();
    expect(heard).toEqual(told);
    expect(unheard).toEqual([]);
    expect((await engine.changesSince(undefined)).changed).toHaveLength(told.length);
  });

  it("can be read elsewhere, from a cursor on; a cursor of another store starts one lifetime ago", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const { handle } = (await engine.createSession({ userId: USER })).session;
    await engine.updatePayload(handle, {});
    stage.clock.advance(HOUR + 1);
    await engine.updatePayload(handle, {});
    const second = { handle, payloadVersion: 2, at: stage.clock.now() };
    const start = await engine.changesSince(undefined);
    expect(start.changed).toEqual([second]);
    await engine.updatePayload(handle, {});
    const third = { ...second, payloadVersion: 3 };
    expect((await engine.changesSince(start)).changed).toContainEqual(third);
    const foreign = await (await (await open()).engine()).changesSince(undefined);
    expect((await engine.changesSince(foreign)).changed).toEqual([second, third]);
  });
});

/** Both feeds followed through a line that a test can cut, and what the verifier was told. */
const followedThrough = async (hand: (call: StorageCall) => Promise<unknown>) => {
  const stage = memoryStage();
  const marked: string[] = [];
  const feeds = await followFeeds({
    storage: intercepted(stage.storage, hand),
    lifetime: millis(HOUR),
    verifier: {
      markRevoked: (handle) => marked.push(`revoked ${handle}`),
      markChanged: ({ handle, payloadVersion }) => marked.push(`changed ${handle} ${payloadVersion}`),
    },
  });
  const createElsewhere = async () => (await (await stage.engine()).createSession({ userId: USER })).session;
  /** Ends a session, or changes its payload, at the store, as another process does. @returns what has to be told. */
  const elsewhere = {
    async revocation(): Promise<string> {
      const { handle, tenantId } = await createElsewhere();
      await stage.storage.revokeSessions({ kind: "user", tenantId, userId: USER }, { reason: "revoked" });
      return `revoked ${handle}`;
    },
    async change(): Promise<string> {
      const { handle } = await createElsewhere();
      await stage.storage.changeSession(handle as string as SessionId, { payload: "{}", announced: true });
      return `changed ${handle} 1`;
    },
  };
  return { marked, feeds, elsewhere, clock: stage.clock };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const kinds = [
  ["revocation", "revocationsSince"],
  ["change", "changesSince"],
] as const;

it.each(kinds)("goes on from its cursor after the line was cut: %s", async (kind) => {
  let cut = false;
  const { marked, feeds, elsewhere } = await followedThrough(async ({ proceed }) => {
    if (cut) throw new StorageError("unavailable", "the line is cut");
    return proceed();
  });
  cut = true;
  const first = await elsewhere[kind]();
  await turn();
  await expect(feeds.revocations.catchUp()).rejects.toMatchObject({ code: "unavailable" });
  expect(marked).toEqual([]);
  cut = false;
  const second = await elsewhere[kind]();
  await feeds.changes.catchUp();
  expect(marked).toEqual([first, second]);
});

it.each(kinds)("one feed that cannot be read does not hold up the other: %s", async (kind, cutMethod) => {
  let cut = false;
  const { marked, feeds, elsewhere } = await followedThrough(async ({ method, proceed }) => {
    if (cut && method !== cutMethod) throw new StorageError("unavailable", "the line is cut");
    return proceed();
  });
  cut = true;
  const told = await elsewhere[kind]();
  await expect(feeds.revocations.catchUp()).rejects.toMatchObject({ code: "unavailable" });
  await turn();
  expect(marked).toEqual([told]);
});

it.each(kinds)("reads on when a page was cut short, also where it held nothing new: %s", async (kind, read) => {
  let cutShort = false;
  const { marked, feeds, elsewhere } = await followedThrough(async ({ method, proceed }) => {
    const page = (await proceed()) as Extract<FeedPage<never>, { kind: "page" }>;
    if (method !== read || !cutShort) return page;
    cutShort = false;
    return { ...page, items: [], cursor: standing, more: true } satisfies FeedPage<never>;
  });
  const feed = kind === "revocation" ? feeds.revocations : feeds.changes;
  const standing = (await feed.readSince(undefined)).cursor;
  cutShort = true;
  const told = await elsewhere[kind]();
  await feed.catchUp();
  expect(cutShort).toBe(false);
  expect(marked).toEqual([told]);
});

it.each(kinds)(
  "re-reads one access token lifetime when the store does not know its cursor, and drops what it has seen: %s",
  async (kind, read) => {
    let forgets = false;
    const { marked, feeds, elsewhere, clock } = await followedThrough(async ({ method, proceed }) => {
      if (!forgets || method !== read) return proceed();
      forgets = false;
      return { kind: "unknown_cursor" } satisfies FeedPage<never>;
    });
    const first = await elsewhere[kind]();
    await feeds.revocations.catchUp();
    clock.advance(MINUTE);
    forgets = true;
    const second = await elsewhere[kind]();
    await feeds.revocations.catchUp();
    expect(forgets).toBe(false);
    expect(marked).toEqual([first, second]);
  },
);

it.each(["revocationsSince", "changesSince"])(
  "does not start while %s cannot be read: what does not hold any more must not pass",
  async (unreadable) => {
    const dead = followedThrough(({ method, proceed }) =>
      method === unreadable ? Promise.reject(new StorageError("unavailable", "the line is cut")) : proceed(),
    );
    await expect(dead).rejects.toMatchObject({ code: "unavailable" });
  },
);

it("many that ask in one turn share one reading and one more", async () => {
  let readings = 0;
  const { feeds } = await followedThrough(async ({ proceed }) => {
    readings += 1;
    return proceed();
  });
  readings = 0;
  await Promise.all(Array.from({ length: 100 }, () => feeds.revocations.catchUp()));
  expect(readings).toBeLessThanOrEqual(4);
});
