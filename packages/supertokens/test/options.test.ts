import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPawl, type Pawl, type PawlOptions } from "../src/index.js";
import { optionTables } from "../src/options.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-node-"));
});
afterEach(() => rm(folder, { recursive: true }));

const GENERAL = { errType: 1000 };
const refused = (options: object): unknown => {
  try {
    createPawl(options as PawlOptions);
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("createPawl refuses at once", () => {
  test.each([
    [{}, /storage.*or a core/],
    [undefined as never, /storage.*or a core/],
    [{ storage: "memory:", core: ["http://a"] }, /storage.*or a core/],
    [{ core: [] }, /Please provide at least one Pawl core's address/],
    [{ core: "http://a" }, /Please provide at least one/],
    [{ core: ["ftp://a"] }, /http\(s\) URL/],
    [{ core: ["nonsense"] }, /http\(s\) URL/],
    [{ core: [{ hostname: "", port: 1 }] }, /hostname, port/],
    [{ core: [{ hostname: "a", port: "x" }] }, /hostname, port/],
    [{ core: [{ hostname: "a", port: 70000 }] }, /hostname, port/],
    [{ core: [null] }, /hostname, port/],
    [{ storage: "memory:", accessTokenValidity: "soon" }, /^accessTokenValidity must be/],
    [{ storage: "memory:", reuseWindow: "6m" }, /reuseWindow/],
    [{ storage: "memory:", refreshTokenValidity: "1m" }, /refreshTokenValidity/],
    [{ storage: "memory:", theftAction: "shout" }, /theftAction/],
    [{ storage: "memory:", signingAlgorithm: "HS256" }, /signingAlgorithm/],
    [{ storage: "memory:", maxSessionsPerUser: 0 }, /maxSessionsPerUser/],
    [{ storage: "memory:", cookies: { domain: "a;b" } }, /^cookies.domain/],
    [{ core: ["http://a"], whenFeedIsCut: "panic" }, /whenFeedIsCut/],
    [{ core: ["http://a"], tryTimeout: 0 }, /^tryTimeout/],
    [{ core: ["http://a"], feedCutAfter: "soon" }, /^feedCutAfter/],
    [{ core: ["http://a"], reuseWindow: "30s" }, /^reuseWindow cannot be given here: the core's config.yaml says it/],
    [{ storage: "memory:", apiKey: "k" }, /^apiKey cannot be given here: it is for a core/],
    [{ storage: "memory:", accesTokenValidity: "1h" }, /^accesTokenValidity cannot be given here: there is no such/],
    [{ storage: "memory:", cookies: { secur: true } }, /^cookies.secur cannot be given here/],
    [{ storage: "memory:", cookies: { olderDomain: "a;b" } }, /^cookies.olderDomain/],
    [{ storage: "memory:", cookies: { sameSite: "None" } }, /^cookies.sameSite/],
    [{ storage: "memory:", cookies: { secure: "false" } }, /^cookies.secure must be true or false$/],
    [{ storage: "memory:", cookies: 5 }, /^cookies must be an object$/],
    [{ storage: "memory:", enableAntiCsrf: "false" }, /^enableAntiCsrf must be true or false$/],
    [{ storage: "memory:", checkDatabase: 0 }, /^checkDatabase must be true or false$/],
    [{ storage: "memory:", masterKey: 5 }, /^masterKey must be a text$/],
    [{ storage: "memory:", onTokenTheft: "x" }, /^onTokenTheft must be a function$/],
    [{ storage: "memory:", clock: {} }, /^clock must be an object with a method now\(\)$/],
    [{ core: ["http://a"], apiKey: 5 }, /^apiKey must be a text$/],
    [{ core: ["http://a"], apiKey: "" }, /^apiKey must be visible ASCII/],
    [{ core: ["http://a"], apiKey: "kkkkkkkkkkkkkkkkkkkkkk\n" }, /^apiKey must be visible ASCII/],
    [{ core: ["https://user:secret@a"] }, /without user name and password/],
    [{ core: [{ hostname: "user:secret@a", port: 1 }] }, /without user name and password/],
    [{ core: ["user:secret@a:1"] }, /without user name and password/],
    [{ core: ['http://user:sec"ret@a:99999'] }, /without user name and password/],
  ])("%j", (options, message) => {
    const error = refused(options);
    expect(error).toMatchObject(GENERAL);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).stack).not.toMatch(/secret|ret@|kkkkk/);
  });

  test.each(["; Domain=evil", "\r\nSet-Cookie: x=y", "\n", "\0", "\x7f"])(
    "cookie attributes with %j (CVE-2024-47764, GHSA-5pq2-9x2x-5p6w)",
    (evil) => {
      for (const name of ["accessTokenPath", "refreshTokenPath"])
        expect(refused({ storage: "memory:", cookies: { [name]: `/a${evil}` } })).toMatchObject(GENERAL);
      expect(refused({ storage: "memory:", cookies: { domain: `a${evil}` } })).toMatchObject(GENERAL);
    },
  );

  test("what is undefined counts as not given", async () => {
    const nothing = (table: object): object => Object.fromEntries(Object.keys(table).map((name) => [name, undefined]));
    const { embedded, core, cookies } = optionTables;
    expect(Object.keys(nothing(cookies)).length).toBeGreaterThan(6);
    const left = createPawl({ storage: "memory:" });
    const options = { ...nothing(core), ...nothing(embedded), storage: "memory:", cookies: nothing(cookies) };
    const given = createPawl(options);
    expect(await loginOf(given)).toEqual(await loginOf(left));
    await Promise.all([left.close(), given.close()]);
  });

  test("a path without its slash", () => {
    expect(refused({ storage: "memory:", cookies: { refreshTokenPath: "refresh" } })).toMatchObject(GENERAL);
  });
});

/** What an instance sets at login, without the tokens. */
const loginOf = async (pawl: Pawl) => {
  const headers = new Map<string, string | readonly string[]>();
  await pawl.createNewSession(
    { getHeader: (name) => headers.get(name), setHeader: (name, value) => headers.set(name, value) },
    "u1",
  );
  return [headers.get("Set-Cookie") ?? []]
    .flat()
    .map((line) => line.replace(/=[^;]+/, "").replace(/ Expires=[^;]+;/, ""));
};

describe("cookies in process", () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): unknown => warnings.push(warning);
  beforeEach(() => {
    warnings.length = 0;
    process.on("warning", onWarning);
  });
  afterEach(() => void process.off("warning", onWarning));
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test("are for the host alone, Secure and SameSite=None, unless something else is said", async () => {
    const pawl = createPawl({ storage: "memory:" });
    expect(await loginOf(pawl)).toEqual([
      "sAccessToken; Path=/; HttpOnly; Secure; SameSite=None",
      "sRefreshToken; Path=/session/refresh; HttpOnly; Secure; SameSite=None",
      "sIdRefreshToken; Path=/; HttpOnly; Secure; SameSite=None",
    ]);
    await pawl.close();
    await settle();
    expect(warnings).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("a master key file that everybody can read is a warning", async () => {
    const masterKeyFile = join(folder, "keys");
    await writeFile(masterKeyFile, Buffer.alloc(32, 3).toString("base64"), { mode: 0o604 });
    const pawl = createPawl({ storage: "memory:", masterKeyFile });
    await pawl.ready();
    await pawl.close();
    await settle();
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining("(mode 0604)")]);
  });

  test("follow the options", async () => {
    const cookies = {
      domain: ".example.com",
      sameSite: "strict",
      accessTokenPath: "/api",
      refreshTokenPath: "/api/r",
    } as const;
    const pawl = createPawl({ storage: "memory:", cookies });
    expect(await loginOf(pawl)).toEqual([
      "sAccessToken; Domain=.example.com; Path=/api; HttpOnly; Secure; SameSite=Strict",
      "sRefreshToken; Domain=.example.com; Path=/api/r; HttpOnly; Secure; SameSite=Strict",
      "sIdRefreshToken; Domain=.example.com; Path=/api; HttpOnly; Secure; SameSite=Strict",
    ]);
    await pawl.close();
  });

  test("SameSite=None without Secure becomes Lax, with one warning", async () => {
    const pawl = createPawl({ storage: "memory:", cookies: { secure: false } });
    for (let round = 0; round < 3; round++)
      for (const line of await loginOf(pawl)) expect(line).toMatch(/HttpOnly; SameSite=Lax$/);
    await pawl.close();
    await settle();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ name: "PawlWarning", code: "PAWL_SAMESITE_NONE_WITHOUT_SECURE" });
  });
});

describe("storage in process", () => {
  test("an SQLite file and its key file; sessions outlive the instance", async () => {
    const storage = `sqlite:${join(folder, "sessions.db")}`;
    const first = createPawl({ storage });
    await loginOf(first);
    await first.close();
    expect((await stat(join(folder, "sessions.db.key"))).mode & 0o777).toBe(0o600);
    const second = createPawl({ storage });
    expect(await second.getAllSessionHandlesForUser("u1")).toHaveLength(1);
    await second.close();
  });

  test.each([
    ["is a folder", () => `sqlite:${folder}`],
    ["is no database", () => `sqlite:${join(folder, "text.db")}`],
    ["lies in a folder that does not exist", () => `sqlite:${join(folder, "none", "a.db")}`],
    ["has an unknown scheme", () => "nosuch:thing"],
    ["is a server that does not answer", () => "postgres://127.0.0.1:1/x"],
  ])("a store that %s: GENERAL_ERROR, and the process lives", async (_, storage) => {
    await writeFile(
      join(folder, "text.db"),
      "this is no database, although it is long enough to hold a header of one ".repeat(20),
    );
    const pawl = createPawl({ storage: storage() });
    await expect(pawl.ready()).rejects.toMatchObject(GENERAL);
    await expect(pawl.getAllSessionHandlesForUser("u1")).rejects.toMatchObject(GENERAL);
    await pawl.close();
  });

  test("what failed to open is tried again at the next call", async () => {
    const path = join(folder, "later.db");
    const pawl = createPawl({ storage: `sqlite:${path}`, masterKeyFile: `${path}.secret` });
    await expect(pawl.ready()).rejects.toMatchObject({ message: expect.stringContaining("does not exist") as string });
    await writeFile(`${path}.secret`, `${Buffer.alloc(32, 1).toString("base64")}\n`);
    expect(await pawl.getAllSessionHandlesForUser("u1")).toEqual([]);
    await pawl.close();
  });

  test("PAWL_MASTER_KEY set to nothing counts as not set", async () => {
    process.env["PAWL_MASTER_KEY"] = "";
    try {
      const pawl = createPawl({ storage: `sqlite:${join(folder, "sessions.db")}` });
      await pawl.ready();
      await pawl.close();
      expect((await stat(join(folder, "sessions.db.key"))).isFile()).toBe(true);
    } finally {
      delete process.env["PAWL_MASTER_KEY"];
    }
  });

  test("PAWL_MASTER_KEY serves where no key is given", async () => {
    process.env["PAWL_MASTER_KEY"] = "not a key";
    try {
      const pawl = createPawl({ storage: "memory:" });
      await expect(pawl.ready()).rejects.toMatchObject({ message: expect.stringContaining("master key") as string });
      await pawl.close();
    } finally {
      delete process.env["PAWL_MASTER_KEY"];
    }
  });
});

test("a storage URL that cannot be right is a warning at once, and the failure of each call", async () => {
  const warned = once(process, "warning");
  const pawl = createPawl({ storage: "sqlite:./pawl.db?colour=blue" });
  const [warning] = (await warned) as [Error];
  expect(warning.message).toContain('unknown SQLite option "colour"');
  await expect(pawl.ready()).rejects.toMatchObject({ code: "GENERAL_ERROR", message: warning.message });
  await pawl.close();
});
