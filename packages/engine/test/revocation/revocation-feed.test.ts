import { type FeedPage, millis, type RevocationRecord, StorageError, type TenantId } from "@pawl/storage";
import { expect, it } from "vitest";
import type { Revoked } from "../../src/index.js";
import { followRevocations } from "../../src/revocation/revocation-feed.js";
import { intercepted, type StorageCall } from "../intercepted-storage.js";
import { HOUR, MINUTE, memoryStage, onEveryStore, refresh, refreshed, USER, use } from "../engines.js";

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
    expect(await heard).toEqual({ handle: session.session.handle, at: stage.clock.now() });
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

  it("tells each listener of each session once, whatever ended it, and no one who stopped", async () => {
    const stage = await open();
    const engine = await stage.engine({ maxSessionsPerUser: 2 });
    const heard: string[] = [];
    const unheard: string[] = [];
    engine.revocations.subscribe(({ handle }) => heard.push(handle));
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
    await engine.revokeSessions([tenant.session.handle]);
    await engine.revocations.catchUp();
    await engine.revocations.catchUp();
    expect(heard).toEqual([first.session.handle, robbed.session.handle, tenant.session.handle]);
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
    const revoked = { handle: session.session.handle, at: stage.clock.now() };

    const start = await engine.revocationsSince(undefined);
    expect(start.revoked).toEqual([revoked]);
    const further = await engine.createSession({ userId: USER, tenantId: "acme" as TenantId });
    await engine.revokeSessions([further.session.handle]);
    const next = await engine.revocationsSince(start);
    expect(next.revoked).toContainEqual({ handle: further.session.handle, at: stage.clock.now() });
    const foreign = await (await (await open()).engine()).revocationsSince(undefined);
    expect((await engine.revocationsSince(foreign)).revoked).toContainEqual(revoked);
  });
});

/** A feed followed through a line that a test can cut, and what the verifier was told. */
const followedThrough = async (hand: (call: StorageCall) => Promise<unknown>) => {
  const stage = memoryStage();
  const marked: string[] = [];
  const revocations = await followRevocations({
    storage: intercepted(stage.storage, hand),
    lifetime: millis(HOUR),
    verifier: { markRevoked: (handle) => marked.push(handle) },
  });
  /** Ends a session at the store, as another process does. */
  const revokeElsewhere = async (): Promise<string> => {
    const session = await (await stage.engine()).createSession({ userId: USER });
    const { tenantId } = session.session;
    await stage.storage.revokeSessions({ kind: "user", tenantId, userId: USER }, { reason: "revoked" });
    return session.session.handle;
  };
  return { marked, revocations, revokeElsewhere, clock: stage.clock };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("goes on from its cursor after the line was cut", async () => {
  let cut = false;
  const { marked, revocations, revokeElsewhere } = await followedThrough(async ({ proceed }) => {
    if (cut) throw new StorageError("unavailable", "the line is cut");
    return proceed();
  });
  cut = true;
  const first = await revokeElsewhere();
  await turn();
  await expect(revocations.catchUp()).rejects.toMatchObject({ code: "unavailable" });
  expect(marked).toEqual([]);
  cut = false;
  const second = await revokeElsewhere();
  await revocations.catchUp();
  expect(marked).toEqual([first, second]);
});

it("reads on when a page was cut short, also where it held nothing new", async () => {
  let cutShort = false;
  const { marked, revocations, revokeElsewhere } = await followedThrough(async ({ method, proceed }) => {
    const page = (await proceed()) as Extract<FeedPage<RevocationRecord>, { kind: "page" }>;
    if (method !== "revocationsSince" || !cutShort) return page;
    cutShort = false;
    return { ...page, items: [], cursor: standing, more: true } satisfies FeedPage<RevocationRecord>;
  });
  const standing = (await revocations.readSince(undefined)).cursor;
  cutShort = true;
  const handle = await revokeElsewhere();
  await revocations.catchUp();
  expect(cutShort).toBe(false);
  expect(marked).toEqual([handle]);
});

it("re-reads one access token lifetime when the store does not know its cursor, and drops what it has seen", async () => {
  let forgets = false;
  const { marked, revocations, revokeElsewhere, clock } = await followedThrough(async ({ proceed }) => {
    if (!forgets) return proceed();
    forgets = false;
    return { kind: "unknown_cursor" } satisfies FeedPage<RevocationRecord>;
  });
  const first = await revokeElsewhere();
  await revocations.catchUp();
  clock.advance(MINUTE);
  forgets = true;
  const second = await revokeElsewhere();
  await revocations.catchUp();
  expect(forgets).toBe(false);
  expect(marked).toEqual([first, second]);
});

it("does not start while the feed cannot be read: a revoked session must not pass", async () => {
  const dead = followedThrough(() => Promise.reject(new StorageError("unavailable", "the line is cut")));
  await expect(dead).rejects.toMatchObject({ code: "unavailable" });
});

it("many that ask in one turn share one reading and one more", async () => {
  let readings = 0;
  const { revocations } = await followedThrough(async ({ proceed }) => {
    readings += 1;
    return proceed();
  });
  readings = 0;
  await Promise.all(Array.from({ length: 100 }, () => revocations.catchUp()));
  expect(readings).toBeLessThanOrEqual(2);
});
