import { describe, expect, test } from "vitest";
import { sampleCore } from "../sample-core.js";

const { create, handlesOf, json, run, runHere } = sampleCore();

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
