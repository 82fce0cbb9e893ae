import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  millis,
  NEVER,
  openStorage,
  type SessionId,
  type SessionRecord,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../../src/cli/run-command.js";
import { sampleCore } from "../sample-core.js";

const { create, folder, handlesOf, json, run, runHere } = sampleCore();

/** Puts sessions of a tenant into the database of the core. */
const fill = async (tenantId: string, count: number): Promise<void> => {
  const storage = await openStorage(`sqlite:${join(folder, "sessions.db")}`);
  const now = storage.now();
  const records = Array.from({ length: count }, (_, index): SessionRecord => ({
    id: crypto.randomUUID() as SessionId,
    tenantId: tenantId as TenantId,
    userId: `user-${index}` as UserId,
    secretHash: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    current: 0,
    next: 0,
    issuedAt: millis(0),
    keyKind: "dynamic",
    payload: "{}",
    data: "{}",
    facts: "{}",
    factsVersion: 0,
    payloadVersion: 0,
    bound: "",
    createdAt: now,
    lastActiveAt: now,
    expiresAt: millis(now + 1_000_000),
    idleExpiresAt: NEVER,
  }));
  await storage.importSessions(records);
  await storage.close();
};

describe("revoke", () => {
  test("by handles: without a question, and says which were not live", async () => {
    const [one, two] = [await create({ userId: "r1" }), await create({ userId: "r1" })];
    expect(await run(["sessions", "revoke", one, "nonsense", one])).toMatchObject({
      code: 0,
      stdout: "Revoked 1 session\nWas not live: nonsense\n",
      stderr: "",
    });
    expect(await handlesOf("--user", "r1")).toEqual([two]);
    expect(await json("sessions", "revoke", one, two)).toEqual({ revoked: [two] });
  });

  test("of a user: asks, and does nothing without a yes", async () => {
    const handles = [await create({ userId: "r2" }), await create({ userId: "r2" }), await create({ userId: "r2" })];
    const question = 'End all sessions of user "r2" (3)? [y/N] ';
    for (const input of ["", "yesterday\n"])
      expect(await run(["sessions", "revoke", "--user", "r2"], { input }), input).toMatchObject({
        code: 1,
        stdout: "",
        stderr: `${question}pawl: nothing was revoked: the question was not answered with y (--yes answers it in scripts)\n`,
      });
    expect((await handlesOf("--user", "r2")).toSorted()).toEqual(handles.toSorted());
    const [kept = ""] = handles;
    expect(await run(["sessions", "revoke", "--user", "r2", "--except", kept], { input: "y\n" })).toMatchObject({
      code: 0,
      stdout: "Revoked 2 sessions\n",
      stderr: 'End all sessions of user "r2" but one (2)? [y/N] ',
    });
    expect(await handlesOf("--user", "r2")).toEqual([kept]);
    expect(await json("sessions", "revoke", "--user", "r2", "--yes")).toEqual({ revoked: [kept] });
  });

  test("of a tenant: all of it and nothing else", async () => {
    const outside = await create({ userId: "r3" });
    await create({ userId: "r3", tenantId: "acme" });
    await create({ userId: "r4", tenantId: "acme" });
    expect(await run(["sessions", "revoke", "--user", "r3", "--tenant", "acme", "--yes"])).toMatchObject({
      stdout: "Revoked 1 session\n",
    });
    expect(await run(["sessions", "revoke", "--tenant", "acme"], { input: "yes\n" })).toMatchObject({
      stdout: "Revoked 1 session\n",
      stderr: 'End all sessions of tenant "acme" (1)? [y/N] ',
    });
    expect(await handlesOf("--user", "r3")).toEqual([outside]);
  });

  test("of a large tenant: in several requests, and a person sees how far it has come", async () => {
    await fill("large", 2100);
    const stderr = Object.assign(new PassThrough(), { isTTY: true });
    const [stdout, told] = [new PassThrough(), text(stderr)];
    const printed = text(stdout);
    const terminal = { cwd: folder, env: {}, stdin: Readable.from([]), stdout, stderr };
    expect(await runCommand(["sessions", "revoke", "--tenant", "large", "--yes"], terminal)).toBe(0);
    for (const stream of [stdout, stderr]) stream.end();
    expect(await printed).toBe("Revoked 2100 sessions\n");
    expect(await told).toMatch(/\r\u001b\[K1000 sessions.*\r\u001b\[K$/s);
    expect(await json("sessions", "list", "--tenant", "large")).toMatchObject({ sessions: [] });
  });

  test.each([
    [[], "say which sessions: handles, --user <id> or --tenant <id>"],
    [["h", "--user", "u"], "give handles, or --user, or --tenant, not several of them"],
    [["h", "--tenant", "t"], "give handles, or --user, or --tenant, not several of them"],
    [["h", "--except", "h"], "--except needs --user"],
    [["--tenant", "t", "--except", "h"], "--except needs --user"],
  ])("%j is wrong usage", async (args, message) => {
    expect(await runHere(["sessions", "revoke", ...args])).toEqual({
      code: 2,
      stdout: "",
      stderr: `pawl: ${message}\n`,
    });
  });
});
