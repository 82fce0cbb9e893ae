import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { commandReference } from "../../src/cli/command-reference.js";
import { createProgram } from "../../src/cli/program.js";
import { configTemplate, documentedTemplate } from "../../src/config/config-template.js";
import { compulsory } from "../config/config-folder.js";
import { pawlProcesses } from "./pawl-process.js";
import { runIn } from "./run-here.js";

const { folder, run } = pawlProcesses();
const runHere = runIn(folder);

const program = (): Command =>
  createProgram({
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: {},
    cwd: folder,
  });

const paths = (command: Command, before: readonly string[] = []): readonly (readonly string[])[] => [
  before,
  ...command.commands.flatMap((child) => paths(child, [...before, child.name()])),
];

const inFolder = (name: string, config?: string): string => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  if (config !== undefined) writeFileSync(join(path, "config.yaml"), config);
  return path;
};

describe("help", () => {
  test("docs/reference/cli.md is made from it (-u writes it anew)", async () => {
    await expect(commandReference(program())).toMatchFileSnapshot("../../../../docs/reference/cli.md");
  });

  test("every command has it, with examples", async () => {
    for (const path of paths(program())) {
      const { code, stdout, stderr } = await runHere([...path, "--help"]);
      expect({ code, stderr, path }).toEqual({ code: 0, stderr: "", path });
      expect(stdout).toMatch(new RegExp(`^Usage: ${["pawl", ...path].join(" ")} `));
      expect(stdout).toContain("\nExamples:\n");
    }
  });

  test("the binary answers --version and --help, and without a command tells its usage", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    expect(await run(["--help"])).toMatchObject({ code: 0, stderr: "" });
    expect(await run([])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^Usage: pawl /) as string,
    });
  });
});

describe("wrong usage", () => {
  test.each([
    [["strat"], /^error: unknown command 'strat'\n\(Did you mean start\?\)\n$/],
    [["sessions", "lst"], /^error: unknown command 'lst'\n\(Did you mean list\?\)\n$/],
    [["sessions"], /^Usage: pawl sessions /],
    [["start", "--prot", "1"], /^error: unknown option '--prot'\n\(Did you mean --port\?\)\n$/],
    [["start", "now"], /^error: too many arguments/],
    [["sessions", "show"], /^error: missing required argument 'handle'\n$/],
    [
      ["sessions", "show", ""],
      /^error: command-argument value '' is invalid for argument 'handle'\. It must not be empty\.\n$/,
    ],
    [["sessions", "list", "--limit", "0"], /It must be a whole number from 1 to 100000\.\n$/],
    [["sessions", "list", "--limit", "1e3"], /It must be a whole number from 1 to 100000\.\n$/],
    [["sessions", "list", "--user"], /^error: option '--user <id>' argument missing\n$/],
    [
      ["start", "--port", "http"],
      /^pawl: 'port' must be an integer from 0 to 65535, but it is "http" \(option --port\)\n$/,
    ],
  ])("%j is told on standard error with exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await runHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

describe("config", () => {
  test("init writes a file once, for its owner alone, and check accepts it", async () => {
    const cwd = inFolder("init");
    const path = join(cwd, "config.yaml");
    expect(await run(["config", "init"], { cwd })).toEqual({
      code: 0,
      stdout: `Wrote ${path}, which works on this machine as it is:  pawl start\n`,
      stderr: "",
    });
    expect(readFileSync(path, "utf8")).toBe(configTemplate());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, compulsory);
    expect(await runHere(["config", "init"], { cwd })).toEqual({
      code: 2,
      stdout: "",
      stderr: `pawl: there is already a file ${path}: name another one with --config, or overwrite it with --force\n`,
    });
    expect(readFileSync(path, "utf8")).toBe(compulsory);
    expect((await runHere(["config", "init", "--force"], { cwd })).code).toBe(0);
    expect(await run(["config", "check"], { cwd })).toEqual({
      code: 0,
      stdout: `The configuration is fine: ${path} (Pawl's own form)\n`,
      stderr: "",
    });
  });

  test("init --documented writes every key, and check says which form it reads", async () => {
    const cwd = inFolder("init-documented");
    const path = join(cwd, "config.yaml");
    expect(await runHere(["config", "init", "--documented"], { cwd })).toEqual({
      code: 0,
      stdout: `Wrote ${path}: set cookie_domain and refresh_api_path to those of your API, then  pawl start\n`,
      stderr: "",
    });
    expect(readFileSync(path, "utf8")).toBe(documentedTemplate());
    expect((await runHere(["config", "check"], { cwd })).stdout).toBe(
      `The configuration is fine: ${path} (the documented form, with core_config_version)\n`,
    );
    const forms = async (folder: string) => {
      const { stdout } = await runHere(["config", "check", "--json"], { cwd: folder });
      return JSON.parse(stdout) as unknown;
    };
    expect(await forms(cwd)).toEqual({ ok: true, config: path, form: "documented" });
    const own = inFolder("own", "");
    expect(await forms(own)).toEqual({ ok: true, config: join(own, "config.yaml"), form: "own" });
    expect(await forms(inFolder("no-file"))).toEqual({ ok: true, config: null, form: null });
    expect((await runHere(["config", "init", "--documented", "--stdout"])).stdout).toBe(documentedTemplate());
  });

  test("a documented file without a compulsory key is told what to add", async () => {
    const cwd = inFolder("not-set", "core_config_version: 0\nrefresh_api_path: /session/refresh\n");
    expect(await runHere(["config", "check"], { cwd })).toEqual({
      code: 2,
      stdout: "",
      stderr: `pawl: 'cookie_domain' is not set in the config.yaml file: give the host name of your API, such as api.example.com. Config file: ${join(cwd, "config.yaml")}\n`,
    });
  });

  test("init makes the folder it is told, prints with --stdout, and says when it cannot write", async () => {
    const cwd = inFolder("init-elsewhere");
    expect((await runHere(["config", "init", "--config", "etc/pawl/c.yaml"], { cwd })).code).toBe(0);
    expect(existsSync(join(cwd, "etc/pawl/c.yaml"))).toBe(true);
    expect(await runHere(["config", "init", "--stdout"], { cwd })).toEqual({
      code: 0,
      stdout: configTemplate(),
      stderr: "",
    });
    expect(existsSync(join(cwd, "config.yaml"))).toBe(false);
    expect(await runHere(["config", "init", "--config", "etc/pawl/c.yaml/x"], { cwd })).toMatchObject({
      code: 1,
      stderr: `pawl: cannot write ${join(cwd, "etc/pawl/c.yaml/x")} (EEXIST)\n`,
    });
  });

  test("check tells what the start would tell", async () => {
    const cwd = inFolder("check", `${compulsory}access_token_validity: 0\n`);
    const message = `'access_token_validity' must be between 1 and 86400000 seconds inclusive, but it is 0 seconds. Config file: ${join(cwd, "config.yaml")}`;
    for (const command of [["config", "check"], ["start"]])
      expect(await runHere(command, { cwd })).toEqual({ code: 2, stdout: "", stderr: `pawl: ${message}\n` });
    const asJson = await runHere(["config", "check", "--json"], { cwd });
    expect(asJson).toMatchObject({ code: 2, stdout: "" });
    expect(JSON.parse(asJson.stderr)).toEqual({ error: { code: "invalid_value", message } });
    expect(await runHere(["config", "check"])).toEqual({
      code: 0,
      stdout: "No config.yaml here: development defaults, which are fine\n",
      stderr: "",
    });
    expect(await runHere(["config", "check", "--config", "none"])).toMatchObject({ code: 2 });
  });

  test("show tells every value and its source, and no secret", async () => {
    const cwd = inFolder(
      "show",
      `${compulsory}storage: postgres://user:CANARY@db.example/pawl\napi_keys: CANARY-0123456789-abc\n`,
    );
    const env = {
      PAWL_PORT: "4000",
      PAWL_MASTER_KEY: Buffer.from("CANARYCANARYCANARYCANARYCANARYCA").toString("base64"),
    };
    const people = await run(["config", "show"], { cwd, env });
    expect(people.code).toBe(0);
    expect(people.stdout).toMatch(/^port +environment +4000$/m);
    expect(people.stdout).toMatch(/^storage +file +postgres:\/\/\*\*\*@db\.example\/pawl$/m);
    expect(people.stdout).toMatch(/^api_keys +file +\(secret\)$/m);
    expect(people.stdout).toMatch(/^host +default +localhost$/m);
    expect(people.stdout).toMatch(/^session_idle_timeout +not set$/m);
    const programs = await runHere(["config", "show", "--json"], { cwd, env });
    expect((JSON.parse(programs.stdout) as { settings: unknown[] }).settings).toContainEqual({
      key: "master_key",
      value: "(secret)",
      source: "environment",
    });
    for (const { stdout } of [people, programs]) {
      expect(stdout).not.toContain("CANARY");
      expect(stdout).not.toContain(env.PAWL_MASTER_KEY);
    }
  });
});

describe("migrate", () => {
  test("makes the schema without a core, again and again", async () => {
    const cwd = inFolder("migrate", compulsory);
    const stdout = `The schema of sqlite:${join(cwd, "pawl.db")} is that of this release\n`;
    expect(await run(["migrate"], { cwd })).toEqual({ code: 0, stdout, stderr: "" });
    expect(existsSync(join(cwd, "pawl.db"))).toBe(true);
    expect(await run(["migrate", "--json"], { cwd })).toMatchObject({ code: 0 });
  });

  test("a file that is no database, a folder that is not there: one line and 1", async () => {
    const cwd = inFolder("broken");
    writeFileSync(join(cwd, "text.db"), "This is no database. ".repeat(1000));
    for (const storage of ["sqlite:./text.db", "sqlite:./none/pawl.db", "sqlite:."]) {
      const { code, stdout, stderr } = await run(["migrate"], { cwd, env: { PAWL_STORAGE: storage } });
      expect({ code, stdout }, storage).toEqual({ code: 1, stdout: "" });
      expect(stderr, storage).toMatch(/^pawl: [^\n]+\n$/);
    }
  });
});
