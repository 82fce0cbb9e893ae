import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RouteResponse } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { compulsory } from "../../config/config-folder.js";
import { pawlProcesses } from "../pawl-process.js";
import { runIn } from "../run-here.js";

type Issued = RouteResponse<"createSession">;

const { folder, run, startCore } = pawlProcesses();

const post = async (url: string, body: object): Promise<Response> =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const create = async (url: string, userId = "alice"): Promise<Issued> =>
  (await (await post(`${url}/v1/sessions`, { userId })).json()) as Issued;
const refresh = async (url: string, { refreshToken }: Issued): Promise<number> =>
  (await post(`${url}/v1/sessions/refresh`, { refreshToken: refreshToken.token })).status;
const revoke = async (url: string, ...sessions: readonly Issued[]): Promise<void> => {
  const answer = await post(`${url}/v1/sessions/revoke`, { handles: sessions.map(({ session }) => session.handle) });
  expect(answer.status).toBe(200);
};

describe("revocations replay", () => {
  test("yesterday's backup restored: live sessions go on, revoked ones stay dead", async () => {
    const nodes = ["one", "two"].map((name) => {
      const cwd = join(folder, name);
      mkdirSync(cwd);
      const storage = `sqlite:${join(folder, "pawl.db")}`;
      const config = `${compulsory}storage: ${storage}\nrevocation_log: ./revocations.log\nlog_level: none\n`;
      writeFileSync(join(cwd, "config.yaml"), config);
      return { cwd, log: join(cwd, "revocations.log") };
    });
    const [first, second] = [nodes[0]!, nodes[1]!];
    const database = join(folder, "pawl.db");

    let core = await startCore([], first);
    const [kept, before, after, elsewhere] = [
      await create(core.url),
      await create(core.url),
      await create(core.url),
      await create(core.url),
    ];
    await revoke(core.url, before);
    await core.stop();
    copyFileSync(database, `${database}.backup`);

    core = await startCore([], first);
    const other = await startCore([], second);
    await revoke(core.url, after);
    await revoke(other.url, elsewhere, await create(other.url));
    core.child.kill("SIGKILL");
    await core.ended;
    await other.stop();
    for (const name of [database, `${database}-wal`, `${database}-shm`]) rmSync(name, { force: true });
    copyFileSync(`${database}.backup`, database);
    // A crash may have cut off a line, which then is not that of an acknowledged revocation.
    appendFileSync(first.log, '{"handle":"5d0f');

    const replay = ["revocations", "replay", first.log, second.log];
    const dry = await run([...replay, "--dry-run"], first);
    expect(dry.code).toBe(0);
    // One more than were asked for: the second node's log began with what the feed still told.
    expect(dry.stdout).toBe(
      `Read 5 revocations: 2 sessions were still alive (nothing was changed)\nNot a revocation: ${first.log}, line 3\n`,
    );
    // While a node runs already: its verifiers hear of it.
    core = await startCore([], first);
    expect(await run(replay, first)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Read \d revocations: 2 sessions were still alive and ended now\n/) as string,
    });
    const again = await runIn(second.cwd)([...replay, "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({
      ended: 0,
      alive: 0,
      bad: { lines: [{ file: first.log, line: 3 }] },
    });
    expect(await refresh(core.url, kept)).toBe(200);
    for (const dead of [before, after, elsewhere]) expect(await refresh(core.url, dead)).toBe(401);
    const explained = await runIn(first.cwd)([
      "sessions",
      "explain",
      after.session.handle,
      "--url",
      core.url,
      "--json",
    ]);
    expect(JSON.parse(explained.stdout)).toMatchObject({ status: "ended", reason: "revoked" });
  });

  test("reads large logs in steps, from a time on, and names what is no log", async () => {
    const cwd = join(folder, "large");
    mkdirSync(cwd);
    const here = runIn(cwd);
    const [log, text] = [join(cwd, "r.log"), join(cwd, "notes.txt")];
    const line = (index: number): string =>
      `{"handle":"${crypto.randomUUID()}","at":${1_700_000_000_000 + index},"reason":"logout"}\n`;
    const content = Array.from({ length: 1200 }, (_, index) => line(index)).join("");
    writeFileSync(
      log,
      `${content}\n\u0000\u0000\n${"x".repeat(70_000)}\n{"handle":"x","at":1,"reason":"logout"}\n${line(9)}`,
    );
    writeFileSync(text, "bread\nmilk\n");
    await here(["migrate"]);
    const args = ["revocations", "replay", log, "--json", "--since", "2023-11-14T22:13:21Z"];
    const { code, stdout } = await here(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      lines: 1201,
      earlier: 1001,
      ended: 0,
      bad: { count: 3, lines: [{ line: 1202 }, { line: 1203 }, { line: 1204 }] },
    });
    expect(await here(["revocations", "replay", text])).toMatchObject({
      code: 1,
      stderr: `pawl: no revocation log: ${text}\n`,
    });
    for (const [name, why] of [
      ["none.log", "ENOENT"],
      [".", "it is no file"],
    ] as const)
      expect(await here(["revocations", "replay", log, name])).toMatchObject({
        code: 1,
        stdout: "",
        stderr: `pawl: the revocation log cannot be read (${why}): ${join(cwd, name)}\n`,
      });
    expect(await here(["revocations", "replay", log, "--since", "soon"])).toMatchObject({ code: 2 });
    expect(readFileSync(log, "utf8").startsWith(content)).toBe(true);
  });
});
