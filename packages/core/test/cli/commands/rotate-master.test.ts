import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RouteResponse } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { compulsory } from "../../config/config-folder.js";
import { pawlProcesses } from "../pawl-process.js";
import { runIn } from "../run-here.js";

type Issued = RouteResponse<"createSession">;

const { folder, run, startCore } = pawlProcesses();

/** A node with a folder, a configuration and a key file of its own, on the store that all share. */
const node = (name: string, key: string, store = "shared") => {
  const cwd = join(folder, name);
  mkdirSync(cwd);
  const file = join(cwd, "master.key");
  const storage = `sqlite:${join(folder, `${store}.db`)}`;
  writeFileSync(
    join(cwd, "config.yaml"),
    `${compulsory}storage: ${storage}\nmaster_key_file: ./master.key\nlog_level: none\n`,
  );
  writeFileSync(file, key, { mode: 0o600 });
  return { cwd, file };
};
const newKey = (): string => `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}\n`;

const call = async <T>(url: string, body: object): Promise<T> => {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};
const create = (url: string): Promise<Issued> => call(`${url}/v1/sessions`, { userId: "alice" });
const refresh = ({ refreshToken }: Issued, url: string): Promise<Issued> =>
  call(`${url}/v1/sessions/refresh`, { refreshToken: refreshToken.token });
const sealedBy = ({ refreshToken }: Issued): number =>
  Buffer.from(refreshToken.token.slice("pawl_rt_1.".length), "base64url").readUInt8(0);

interface Report {
  readonly from: number;
  readonly to: number;
  readonly added: number;
  readonly resealed: readonly string[];
  readonly keys: readonly { readonly id: number; readonly state: string; readonly signingKeys: readonly string[] }[];
}
const json = async (args: readonly string[], cwd: string): Promise<Report> => {
  const { code, stdout, stderr } = await runIn(cwd)(["keys", "rotate-master", ...args, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Report;
};

/** Creates sessions until one is sealed with the key: the node has followed. */
const sealsWith = async (url: string, id: number): Promise<Issued> => {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const session = await create(url);
    if (sealedBy(session) === id) return session;
  }
  throw new Error(`${url} does not seal with ${id}`);
};

describe("keys rotate-master", () => {
  test("two nodes run on while the master key is changed as docs/operate/master-key.md says", async () => {
    const key = newKey();
    const [first, second] = [node("first", key), node("second", key)];
    const [one, two] = [await startCore([], first), await startCore([], second)];
    const nodes = [one, two] as const;
    const lives = [await create(one.url), await create(two.url)];
    const [former = -1] = lives.map(sealedBy);

    // 1. A new key for every node; a second --add makes no second one.
    const { added } = await json(["--add"], first.cwd);
    expect(await json(["--add"], first.cwd)).toMatchObject({ added: null });
    expect(readFileSync(first.file, "utf8")).toMatch(
      new RegExp(`^${key.trim().replaceAll("+", "\\+")}\n[\\w+/]{43}=\n$`),
    );
    expect(statSync(first.file).mode & 0o777).toBe(0o600);
    copyFileSync(first.file, second.file);
    for (const { child } of nodes) child.kill("SIGHUP");
    lives.push(await create(one.url), await create(two.url));

    // 2. It seals; asked for twice at once it is done once. A node that follows first is read by one that has not yet.
    const [done] = await Promise.all([json([], first.cwd), run(["keys", "rotate-master"], second)]);
    expect(done.to).toBe(added);
    one.child.kill("SIGHUP");
    const early = await sealsWith(one.url, added);
    lives.push(await refresh(early, two.url), await create(two.url));
    two.child.kill("SIGHUP");
    lives.push(await sealsWith(two.url, added));
    const again = await json([], second.cwd);
    expect(again).toMatchObject({ from: added, to: added });
    for (const { id, signingKeys } of again.keys) expect(signingKeys).toHaveLength(id === added ? 1 : 0);

    // Whatever was made before, during and after goes on, on both, and is sealed with the new key from then on.
    for (const life of lives) {
      const turned = await refresh(await refresh(life, one.url), two.url);
      expect(sealedBy(turned)).toBe(added);
      lives[lives.indexOf(life)] = turned;
    }

    // 3. The old key stays until no session can need it; taken away too early it is missed in one line.
    const status = await run(["keys", "rotate-master", "--status"], first);
    expect(status.stdout).toMatch(new RegExp(`^${former} +opening +0 +after 20\\S+Z$`, "m"));
    expect(status.stdout).toMatch(new RegExp(`^${added} +sealing +1$`, "m"));
    expect(await run(["keys", "rotate-master", "--remove", String(former)], first)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`^pawl: master key ${former} is needed until 20[^\\n]+\\n$`)) as string,
    });
    const [old = "", fresh = ""] = readFileSync(first.file, "utf8").split("\n");
    for (const [name, text, message] of [
      ["without-new", old, `master key ${added} was not given, and the store seals with it`],
      ["without-old", fresh, `master key ${former} was not given, and sessions need it until 20`],
      ["with-another", newKey(), "the store was made with another master key"],
    ] as const) {
      const { code, stderr } = await run(["start", "--port", "0"], node(name, text));
      expect({ code, lines: stderr.split("\n").length }, name).toEqual({ code: 1, lines: 2 });
      expect(stderr).toContain(message);
    }

    // 4. Gone for good, here before its time because every session has turned meanwhile.
    const removed = await run(["keys", "rotate-master", "--remove", String(former), "--end-sessions"], first);
    expect(removed.stdout).toContain(`Master key ${former} opens nothing any more: it is gone from ${first.file}`);
    expect(readFileSync(first.file, "utf8")).toBe(`${fresh}\n`);
    copyFileSync(first.file, second.file);
    expect(await one.stop()).toMatchObject({ code: 0 });
    const restarted = await startCore([], first);
    for (const life of lives) await refresh(await refresh(life, two.url), restarted.url);
  }, 90_000);

  test("with keys in the environment it says what to do by hand", async () => {
    const { cwd } = node("environment", "");
    writeFileSync(join(cwd, "config.yaml"), `${compulsory}storage: sqlite:./pawl.db\nlog_level: none\n`);
    const [one, two] = [newKey().trim(), newKey().trim()];
    const core = await startCore([], { cwd, env: { PAWL_MASTER_KEY: one } });
    const before = await create(core.url);
    await core.stop();
    const env = { PAWL_MASTER_KEY: `${one},${two}` };
    const running = await startCore([], { cwd, env });
    expect(await run(["keys", "rotate-master", "--add"], { cwd, env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^pawl: the master keys stand in PAWL_MASTER_KEY: [^\n]+\n$/) as string,
    });
    const { code, stdout } = await run(["keys", "rotate-master"], { cwd, env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Master key (\d+) seals from now on, in place of (\d+); .*signing keys sealed anew: 1\n/);
    running.child.kill("SIGHUP");
    await refresh(before, running.url);
  });

  test.each([
    [["--add", "--status"], "--status, --add, --to and --remove are steps of their own: give one of them"],
    [["--end-sessions"], "--end-sessions needs --remove"],
  ])("%j is wrong usage", async (args, message) => {
    expect(await runIn(folder)(["keys", "rotate-master", ...args])).toEqual({
      code: 2,
      stdout: "",
      stderr: `pawl: ${message}\n`,
    });
  });

  test("storage in memory has no master key to turn", async () => {
    const { code, stderr } = await runIn(folder)(["keys", "rotate-master"], { env: { PAWL_STORAGE: "memory:" } });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "pawl: storage in the memory of a process has no lasting master key\n",
    });
  });
});
