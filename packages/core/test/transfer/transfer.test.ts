import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IssuedSession, parseHandle, parseMasterKeys, type SessionEngine } from "@pawl/engine";
import { type OpenedEngine, openEngine } from "@pawl/engine/host";
import { millis, openStorage, type SessionId, type Storage, type TenantId, type UserId } from "@pawl/storage";
import { startMariaDb, startPostgres } from "@pawl/test-servers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createExportFile, resumeExportFile, TransferError } from "../../src/transfer/export-file.js";
import { exportSessions } from "../../src/transfer/session-export.js";
import { emptySum, formatEnd } from "../../src/transfer/session-export-format.js";
import { checkExport, importSessions } from "../../src/transfer/session-import.js";
import { movableClock } from "../listening-core.js";

const masterKey = Buffer.alloc(32, 5).toString("base64");
const clock = movableClock();
const ignore = (): void => undefined;

let folder: string;
let close: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-transfer-"));
});
afterEach(async () => {
  for (const step of close.splice(0).toReversed()) await step();
  await rm(folder, { recursive: true });
});

const openNode = async (storage: Storage): Promise<OpenedEngine> => {
  const opened = await openEngine({ storage, masterKey });
  close.push(opened.close);
  return opened;
};
const open = async (url: string): Promise<Storage> => {
  const storage = await openStorage(url, { clock });
  close.push(() => storage.close());
  await storage.migrate();
  return storage;
};
const file = (name = "sessions.ndjson"): string => join(folder, name);
const exportTo = async (storage: Storage, path = file()): Promise<number> => {
  const target = await createExportFile(path);
  const count = await exportSessions(storage, target, {});
  await target.handle.close();
  return count;
};
const resume = async (storage: Storage, path = file()): Promise<number> => {
  const target = await resumeExportFile(path);
  try {
    return target.isComplete ? target.sum.sessions : await exportSessions(storage, target, {});
  } finally {
    await target.handle.close();
  }
};
const refresh = async (engine: SessionEngine, { refreshToken }: IssuedSession): Promise<IssuedSession> => {
  const outcome = await engine.refreshSession({ refreshToken: refreshToken.token });
  if (outcome.kind !== "refreshed") throw new Error(`not refreshed: ${outcome.kind}`);
  return outcome;
};
const rowsOf = async (storage: Storage) => {
  const { items } = await storage.listSessions({}, { limit: 10_000 });
  return items.toSorted((left, right) => (left.id < right.id ? -1 : 1));
};
/** Sessions of many shapes, none of them turned. */
const populate = async (engine: SessionEngine, count: number): Promise<readonly IssuedSession[]> => {
  const sessions: IssuedSession[] = [];
  for (let index = 0; index < count; index += 1)
    sessions.push(
      await engine.createSession({
        userId: `user-${index}-é\u{1F512}"\n` as UserId,
        ...(index % 3 === 0 ? { tenantId: "customer-1" as TenantId } : {}),
        ...(index % 2 === 0 ? { device: "Mozilla\t5.0", address: "2001:db8::1" } : {}),
        payload: { index },
        data: { text: "x".repeat(index % 50), line: "a\nb" },
      }),
    );
  return sessions;
};

describe("between two storages", () => {
  let mariaDb: Awaited<ReturnType<typeof startMariaDb>>;
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  beforeAll(async () => {
    [mariaDb, postgres] = await Promise.all([startMariaDb(), startPostgres()]);
  });
  afterAll(() => Promise.all([mariaDb.stop(), postgres.stop()]));

  /** URLs by kind; a further storage is a further line. */
  const urls: Readonly<Record<string, (name: string) => string>> = {
    memory: () => "memory:",
    sqlite: (name) => `sqlite:${join(folder, `${name}.db`)}`,
    mysql: () => mariaDb.url,
    postgres: () => postgres.url,
  };

  test.each([
    ["sqlite", "memory"],
    ["memory", "sqlite"],
    ["sqlite", "postgres"],
    ["postgres", "mysql"],
    ["mysql", "sqlite"],
  ])("%s to %s: every session goes on with the tokens it has", async (from, to) => {
    const [source, target] = [await open(urls[from]!("from")), await open(urls[to]!("to"))];
    const first = await openNode(source);
    const sessions = [...(await populate(first.engine, 40))];
    for (const index of [1, 2, 3]) {
      clock.move(60_000);
      sessions[index] = await refresh(first.engine, sessions[index]!);
    }
    const changed = sessions[6]!;
    await source.changeSession(parseHandle(changed.session.handle)!.id, {
      facts: '{ "auth": {"at":1,"methods":["pwd"]} }',
      payload: '{"role":"admin"}',
      announced: true,
    });
    const [like] = await rowsOf(source);
    const id = crypto.randomUUID() as SessionId;
    const bound = {
      ...like!,
      id,
      bound: "thumbprint",
      link: JSON.stringify(["issuer", id]),
      subject: '["issuer","alice"]',
    };
    await source.importSessions([bound]);
    await first.engine.revokeSessions([sessions[5]!.session.handle]);
    const [revoked] = sessions.splice(5, 1);

    const present = await rowsOf(target);
    expect(await exportTo(source)).toBe((await rowsOf(source)).length);
    const count = await checkExport(file(), ignore);
    const done = await importSessions(target, file(), ignore);
    expect(done).toEqual({ sessions: count, inserted: count - present.length, present: present.length, expired: 0 });
    expect(await importSessions(target, file(), ignore)).toMatchObject({ inserted: 0, present: count });
    expect(await rowsOf(target)).toStrictEqual(await rowsOf(source));
    expect(await rowsOf(target)).toContainEqual(bound);
    expect(await target.listSessions({ link: bound.link }, { limit: 9 })).toStrictEqual({ items: [bound] });
    const second = await openNode(target);
    clock.move(60_000);
    for (const session of sessions) {
      const turned = await refresh(second.engine, session);
      const payload = session === changed ? { role: "admin" } : session.session.payload;
      expect(turned.session).toMatchObject({ handle: session.session.handle, payload });
    }
    expect(await second.engine.refreshSession({ refreshToken: revoked!.refreshToken.token })).toMatchObject({
      kind: "unauthorised",
    });
  });
});

describe("an export", () => {
  test("is for its owner alone, says what it is, and replaces no file", async () => {
    const storage = await open("memory:");
    const { engine } = await openNode(storage);
    await populate(engine, 3);
    await exportTo(storage);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const lines = (await readFile(file(), "utf8")).split("\n");
    expect(JSON.parse(lines[0]!)).toEqual({
      format: "pawl-sessions",
      version: 1,
      exportedAt: clock.now(),
      masterKeys: [
        { id: parseMasterKeys(masterKey)[0]?.id, check: expect.any(String), neededUntil: expect.any(Number) },
      ],
    });
    expect(JSON.parse(lines.at(-2)!)).toMatchObject({ end: true, sessions: 3 });
    await expect(exportTo(storage)).rejects.toThrow(/it is there already; --resume/);
  });

  test("goes on wherever it was cut off, without loss and without a session twice", async () => {
    const storage = await open("memory:");
    const { engine } = await openNode(storage);
    await populate(engine, 250);
    await exportTo(storage);
    const whole = await readFile(file());
    const edges = [...whole.toString().matchAll(/\n/gu)].slice(0, 15).map(({ index }) => index);
    const cuts = [
      0,
      1,
      30,
      ...edges.flatMap((edge) => [edge, edge + 1]),
      whole.length - 40,
      whole.length - 1,
      whole.length,
    ];
    for (const cut of cuts) {
      await writeFile(file("cut"), whole.subarray(0, cut));
      expect(await resume(storage, file("cut")), `cut at ${cut}`).toBe(250);
      expect(await checkExport(file("cut"), ignore)).toBe(250);
      const ids = (await readFile(file("cut"), "utf8")).match(/"id":"[^"]+"/gu) ?? [];
      expect(new Set(ids).size, `cut at ${cut}`).toBe(250);
      expect(ids).toHaveLength(250);
    }
    // Bytes that a crash left behind as zeros.
    await writeFile(
      file("cut"),
      Buffer.concat([whole.subarray(0, whole.length / 2), Buffer.alloc(5000), Buffer.from("\n")]),
    );
    expect(await resume(storage, file("cut"))).toBe(250);
    expect(await checkExport(file("cut"), ignore)).toBe(250);
  });

  test("goes on with the same tenant only, and with nothing that is no export", async () => {
    const storage = await open("memory:");
    const { engine } = await openNode(storage);
    await populate(engine, 30);
    const target = await createExportFile(file());
    expect(await exportSessions(storage, target, { tenantId: "customer-1" as TenantId })).toBe(10);
    await target.handle.close();
    await truncate(file(), (await stat(file())).size - 10);
    await expect(resume(storage)).rejects.toThrow(/was begun with --tenant customer-1/);
    for (const text of ["hello\n", '{"a":1}\n', "hello"]) {
      await writeFile(file("other"), text);
      await expect(resume(storage, file("other"))).rejects.toThrow(/is no export of sessions/);
      expect(await readFile(file("other"), "utf8")).toBe(text);
    }
    await expect(resume(storage, file("none"))).rejects.toThrow(/cannot go on with .*: ENOENT/);
  });
});

describe("an import", () => {
  test("interrupted anywhere does what is left when it is called again", async () => {
    const source = await open("memory:");
    const { engine } = await openNode(source);
    await populate(engine, 650);
    await exportTo(source);
    const target = await open(`sqlite:${join(folder, "target.db")}`);
    for (const allowed of [0, 1, 2]) {
      let left = allowed;
      const stopping = new Proxy(target, {
        get: (real, name) => {
          const member: unknown = Reflect.get(real, name);
          if (typeof member !== "function") return member;
          if (name === "importSessions" && left-- === 0) return () => Promise.reject(new Error("stopped"));
          return member.bind(real) as unknown;
        },
      });
      await expect(importSessions(stopping, file(), ignore)).rejects.toThrow("stopped");
    }
    expect(await importSessions(target, file(), ignore)).toMatchObject({ inserted: 450, present: 200 });
    expect(await rowsOf(target)).toStrictEqual(await rowsOf(source));
  });

  test("takes an export of a release that did not have all columns, and gives its sessions the usual values", async () => {
    const source = await open("memory:");
    const { engine } = await openNode(source);
    const [session] = await populate(engine, 3);
    await exportTo(source);
    const later = ["facts", "factsVersion", "payloadVersion", "bound"];
    const withoutThem = (line: string): string =>
      JSON.stringify(JSON.parse(line, (name, value: unknown) => (later.includes(name) ? undefined : value)));
    const [header, ...sessions] = (await readFile(file(), "utf8")).trimEnd().split("\n").slice(0, -1);
    const before = [header!, ...sessions.map(withoutThem)].map((line) => `${line}\n`).join("");
    expect(before).not.toContain("facts");
    const sum = { sessions: 3, hash: emptySum().hash.update(before) };
    await writeFile(file("before"), before + formatEnd(sum));
    const target = await open("memory:");
    expect(await checkExport(file("before"), ignore)).toBe(3);
    await importSessions(target, file("before"), ignore);
    expect(await rowsOf(target)).toStrictEqual(await rowsOf(source));
    await refresh((await openNode(target)).engine, session!);
  });

  test("brings along how a user authenticated, and for whom somebody acts, until when", async () => {
    const [source, target] = [await open("memory:"), await open("memory:")];
    const { engine } = await openNode(source);
    const auth = { at: millis(clock.now() - 86_400_000), methods: ["pwd", "otp"], level: "aal2" };
    const session = await engine.createSession({ userId: "alice" as UserId, form: "pawl", auth });
    const bob = { userId: "bob" as UserId, payload: {}, data: { cart: 1 }, reason: "ticket" };
    await engine.actAs(session.accessToken.token, bob);
    await exportTo(source);
    await importSessions(target, file(), ignore);
    const moved = (await openNode(target)).engine;
    const turn = async () => {
      clock.move(600_000);
      const outcome = await moved.refreshSession({ refreshToken: session.refreshToken.token, form: "pawl" });
      return outcome.kind === "refreshed" ? outcome.session : outcome;
    };
    expect(await turn()).toMatchObject({ userId: "bob", actor: { userId: "alice" }, auth });
    const told = await moved.getSession(session.session.handle, { as: bob.userId });
    expect(told).toMatchObject({ payload: bob.payload, data: bob.data, acting: { userId: "bob", reason: "ticket" } });
    expect(await turn()).toMatchObject({ userId: "alice", auth });
  });

  test("lets the new nodes ask for the master keys that its sessions need, and refuses another key of that id", async () => {
    const source = await open("memory:");
    const { engine } = await openNode(source);
    const [session] = await populate(engine, 1);
    await exportTo(source);
    const target = await open("memory:");
    await importSessions(target, file(), ignore);
    const [id] = [parseMasterKeys(masterKey)[0]?.id];
    const other = Buffer.alloc(32, 6).toString("base64");
    await expect(openEngine({ storage: target, masterKey: other })).rejects.toThrow(
      `master key ${id} was not given, and sessions need it until 20`,
    );
    const both = await openEngine({ storage: target, masterKey: `${other},${masterKey}` });
    close.push(both.close);
    await refresh(both.engine, session!);

    const elsewhere = await open("memory:");
    await elsewhere.claimMeta(`master_key_check_${id}`, "that of another key");
    await expect(importSessions(elsewhere, file(), ignore)).rejects.toMatchObject({ code: "master_key_wrong" });
    expect(await rowsOf(elsewhere)).toEqual([]);
  });

  test("leaves out what has expired since", async () => {
    const source = await open("memory:");
    const { engine } = await openNode(source);
    await populate(engine, 3);
    await exportTo(source);
    clock.move(101 * 86_400_000);
    expect(await importSessions(await open("memory:"), file(), ignore)).toEqual({
      sessions: 3,
      inserted: 0,
      present: 0,
      expired: 3,
    });
  });

  test("is refused for a file that is not whole or was changed, with the line", async () => {
    const source = await open("memory:");
    const { engine } = await openNode(source);
    await populate(engine, 40);
    await exportTo(source);
    const text = await readFile(file(), "utf8");
    const lines = text.trimEnd().split("\n");
    const [header = "", first = ""] = lines;
    const last = lines.at(-1);
    const session = JSON.parse(first) as Record<string, unknown>;
    const changed = (part: object): string => [header, JSON.stringify({ ...session, ...part }), last].join("\n");
    const cases: readonly (readonly [string, RegExp])[] = [
      ["", /is not whole: its last line is missing/],
      [lines.slice(0, -1).join("\n"), /is not whole: its last line is missing/],
      [text.slice(0, 500), /line 2: no JSON: it was cut off or changed/],
      [lines.filter((_, index) => index !== 5).join("\n"), /line \d+: 40 sessions were exported, and 39 are here/],
      [text.replace('"expiresAt":1', '"expiresAt":2'), /the checksum is another one/],
      [`${text}${first}\n`, /stands behind the end/],
      [lines.slice(1).join("\n"), /line 1: the first line, and no other, says what the file is/],
      [text.replace('"version":1', '"version":2'), /line 1: an export of a newer release/],
      [changed({ expiresAt: "soon" }), /line 2: expiresAt: must be integer/],
      [changed({ payload: "[]" }), /line 2: payload: must be a JSON object as text/],
      [changed({ facts: "" }), /line 2: facts: must be a JSON object as text/],
      [changed({ facts: '{"auth":{"at":1}}' }), /line 2: facts: auth: must have required properties methods/],
      [changed({ facts: '{"shoe":1}' }), /line 2: facts: must not have additional properties/],
      [changed({ factsVersion: -1 }), /line 2: factsVersion: must be/],
      [changed({ bound: null }), /line 2: bound: must be string/],
      [changed({ current: 9 }), /line 2: current: must not be greater than next/],
      [changed({ userId: undefined }), /line 2: must have required properties userId/],
      [changed({ shoe: 1 }), /line 2: must not have additional properties/],
      ["null\n", /line 1: no JSON object/],
    ];
    for (const [content, message] of cases) {
      await writeFile(file("wrong"), content);
      const error: unknown = await checkExport(file("wrong"), ignore).catch((thrown: unknown) => thrown);
      expect(error, String(message)).toBeInstanceOf(TransferError);
      expect(String(error)).toMatch(message);
    }
    await expect(checkExport(file("none"), ignore)).rejects.toThrow(/cannot read .*: ENOENT/);
    await expect(checkExport(folder, ignore)).rejects.toThrow(/cannot read .*: EISDIR/);
  });
});
