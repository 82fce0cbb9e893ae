import { type EventRecord, millis, type SessionId, type TenantId } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { eventOf, listAll, outbox, settle, take } from "./outbox/outbox-store.js";
import {
  attemptOf,
  bucketText,
  lifetimes,
  openTestStore,
  type OpenStore,
  sessionRecord,
  signingKey,
  userId,
  usePolicy,
} from "./store.js";

/** Texts that other systems stumbled over. Each is another user. */
const hostile = [
  "'",
  '"; DROP TABLE sessions; --',
  "' OR '1'='1",
  "%",
  "_",
  "\\",
  "$1",
  ":id",
  "?",
  "{user}",
  "null",
  "0",
  "00",
  "1e3",
  " ",
  "  ",
  "alice",
  "Alice",
  "ALICE",
  "alice ",
  " alice",
  "a\u0301lice",
  "\u00e1lice",
  "ß",
  "ss",
  "İ",
  "i",
  "\uFF41lice",
  "\u202Eecila",
  "\u200Balice",
  "\uFEFFalice",
  "\u{1F512}",
  "\u{1F468}\u200D\u{1F469}",
  "line\nbreak",
  "tab\t",
  "\u0001",
  "\u007F",
  "\uFFFD",
  "\uFFFF",
  "__proto__",
  "constructor",
  "x".repeat(100_000),
  `${"x".repeat(99_999)}y`,
];

/** What no store can keep: U+0000, and half of a surrogate pair, which has no UTF-8 form. */
const unstorable = ["\0", "a\0b", "\uD800", "a\uDC00b", "\uDC00\uD800"];

const sessionTexts = [
  "id",
  "tenantId",
  "userId",
  "secretHash",
  "payload",
  "data",
  "facts",
  "bound",
  "link",
  "subject",
  "device",
  "address",
] as const;

/** Ids and texts as bytes of UTF-8, whatever is in them. */
export const testHostileValues = (open: OpenStore): void => {
  describe("hostile values", () => {
    it("as user ids are users of their own, to be found, listed, limited and revoked", async () => {
      const { storage, clock } = await openTestStore(open);
      const records = hostile.map((text) => sessionRecord(clock, { userId: userId(text) }));
      for (const record of records) expect(await storage.createSession(record, { maxPerUser: 1 })).toStrictEqual([]);
      for (const record of records) {
        expect(await storage.listSessions({ userId: record.userId }, { limit: 5 })).toStrictEqual({ items: [record] });
        const user = { kind: "user", tenantId: record.tenantId, userId: record.userId } as const;
        const revoked = await storage.revokeSessions(user, { reason: "logout" });
        expect(revoked.map(({ id }) => id)).toStrictEqual([record.id]);
        const { items } = await storage.listEvents({ userId: record.userId }, { limit: 5 });
        expect(items).toMatchObject([{ userId: record.userId, count: 1 }]);
      }
    });

    it("as tenant ids and session ids are told apart, and survive pages and the feed", async () => {
      const { storage, clock } = await openTestStore(open);
      const records = hostile.map((text) => {
        const record = sessionRecord(clock, { tenantId: text as TenantId, secretHash: text });
        return { ...record, id: `${bucketText(record)}${text}` as SessionId };
      });
      for (const record of records) await storage.createSession(record);
      for (const record of records) {
        expect(await storage.getSession(record.id)).toStrictEqual(record);
        expect(await storage.listSessions({ tenantId: record.tenantId }, { limit: 5 })).toStrictEqual({
          items: [record],
        });
        expect(await storage.rotate(attemptOf(record))).toMatchObject({ minted: true, record: { id: record.id } });
      }
      const seen: SessionId[] = [];
      for (let page = await storage.listSessions({}, { limit: 1 }); ;) {
        seen.push(...page.items.map(({ id }) => id));
        if (page.next === undefined) break;
        page = await storage.listSessions({}, { limit: 1, after: page.next });
      }
      expect(seen.toSorted()).toStrictEqual(records.map(({ id }) => id).toSorted());
      for (const record of records) {
        expect(await storage.changeSession(record.id, { announced: true })).toMatchObject({ kind: "changed" });
        expect(await storage.liveOf([record.id])).toMatchObject([{ payloadVersion: 1 }]);
        const changes = await storage.changesSince({ at: millis(0) });
        const { id, tenantId, userId: user } = record;
        expect(changes.kind === "page" && changes.items).toContainEqual({
          id,
          tenantId,
          userId: user,
          at: clock.now(),
          payloadVersion: 1,
        });
        const before = await storage.revocationsSince({ at: millis(0) });
        await storage.revokeSessions({ kind: "tenant", tenantId: record.tenantId }, { reason: "erased" });
        const cursor = before.kind === "page" ? before.cursor : "";
        expect(await storage.revocationsSince({ cursor })).toMatchObject({ items: [{ id: record.id }] });
      }
    });

    it("as device, address, kid, meta and event come back to the letter", async () => {
      const { storage, clock } = await openTestStore(open);
      for (const text of hostile) {
        const record = sessionRecord(clock, { device: text, address: text });
        await storage.createSession(record);
        expect(await storage.getSession(record.id)).toStrictEqual(record);
        expect(await storage.claimMeta(text, text)).toBe(text);
        expect(await storage.replaceMeta(text, text, `${text}'`)).toBe(true);
        expect(await storage.replaceMeta(text, `${text}'`, text)).toBe(true);
        const event: EventRecord = { key: text, at: clock.now(), type: "admin", detail: text, count: 1 };
        await storage.appendEvents([event]);
        expect((await storage.listEvents({}, { limit: 100 })).items).toContainEqual(event);
      }
      const kids = hostile.slice(0, 10);
      for (const [index, kid] of kids.entries()) {
        clock.advance(1);
        const key = signingKey(clock, { kid, publicKey: kid, sealedPrivateKey: kid });
        expect(await storage.addSigningKey(key, kids[index - 1])).toBe(true);
        expect(await storage.getSigningKeys()).toContainEqual(key);
        expect(await storage.resealSigningKey(kid, kid, `${kid}'`)).toBe(true);
        expect(await storage.getSigningKeys()).toContainEqual({ ...key, sealedPrivateKey: `${kid}'` });
      }
    });

    it("as links, proofs, keys and notes of the outbox, and names of counts are told apart", async () => {
      const store = await openTestStore(open, { outbox });
      const { storage, clock } = store;
      const bounded = hostile.filter((text) => Buffer.byteLength(text) <= 128);
      const hour = millis(500_000 * 3_600_000);
      await storage.addCounts(bounded.map((name) => ({ hour, name, count: 2 })));
      const { items: counts } = await storage.listCounts({ from: hour, to: millis(hour + 1) }, { limit: 100 });
      expect(new Set(counts.map(({ name }) => name))).toStrictEqual(new Set(bounded));
      expect(counts).toHaveLength(bounded.length);
      const records = hostile.map((text) =>
        sessionRecord(clock, { link: text, subject: text, userId: userId(text), facts: text }),
      );
      for (const record of records) await storage.createSession(record);
      for (const record of records) {
        const text = record.link!;
        expect(await storage.listSessions({ link: text }, { limit: 5 })).toStrictEqual({ items: [record] });
        await storage.changeSession(record.id, { events: [eventOf(store, record, { key: text })] });
        if (text.length > 100) continue;
        await storage.changeSession(record.id, { bound: text });
        for (const proof of [`${text} `, text.toUpperCase(), text.normalize("NFD")])
          if (proof !== text)
            expect(await storage.rotate(attemptOf(record, { proof }))).toMatchObject({ minted: false });
        expect(await storage.rotate(attemptOf(record, { proof: text }))).toMatchObject({ minted: true });
      }
      expect(new Set((await take(store)).map(({ event }) => event.key))).toStrictEqual(new Set(hostile));
      for (const text of hostile)
        expect(await settle(store, text, { kind: "dead", state: text }), text.slice(0, 99)).toBe(true);
      const dead = (await listAll(store, true, 5)).map(({ event, state }) => [event.key, event.userId, state]);
      expect(dead).toHaveLength(hostile.length);
      for (const text of hostile) expect(dead).toContainEqual([text, text, text]);
      for (const record of records) await storage.eraseUser(record);
      expect(await listAll(store, true)).toStrictEqual([]);
    });

    it("are moved and erased to the letter", async () => {
      const { storage, clock } = await openTestStore(open);
      const texts = hostile.filter((text) => text.length < 100);
      const records = texts.map((text) =>
        sessionRecord(clock, { tenantId: text as TenantId, userId: userId(text), device: text, data: text }),
      );
      expect(new Set(await storage.importSessions(records))).toStrictEqual(new Set([true]));
      for (const record of records) expect(await storage.getSession(record.id)).toStrictEqual(record);
      for (const [index, record] of records.entries()) {
        expect(await storage.listSessionHistory(record, { limit: 9 })).toStrictEqual({ items: [record] });
        expect(await storage.eraseUser(record)).toMatchObject({ ended: [{ id: record.id }], rows: 1, events: 0 });
        const { items } = await storage.listSessions({}, { limit: 100 });
        expect(items).toHaveLength(records.length - index - 1);
      }
    });

    it("that cannot be stored are refused everywhere, and write nothing", async () => {
      const { storage, clock } = await openTestStore(open);
      const event: EventRecord = { key: "k", at: clock.now(), type: "admin", count: 1 };
      const calls: readonly ((text: string) => Promise<unknown>)[] = [
        ...sessionTexts.map(
          (name) => (text: string) => storage.createSession({ ...sessionRecord(clock), [name]: text }),
        ),
        (text) => storage.getSession(text as SessionId),
        (text) => storage.rotate(attemptOf(sessionRecord(clock, { id: text as SessionId }))),
        (text) =>
          storage.applyRotation(
            { id: text as SessionId, current: 0, next: 0 },
            { kind: "end", reason: "token_reuse", events: [] },
          ),
        (text) =>
          storage.applyRotation(
            { id: sessionRecord(clock).id, current: 0, next: 0 },
            { kind: "fast_forward", seq: 1, current: 0, issuedAt: millis(0), events: [{ ...event, detail: text }] },
          ),
        (text) => storage.reportUses([{ id: text as SessionId, seq: 0, iat: clock.now() }], usePolicy),
        (text) => storage.revokeSessions({ kind: "ids", ids: [text as SessionId] }, { reason: "logout" }),
        (text) => storage.revokeSessions({ kind: "tenant", tenantId: text as TenantId }, { reason: "logout" }),
        (text) => storage.revokeSessions({ kind: "ids", ids: [] }, { reason: "logout", detail: text }),
        (text) => storage.eraseUser(sessionRecord(clock, { userId: userId(text) })),
        (text) => storage.eraseUser(sessionRecord(clock, { tenantId: text as TenantId })),
        (text) => storage.importSessions([sessionRecord(clock), sessionRecord(clock, { data: text })]),
        (text) => storage.listSessions({ userId: userId(text) }, { limit: 1 }),
        (text) => storage.listSessionReferences({ tenantId: text as TenantId }, { limit: 1 }),
        (text) => storage.listSessionHistory(sessionRecord(clock, { userId: userId(text) }), { limit: 1 }),
        (text) => storage.listSessionHistory(sessionRecord(clock), { limit: 1, after: text }),
        (text) => storage.rotate(attemptOf(sessionRecord(clock), { proof: text })),
        (text) => storage.listSessions({ link: text }, { limit: 1 }),
        (text) => storage.listSessions({ subject: text }, { limit: 1 }),
        (text) => storage.changeSession(text as SessionId, {}),
        ...(["payload", "data", "facts", "bound"] as const).map(
          (name) => (text: string) => storage.changeSession(sessionRecord(clock).id, { [name]: text }),
        ),
        (text) => storage.changeSession(sessionRecord(clock).id, { events: [{ ...event, key: text }] }),
        (text) => storage.liveOf([sessionRecord(clock).id, text as SessionId]),
        (text) => settle({ storage }, text, { kind: "delivered" }),
        (text) => storage.settleOutbox({ key: "key", destination: text }, { kind: "delivered" }),
        (text) => settle({ storage }, "key", { kind: "dead", state: text }),
        (text) => settle({ storage }, "key", { kind: "postponed", dueAt: clock.now(), state: text }),
        (text) => storage.listOutbox({ dead: false }, { limit: 1, after: text }),
        (text) => storage.addCounts([{ hour: millis(0), name: text, count: 1 }]),
        (text) => storage.listCounts({ from: millis(0), to: clock.now() }, { limit: 1, after: text }),
        (text) => storage.addSigningKey(signingKey(clock, { kid: text }), undefined),
        (text) => storage.claimMeta(text, "value"),
        (text) => storage.listMeta(text, { limit: 1 }),
        (text) => storage.claimMeta("name", text),
        (text) => storage.replaceMeta(text, "from", "to"),
        (text) => storage.replaceMeta("name", text, "to"),
        (text) => storage.replaceMeta("name", "from", text),
        (text) => storage.resealSigningKey(text, "from", "to"),
        (text) => storage.resealSigningKey("kid", text, "to"),
        (text) => storage.resealSigningKey("kid", "from", text),
        (text) => storage.appendEvents([{ ...event, key: text }]),
        (text) => storage.listEvents({ userId: userId(text) }, { limit: 1 }),
        (text) => storage.listSessions({}, { limit: 1, after: text }),
        (text) => storage.listEvents({}, { limit: 1, after: text }),
        (text) => storage.deleteSigningKeys([text]),
      ];
      for (const [index, call] of calls.entries())
        for (const text of unstorable)
          await expect(call(text), `call ${index}`).rejects.toMatchObject({
            name: "StorageError",
            code: "invalid_record",
          });
      expect(await storage.listSessions({}, { limit: 5 })).toStrictEqual({ items: [] });
      expect(await storage.listEvents({}, { limit: 5 })).toStrictEqual({ items: [] });
      expect(await storage.rotate({ ...attemptOf(sessionRecord(clock)), lifetimes })).toMatchObject({ minted: false });
    });
  });
};
