import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { textOf } from "../guide-page.js";
import { type Command, serving, visitFirstProgram } from "../guide-program.js";

/** Runs a program of an application. @returns the lines that it said; what it warned of comes first. */
export const run = (folder: string, [runtime, ...flags]: Command, ...given: readonly string[]): readonly string[] => {
  const { stdout, stderr } = spawnSync(runtime, [...flags, ...given], { cwd: folder, encoding: "utf8" });
  return (stderr + stdout).trim().split("\n");
};

/** Tests the programs of an application in which `app.ts`, `supertokens.ts` and `required.cts` have been compiled. */
export const testPrograms = (folder: string, command: Command): void => {
  test.each(["memory:", "sqlite:./app.db"])("logs in, verifies, refreshes and signs out in %s", (storage) => {
    const statuses = ["/me 401", "/login 200", "/me 200", "/session/refresh 200", "/me 200", "/signout 200", "/me 401"];
    expect(run(folder, command, "app.js", storage)).toEqual(statuses);
    expect(run(folder, command, "supertokens.js", storage)).toEqual(["alice", "alice", "true", "true"]);
  });

  test("is loaded by require", () => {
    expect(run(folder, command, "required.cjs")).toEqual(["function function"]);
  });

  test("runs the program of the README", () => {
    const file = join(folder, "app.mjs");
    writeFileSync(file, textOf("../../README.md", "js app.mjs"));
    return serving(file, visitFirstProgram, { command });
  });
};
