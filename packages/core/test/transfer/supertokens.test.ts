import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openStorage } from "@pawl/storage";
import { type MariaDbServer, type PostgresServer, startMariaDb, startPostgres, startRedis } from "@pawl/test-servers";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { pawlProcesses } from "../cli/pawl-process.js";
import { runIn } from "../cli/run-here.js";
import { refresh } from "../dialects/cdi-requests.js";
import { type ListeningCore, listen, movableClock, testFolder } from "../listening-core.js";
import { createSuperTokensCore, type Schema } from "./supertokens-core.js";

const MINUTE = 60_000;
const DAY = 86_400_000;
const masterKey = Buffer.alloc(32, 5).toString("base64");

let postgres: PostgresServer;
let mariaDb: MariaDbServer;
let redis: Awaited<ReturnType<typeof startRedis>>;
let databases = 0;
const { spawnPawl } = pawlProcesses();

beforeAll(async () => {
  [postgres, mariaDb, redis] = await Promise.all([
    startPostgres({ settings: { fsync: "off" } }),
    startMariaDb(),
    startRedis({ settings: { appendonly: "yes", appendfsync: "always" } }),
  ]);
}, 120_000);
afterAll(() => Promise.all([postgres.stop(), mariaDb.stop(), redis.stop()]));

/** A database of a core. */
const database = (more: Partial<Parameters<typeof createSuperTokensCore>[1]> = {}) => {
  const name = `old_${(databases += 1)}`;
  postgres.sql(`CREATE DATABASE ${name}`);
  const url = Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href;
  const sql = (text: string): string => postgres.sql(text, name);
  return { url, sql, core: createSuperTokensCore(sql, { now: Date.now, ...more }) };
};

/** A store of its own, and the commands that work on it. */
const target = async (storageUrl?: string) => {
  const folder = await testFolder();
  const storage = storageUrl ?? `sqlite:${join(folder, "pawl.db")}`;
  const env = { PAWL_STORAGE: storage, PAWL_MASTER_KEY: masterKey };
  const run = (...args: string[]) => runIn(folder)(["import", "supertokens", ...args], { env });
  const report = (): readonly Record<string, string>[] =>
    readFileSync(join(folder, "report"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, string>);
  return {
    folder,
    storage,
    env,
    run,
    report,
    /** Imports with success. @returns what `--json` tells. */
    async import(url: string, ...args: string[]) {
      const { code, stdout, stderr } = await run("--database", url, "--report", "report", "--json", ...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    listen: (clock = movableClock(Date.now())) =>
      listen({ storage, masterKey }, { clock }).then((core) => Object.assign(core, { clock })),
  };
};

const alarms = async (core: ListeningCore): Promise<number> =>
  (await core.engine.listEvents({ types: ["token_reuse", "forged_token"] }, { limit: 9 })).items.length;
const refreshV1 = async (core: ListeningCore, refreshToken: string) =>
  core.send("POST", "/v1/sessions/refresh", { body: { refreshToken } });

describe("the sample core", () => {
  it("makes tokens as long as those that were recorded of a real one", () => {
    const { core } = database();
    const { refreshToken } = core.create({ userId: "user-1" });
    const lengths = (token: string): readonly number[] => token.split(".").map(({ length }) => length);
    expect(lengths(refreshToken)).toEqual([236, 64, 2]);
    expect(lengths(core.refresh(refreshToken))).toEqual([360, 64, 2]);
  });
});

describe.each(["sqlite", "postgres", "mysql", "redis"])("sessions of a SuperTokens core, imported into %s", (kind) => {
  const store = () => {
    const urls: Readonly<Record<string, string>> = {
      postgres: `${postgres.url}?schema=into_${(databases += 1)}`,
      mysql: mariaDb.url,
      redis: redis.url,
    };
    return target(urls[kind]);
  };

  it("go on by the newest token of before, through both protocols, and lead to our own", async () => {
    const { url, core: old } = database();
    const one = old.create({ userId: "user-1", payload: '{"role":"admin","nul":null}', data: '{"n": 1}' });
    const two = old.create({ userId: "user-2", tenantId: "acme", staticKey: true });
    const into = await store();
    expect(await into.import(url)).toEqual({
      sessions: 2,
      imported: 2,
      present: 0,
      changed: 0,
      expired: 0,
      refused: {},
      dryRun: false,
    });
    const core = await into.listen();
    const first = await refresh(core, one.refreshToken);
    expect(first).toMatchObject({
      status: "OK",
      session: { userId: "user-1", userDataInJWT: { role: "admin", nul: null }, tenantId: "public" },
      refreshToken: { token: expect.stringMatching(/^pawl_rt_1\./) as string },
    });
    const { handle } = (first as { session: { handle: string } }).session;
    expect(into.report()).toContainEqual({ old: one.handle, new: handle, outcome: "imported" });
    expect(statSync(join(into.folder, "report")).mode & 0o777).toBe(0o600);
    expect(await core.engine.getSession(handle)).toMatchObject({ data: { n: 1 } });

    const second = await refreshV1(core, two.refreshToken);
    expect(second.status).toBe(200);
    expect(second.json).toMatchObject({ session: { userId: "user-2", tenantId: "acme" } });
    for (const { refreshToken } of [first, second.json as typeof first]) {
      core.clock.move(5 * MINUTE);
      expect(await refresh(core, (refreshToken as { token: string }).token)).toMatchObject({ status: "OK" });
    }
    expect(await alarms(core)).toBe(0);
  });

  it("go on by a token minted from the newest; one before it is a theft, which ends the session", async () => {
    const { url, core: old } = database();
    const { refreshToken: login } = old.create({ userId: "user-3" });
    const newest = old.refresh(login);
    old.use(newest);
    const [child, sibling] = [old.refresh(newest), old.refresh(newest)];
    const other = old.create({ userId: "user-3" });
    const into = await store();
    await into.import(url);
    const core = await into.listen();
    const before = await alarms(core);
    const first = await refresh(core, child);
    expect(first).toMatchObject({ status: "OK" });
    core.clock.move(MINUTE);
    for (const token of [sibling, newest]) expect(await refresh(core, token)).toMatchObject({ status: "OK" });
    expect(await alarms(core)).toBe(before);
    core.clock.move(5 * MINUTE);
    expect(await refresh(core, login)).toMatchObject({
      status: "TOKEN_THEFT_DETECTED",
      session: { userId: "user-3", handle: (first as { session: { handle: string } }).session.handle },
    });
    expect(await alarms(core)).toBe(before + 1);
    for (const token of [child, newest, first.refreshToken.token as string])
      expect(await refresh(core, token)).toMatchObject({ status: "UNAUTHORISED" });
    expect(await refresh(core, other.refreshToken)).toMatchObject({ status: "OK" });
  });

  it("take many first refreshes at once as one, and one whose answer was lost days later", async () => {
    const { url, core: old } = database();
    const { refreshToken } = old.create({ userId: "user-4" });
    const into = await store();
    await into.import(url);
    const core = await into.listen();
    const before = await alarms(core);
    const first = await Promise.all(Array.from({ length: 20 }, () => refresh(core, refreshToken)));
    expect(first.map(({ status }) => status as string)).toEqual(Array.from(first, () => "OK"));
    const handles = new Set(first.map(({ session }) => (session as { handle: string }).handle));
    expect(handles.size).toBe(1);
    core.clock.move(3 * DAY);
    const late = await refresh(core, refreshToken);
    expect(late).toMatchObject({ status: "OK" });
    expect(await alarms(core)).toBe(before);
    // Used and refreshed: from now on nobody honest holds the token of before.
    core.clock.move(5 * MINUTE);
    expect(await refresh(core, late.refreshToken.token as string)).toMatchObject({ status: "OK" });
    core.clock.move(5 * MINUTE);
    expect(await refresh(core, refreshToken)).toMatchObject({ status: "TOKEN_THEFT_DETECTED" });
  });
});

describe("a token of before", () => {
  it("that another core made, or somebody changed, is none, and no alarm", async () => {
    const { url, core: old } = database();
    const one = old.create({ userId: "user-1" });
    const forger = database().core.create({ userId: "user-1" });
    const into = await target();
    await into.import(url);
    const core = await into.listen();
    const [sealed = "", nonce = "", version = ""] = one.refreshToken.split(".");
    const flipped = (text: string, at: number): string =>
      text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    for (const token of [
      forger.refreshToken,
      ...[0, 20, 100, sealed.length - 4].map((at) => [flipped(sealed, at), nonce, version].join(".")),
      [sealed, nonce.replace(/^./, (first) => (first === "0" ? "1" : "0")), version].join("."),
      [sealed.replace(/=+$/, ""), nonce, version].join("."),
      [sealed, nonce].join("."),
      [sealed, nonce, "V0"].join("."),
      [sealed, nonce, "V3"].join("."),
      `${one.refreshToken}.`,
      `${randomBytes(16).toString("hex")}.V0`,
      `${randomBytes(60).toString("base64")}.${nonce}.V2`,
      `${"A".repeat(4000)}.${nonce}.V2`,
    ])
      if (token !== one.refreshToken) {
        expect(await refresh(core, token)).toMatchObject({ status: "UNAUTHORISED" });
        expect((await refreshV1(core, token)).status).toBe(401);
      }
    expect(await alarms(core)).toBe(0);
    expect(await refresh(core, one.refreshToken)).toMatchObject({ status: "OK" });
  });

  it("is judged by the anti-CSRF token that was issued with it", async () => {
    const { url, core: old } = database();
    const antiCsrfToken = "8f1d3c52-5b1a-4d7b-9a51-1c2f6f3f0c11";
    const { refreshToken } = old.create({ userId: "user-1", antiCsrfToken });
    const into = await target();
    await into.import(url);
    const core = await into.listen();
    for (const more of [{}, { antiCsrfToken: `${antiCsrfToken.slice(0, -1)}2` }])
      expect(await refresh(core, refreshToken, { enableAntiCsrf: true, ...more })).toMatchObject({
        status: "UNAUTHORISED",
      });
    const first = await refresh(core, refreshToken, { enableAntiCsrf: true, antiCsrfToken });
    expect(first).toMatchObject({ status: "OK", antiCsrfToken: expect.any(String) as string });
    expect(first.antiCsrfToken).not.toBe(antiCsrfToken);
  });

  it("lives as long as its session, which may end after the import; ends of sessions are ends", async () => {
    const { url, core: old } = database();
    const brief = old.create({ userId: "user-1", validity: 2 * DAY });
    old.create({ userId: "user-1", validity: -1 });
    const loggedOut = old.create({ userId: "user-2" });
    const into = await target();
    expect(await into.import(url)).toMatchObject({ imported: 2, expired: 1 });
    const core = await into.listen();
    const handle = into.report().find(({ old: before }) => before === loggedOut.handle)?.["new"] ?? "";
    expect(await core.engine.revokeSessions([handle])).toEqual([handle]);
    expect(await refresh(core, loggedOut.refreshToken)).toMatchObject({ status: "UNAUTHORISED" });
    core.clock.move(2 * DAY + 1);
    expect(await refresh(core, brief.refreshToken)).toMatchObject({ status: "UNAUTHORISED" });
    expect(await alarms(core)).toBe(0);
  });

  it("can be introspected, and its session revoked by it", async () => {
    const { url, core: old } = database();
    const { refreshToken } = old.create({ userId: "user-1" });
    const into = await target();
    await into.import(url);
    const core = await into.listen();
    expect(await core.engine.introspectToken(refreshToken, { admitsRefreshTokens: true })).toMatchObject({
      kind: "refresh_token",
    });
    await core.engine.revokeToken(refreshToken);
    expect(await refresh(core, refreshToken)).toMatchObject({ status: "UNAUTHORISED" });
  });

  it("is taken by a core that ran when its session was imported", async () => {
    const { url, core: old } = database();
    const { refreshToken } = old.create({ userId: "user-1" });
    const into = await target();
    const core = await into.listen();
    expect(await refresh(core, refreshToken)).toMatchObject({ status: "UNAUTHORISED" });
    await into.import(url);
    expect(await refresh(core, refreshToken)).toMatchObject({ status: "OK" });
  });
});

describe("an import", () => {
  test.each<Schema>(["core-4", "core-5", "core-6", "core-12.1"])("reads the tables of %s", async (schema) => {
    const { url, core: old } = database({ schema });
    const one = old.create({ userId: "user-1", staticKey: true });
    const into = await target();
    expect(await into.import(url)).toMatchObject({ imported: 1 });
    const core = await into.listen();
    expect(await refresh(core, one.refreshToken)).toMatchObject({ status: "OK" });
    const [row] = (await core.engine.storage.listSessions({}, { limit: 9 })).items;
    expect(row?.keyKind).toBe("dynamic");
  });

  it("reads the tables of MySQL and MariaDB too", async () => {
    mariaDb.sql("CREATE DATABASE old_core CHARACTER SET utf8mb4");
    const sql = (text: string): string => mariaDb.sql(`SET NAMES utf8mb4; USE old_core; ${text}`);
    const old = createSuperTokensCore(sql, { now: Date.now });
    const sessions = Array.from({ length: 3 }, (_, index) =>
      old.create({ userId: `user-${index}-é`, data: '{"é":"\u{1F512}"}', staticKey: true, tenantId: `t${index % 2}` }),
    );
    const into = await target();
    const url = Object.assign(new URL(mariaDb.url), { pathname: "/old_core" }).href;
    expect(await into.import(url)).toMatchObject({ sessions: 3, imported: 3 });
    const core = await into.listen();
    for (const [index, { refreshToken }] of sessions.entries())
      expect(await refresh(core, refreshToken)).toMatchObject({
        status: "OK",
        session: { userId: `user-${index}-é`, tenantId: `t${index % 2}` },
      });
  });

  it("refuses what cannot go on, and says why", async () => {
    const { url, sql, core: old } = database();
    sql(`CREATE TABLE userid_mapping (app_id VARCHAR(64), supertokens_user_id CHAR(36), external_user_id VARCHAR(128));
      INSERT INTO userid_mapping VALUES ('public', 'mapped', 'outside');
      CREATE TABLE app_id_to_user_id (app_id VARCHAR(64), user_id CHAR(36), primary_or_recipe_user_id CHAR(36));
      INSERT INTO app_id_to_user_id VALUES ('public', 'linked', 'first'), ('public', 'first', 'first')`);
    const refused = {
      "it belongs to an application other than public": [old.create({ userId: "u", appId: "other" })],
      "its user has a second id by user id mapping": ["mapped", "outside"].map((userId) => old.create({ userId })),
      "its user is linked to another one by account linking": [old.create({ userId: "linked" })],
      "jwt_user_payload is no JSON object": [old.create({ userId: "u", payload: "[1]" })],
      "session_data is no JSON object": [old.create({ userId: "u", data: "{" })],
      "tenantId must be 1 to 64 of the characters a-z, 0-9 and -": [old.create({ userId: "u", tenantId: "A.b" })],
      "payload has 32779 bytes of JSON; at most 32768 are kept": [
        old.create({ userId: "u", payload: JSON.stringify({ long: "x".repeat(32 * 1024) }) }),
      ],
    };
    const good = ["first", "alone"].map((userId) => old.create({ userId }));
    const into = await target();
    const dry = await into.import(url, "--dry-run");
    const counts = Object.fromEntries(Object.entries(refused).map(([reason, { length }]) => [reason, length]));
    expect(dry).toMatchObject({ sessions: 10, imported: 2, refused: counts, dryRun: true });
    expect(() => statSync(join(into.folder, "pawl.db"))).toThrow(/ENOENT/);
    expect(await into.import(url)).toEqual({ ...dry, dryRun: false });
    for (const [reason, sessions] of Object.entries(refused))
      for (const { handle } of sessions)
        expect(into.report()).toContainEqual({ old: handle, outcome: "refused", reason });
    const core = await into.listen();
    for (const { refreshToken } of good) expect(await refresh(core, refreshToken)).toMatchObject({ status: "OK" });
    const { stdout } = await into.run("--database", url);
    expect(stdout).toContain("Were there already, and stay as they are: 2\nRefused, because ");
  });

  it("are found with their users by the keys of the core's tables, which are searched for no page", async () => {
    const { url, sql, core: old } = database();
    sql(`CREATE TABLE userid_mapping (app_id VARCHAR(64), supertokens_user_id CHAR(36), external_user_id VARCHAR(128),
        PRIMARY KEY (app_id, supertokens_user_id), UNIQUE (app_id, external_user_id));
      CREATE TABLE app_id_to_user_id (app_id VARCHAR(64), user_id CHAR(36), primary_or_recipe_user_id CHAR(36),
        PRIMARY KEY (app_id, user_id));
      INSERT INTO userid_mapping SELECT 'public', 'user-' || i, 'outside-' || i FROM generate_series(1, 5000) i;
      INSERT INTO app_id_to_user_id SELECT 'public', 'user-' || i, 'user-' || i FROM generate_series(1, 5000) i;
      ANALYZE`);
    old.create({ userId: "user-0" });
    const scans = (kind: "seq_scan" | "idx_scan"): string =>
      sql(`SELECT string_agg(relname || ' ' || ${kind}, ', ' ORDER BY relname) FROM pg_stat_user_tables
        WHERE relname IN ('userid_mapping', 'app_id_to_user_id')`);
    const before = scans("seq_scan");
    const into = await target();
    expect(await into.import(url)).toMatchObject({ sessions: 1, imported: 1 });
    await expect.poll(() => scans("idx_scan")).toBe("app_id_to_user_id 1, userid_mapping 2");
    expect(scans("seq_scan")).toBe(before);
  });

  it("that is run again changes nothing, and tells of sessions that the old core has refreshed since", async () => {
    const { url, core: old } = database();
    const one = old.create({ userId: "user-1" });
    const two = old.create({ userId: "user-2" });
    const into = await target();
    await into.import(url);
    const report = into.report();
    const core = await into.listen();
    const first = await refresh(core, one.refreshToken);
    old.use(old.refresh(two.refreshToken));
    expect(await into.import(url)).toMatchObject({ imported: 0, present: 2, changed: 1 });
    expect(into.report().map(({ outcome: _outcome, ...names }) => names)).toEqual(
      report.map(({ outcome: _outcome, ...names }) => names),
    );
    core.clock.move(5 * MINUTE);
    expect(await refresh(core, first.refreshToken.token as string)).toMatchObject({ status: "OK" });
  });

  it("that is killed half-way is finished by the next one", async () => {
    const { url, sql, core: old } = database();
    const kept = Array.from({ length: 5 }, (_, index) => old.create({ userId: `kept-${index}` }));
    sql(`INSERT INTO session_info SELECT 'public', 'public', gen_random_uuid()::text, 'user-' || i, md5(i::text) || md5(i::text),
      '{"text":"' || repeat('x', 500) || '"}', expires_at, created_at_time, '{}', false
      FROM session_info, generate_series(1, 6000) i WHERE user_id = 'kept-0'`);
    const into = await target();
    const { child, ended } = spawnPawl(["import", "supertokens", "--database", url, "--json"], {
      cwd: into.folder,
      env: into.env,
    });
    const watched = await openStorage(into.storage);
    const count = async (): Promise<number> =>
      (await watched.listSessionReferences({}, { limit: 10_000 })).items.length;
    for (let seen = 0; seen === 0;) seen = await count().catch(() => 0); // until its tables are there and hold some
    child.kill("SIGKILL");
    expect((await ended).code).toBeNull();
    const half = await count();
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThan(6005);
    expect(await into.import(url)).toMatchObject({
      sessions: 6005,
      imported: 6005 - half,
      present: half,
      changed: 0,
    });
    expect(await count()).toBe(6005);
    expect(new Set(into.report().map(({ new: handle }) => handle)).size).toBe(6005);
    await watched.close();
    const core = await into.listen();
    for (const { refreshToken } of kept) expect(await refresh(core, refreshToken)).toMatchObject({ status: "OK" });
  }, 60_000);

  it("goes on in the storage that its sessions are exported to", async () => {
    const { url, core: old } = database();
    const { refreshToken } = old.create({ userId: "user-1" });
    const [from, to] = [await target(), await target()];
    await from.import(url);
    const file = join(from.folder, "sessions.ndjson");
    const sessions = (...args: string[]) => runIn(from.folder)(["sessions", ...args], { env: from.env });
    expect(await sessions("export", file)).toMatchObject({ code: 0 });
    expect(await sessions("import", file, "--storage", to.storage)).toMatchObject({ code: 0 });
    expect(await refresh(await to.listen(), refreshToken)).toMatchObject({ status: "OK" });
    const own = await target();
    await own.import(url);
    expect(await sessions("import", file, "--storage", own.storage)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("it has imported that core itself") as string,
    });
  });

  it("reads tables with a prefix, in another schema", async () => {
    const { url, sql } = database({ prefix: "st_" });
    sql("CREATE SCHEMA auth; ALTER TABLE st_session_info SET SCHEMA auth; ALTER TABLE st_key_value SET SCHEMA auth");
    const into = await target();
    expect(await into.import(`${url}?schema=auth`, "--table-prefix", "st")).toMatchObject({ sessions: 0 });
  });

  it("says what is wrong", async () => {
    const into = await target();
    const failure = async (...args: string[]) => {
      const { code, stderr } = await into.run(...args);
      return `${code} ${stderr}`;
    };
    const { url, sql } = database({ withKey: false });
    expect(await failure("--database", url)).toMatch(/^1 pawl: the table key_value has no refresh_token_key, /);
    sql("ALTER TABLE session_info DROP COLUMN jwt_user_payload");
    expect(await failure("--database", url)).toBe(
      "1 pawl: the table session_info is none of a SuperTokens core: it lacks jwt_user_payload\n",
    );
    expect(await failure("--database", `${url}?schema=nowhere`)).toMatch(
      /^1 pawl: the database has no table session_info here: /,
    );
    expect(await failure("--database", "sqlite:./old.db")).toMatch(/^2 pawl: --database must be /);
    expect(await failure("--database", "postgres://pawl@127.0.0.1:1/x")).toMatch(/^1 pawl: the server cannot be /);
    expect(await failure()).toMatch(/^2 error: required option '--database <url>' not specified/);
    expect(await failure("--database", database().url, "--report", "no/where")).toMatch(
      /^1 pawl: cannot write \S+: ENOENT/,
    );
    expect(
      await runIn(into.folder)(["import", "supertokens", "--database", database().url], {
        env: { PAWL_STORAGE: "memory:" },
      }),
    ).toMatchObject({ code: 1, stderr: "pawl: storage in the memory of a process keeps no sessions\n" });
  });
});
