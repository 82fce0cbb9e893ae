import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../../src/cli/run-command.js";
import { sampleCore } from "../sample-core.js";

const { core, create, folder, handlesOf, json, run, runHere } = sampleCore();

const lines = (name: string): string[] => readFileSync(join(folder, name), "utf8").trimEnd().split("\n");

describe("sessions export and import", () => {
  test("move sessions to another storage while the core runs; both may be run again", async () => {
    for (let index = 0; index < 30; index++) await create({ userId: `mover-${index}`, data: { index } });
    const all = (await handlesOf("--limit", "1000")).length;
    const done = await run(["sessions", "export", "out.ndjson"]);
    expect(done).toEqual({
      code: 0,
      stdout: `Wrote ${all} sessions to ${join(folder, "out.ndjson")}; with the master key they can be taken over, so keep it safe\n`,
      stderr: "",
    });
    expect(statSync(join(folder, "out.ndjson")).mode & 0o777).toBe(0o600);
    expect(await runHere(["sessions", "export", "out.ndjson"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^pawl: cannot write \S+: it is there already; --resume goes on with it\n$/,
      ) as string,
    });
    truncateSync(join(folder, "out.ndjson"), 3000);
    expect(await json("sessions", "export", "out.ndjson", "--resume")).toMatchObject({
      sessions: all,
      wasComplete: false,
    });
    expect(await json("sessions", "export", "out.ndjson", "--resume")).toMatchObject({ wasComplete: true });

    const target = ["--storage", "sqlite:./moved.db"];
    expect(await runHere(["sessions", "export", "--user", "mover-1", ...target])).toMatchObject({
      code: 1,
      stderr: `pawl: there is no database ${join(folder, "moved.db")}\n`,
    });
    expect(await json("sessions", "import", "out.ndjson", "--dry-run", ...target)).toMatchObject({ sessions: all });
    expect(await runHere(["sessions", "import", "out.ndjson", ...target])).toEqual({
      code: 0,
      stdout: `Imported ${all} of ${all} sessions into sqlite:${join(folder, "moved.db")}\n`,
      stderr: "",
    });
    expect(await json("sessions", "import", "out.ndjson", ...target)).toEqual({
      file: join(folder, "out.ndjson"),
      sessions: all,
      inserted: 0,
      present: all,
      expired: 0,
      dryRun: false,
    });
    await runHere(["sessions", "export", "again.ndjson", ...target]);
    const sessionsOf = (name: string): string[] =>
      lines(name)
        .filter((line) => line.includes('"secretHash"'))
        .toSorted();
    expect(sessionsOf("again.ndjson")).toEqual(sessionsOf("out.ndjson"));

    writeFileSync(join(folder, "cut.ndjson"), lines("out.ndjson").slice(0, 5).join("\n"));
    expect(await runHere(["sessions", "import", "cut.ndjson", "--storage", "sqlite:./never.db"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^pawl: \S+ is not whole: its last line is missing\n$/) as string,
    });
    expect(() => statSync(join(folder, "never.db"))).toThrow(/ENOENT/);
  });

  test("show a bar to a person, on standard error, and nothing to anybody else", async () => {
    const importing = async (isTTY: boolean, ...more: readonly string[]): Promise<string> => {
      const stderr = Object.assign(new PassThrough(), { isTTY });
      const told = text(stderr);
      const terminal = { cwd: folder, env: {}, stdin: Readable.from([]), stdout: new PassThrough().resume(), stderr };
      expect(await runCommand(["sessions", "import", "out.ndjson", "--dry-run", ...more], terminal)).toBe(0);
      stderr.end();
      return told;
    };
    expect(await importing(true)).toMatch(/\r\u001b\[K\[-+\] \d+ % checking.*\r\u001b\[K$/s);
    expect(await importing(false)).toBe("");
    expect(await importing(true, "--json")).toBe("");
  });

  test.each([
    [["export"], "say which file to write, or --user <id> for the data of one user"],
    [["export", "--user", "u", "--resume"], "--resume is for the export of sessions, not for that of a user"],
    [
      ["export", "x", "--storage", "nowhere"],
      "--storage must be a URL such as sqlite:./pawl.db or postgres://host/database",
    ],
  ])("%j is wrong usage", async (args, message) => {
    expect(await runHere(["sessions", ...args])).toEqual({ code: 2, stdout: "", stderr: `pawl: ${message}\n` });
  });
});

describe("a data-protection request", () => {
  test("export tells everything that is stored about a user, erase leaves nothing of it", async () => {
    const user = "person@example.org";
    const live = await create({
      userId: user,
      device: "Firefox",
      address: "192.0.2.9",
      payload: { a: 1 },
      data: { b: [2] },
    });
    const dead = await create({ userId: user, device: "old phone" });
    await create({ userId: user, tenantId: "acme" });
    await runHere(["sessions", "revoke", dead]);
    const read = async (...more: readonly string[]) =>
      JSON.parse((await run(["sessions", "export", "--user", user, ...more])).stdout) as {
        readonly sessions: readonly { readonly handle: string }[];
        readonly events: readonly object[];
      };
    const told = await read();
    expect(told).toMatchObject({ user, tenant: "public" });
    expect(told.sessions.map(({ handle }) => handle).toSorted()).toEqual([live, dead].toSorted());
    expect(told.sessions).toContainEqual({
      handle: live,
      device: "Firefox",
      address: "192.0.2.9",
      createdAt: expect.stringMatching(/^20.*Z$/) as string,
      lastActiveAt: expect.any(String) as string,
      expiresAt: expect.any(String) as string,
      payload: { a: 1 },
      data: { b: [2] },
    });
    expect(told.sessions).toContainEqual(
      expect.objectContaining({ handle: dead, device: "old phone", endReason: "revoked_by_admin" }),
    );
    expect(told.events).toMatchObject([{ type: "session_ended", handle: dead, reason: "revoked_by_admin", count: 1 }]);
    expect(await run(["sessions", "export", "--user", user, "person.json"])).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(folder, "person.json"), "utf8"))).toEqual({
      ...told,
      exportedAt: expect.any(String) as string,
    });
    expect(statSync(join(folder, "person.json")).mode & 0o777).toBe(0o600);

    const stream = await fetch(`${core.url}/v1/revocations`, { headers: { "api-key": "0123456789-cli-test-key" } });
    const question = `Erase everything that is stored about user "${user}" of tenant "public" (sessions: 2)? [y/N] `;
    expect(await run(["sessions", "erase", "--user", user], { input: "no\n" })).toMatchObject({
      code: 1,
      stderr: `${question}pawl: nothing was erased: the question was not answered with y (--yes answers it in scripts)\n`,
    });
    expect(await run(["sessions", "erase", "--user", user], { input: "y\n" })).toMatchObject({
      code: 0,
      stdout: "Erased: sessions 2 (1 of them live), events 1\n",
    });
    // The running core's verifiers hear of it.
    for await (const chunk of stream.body ?? []) if (Buffer.from(chunk).toString().includes(live)) break;

    expect(await read()).toMatchObject({ sessions: [], events: [] });
    expect((await read("--tenant", "acme")).sessions).toHaveLength(1);
    expect(await json("sessions", "explain", live)).toMatchObject({ status: "unknown" });
    const events = await fetch(`${core.url}/v1/events`, { headers: { "api-key": "0123456789-cli-test-key" } });
    const trail = await events.text();
    expect(trail).toContain('"act":"user_erased"');
    expect(trail).not.toContain(user);
    expect(await json("sessions", "erase", "--user", user, "--yes")).toEqual({ ended: 0, sessions: 0, events: 0 });
    expect(await runHere(["sessions", "erase"])).toMatchObject({ code: 2 });
  });
});
