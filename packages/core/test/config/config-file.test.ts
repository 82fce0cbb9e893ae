import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfigFile } from "../../src/config/config-file.js";
import { readConfig } from "../../src/config/read-config.js";
import { compulsory, configFolder, faultOf } from "./config-folder.js";

const { folder, write, read, fault } = configFolder();

describe("the file itself", () => {
  test("a named file that does not exist is an error, also in a folder that does not exist", () => {
    for (const name of ["none.yaml", "none/config.yaml"])
      expect(faultOf(() => readConfig({ env: {}, cwd: folder, file: name }))).toMatchObject({
        code: "file_missing",
        message: `there is no config file ${join(folder, name)} (pawl config init writes one)`,
      });
  });

  test("a file below a file, or a link to nothing, does not exist", () => {
    const path = write("port: 1\n", "plain.txt");
    expect(faultOf(() => readConfigFile(join(path, "config.yaml"))).code).toBe("file_missing");
    symlinkSync("nowhere", join(folder, "dangling.yaml"));
    expect(faultOf(() => readConfigFile(join(folder, "dangling.yaml"))).code).toBe("file_missing");
  });

  test("a directory is no config file, named or found as config.yaml", () => {
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(join(elsewhere, "config.yaml"), { recursive: true });
    const message = `the config file is a directory: ${join(elsewhere, "config.yaml")}`;
    expect(faultOf(() => readConfig({ env: {}, cwd: elsewhere }))).toMatchObject({ code: "file_unreadable", message });
    expect(faultOf(() => readConfig({ env: {}, cwd: folder, file: "elsewhere/config.yaml" })).message).toBe(message);
  });

  test("a file of more than 1 MiB is not read", () => {
    expect(fault(`${compulsory}#${"x".repeat(1_048_576)}\n`)).toMatchObject({
      code: "file_unreadable",
      message: `the config file is larger than 1 MiB: ${join(folder, "config.yaml")}`,
    });
  });

  test("bytes that are not UTF-8 are refused, a byte order mark is not", () => {
    const path = write(Uint8Array.of(0x70, 0xff, 0xfe, 0x3a));
    expect(faultOf(() => readConfigFile(path))).toMatchObject({
      code: "file_unreadable",
      message: `the config file is not UTF-8 text: ${path}`,
    });
    expect(read(`\uFEFF${compulsory}`).cookies.domain).toBe("api.example.com");
  });

  test("line ends of any kind and comments are fine", () => {
    expect(read(compulsory.replaceAll("\n", "\r\n")).cookies.refreshApiPath).toBe("/session/refresh");
    expect(read(`# first\n${compulsory}port: 4000 # last\n`).port).toBe(4000);
  });
});

const path = join(folder, "config.yaml");
const notYaml = (why: string): string => `the config file is not valid YAML: ${why}: ${path}`;

describe("its YAML", () => {
  test.each(["", "# nothing\n", "---\n...\n", "null\n", "\uFEFF"])("%j holds no key, which is fine", (text) => {
    expect(readConfigFile(write(text))).toEqual(new Map());
  });

  test.each([
    ["- port: 3567\n", `the config file must be a list of lines 'key: value', which it is not: ${path}`],
    ["just text\n", `the config file must be a list of lines 'key: value', which it is not: ${path}`],
    ["3567\n", `the config file must be a list of lines 'key: value', which it is not: ${path}`],
    ["port: 1\nhost: a\nport: 2\n", `'port' is set twice, again in line 3. Config file: ${path}`],
    [`port: 1\n"port": 2\n`, `'port' is set twice, again in line 2. Config file: ${path}`],
    ["{port: 1, port: 2}\n", `'port' is set twice, again in line 1. Config file: ${path}`],
    ["port: [\n", notYaml("wrong indentation in line 2")],
    ["port: 1\nhost: !secret x\n", notYaml("a tag (!name) that is not known in line 2")],
    ["port:\n\t- 1\n", notYaml("a tab used as indentation in line 2")],
    ["host: a: b\n", notYaml("a second ': ' in one line: put the value in quotes in line 1")],
    ["host: @a\n", notYaml("a value that starts with a reserved character: put it in quotes in line 1")],
    ['host: "\\q"\n', notYaml("an unknown escape in double quotes in line 1")],
    ['host: "a\n', notYaml("a missing quote, bracket, colon or comma in line 2")],
    ["port 3567\nhost: a\n", notYaml("a line that is no 'key: value' in line 1")],
    ["port: 1\n---\nport: 2\n", notYaml("more than one document (---) in line 2")],
    ["host: *name\n", `the config file holds an alias (*name) that leads nowhere or too far: ${path}`],
  ])("%j", (text, message) => {
    expect(fault(text)).toMatchObject({ code: "invalid_yaml", message });
  });

  test("aliases that multiply are not followed", () => {
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [from, to] of ["ab", "bc", "cd", "de", "ef", "fg"])
      bomb.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
    expect(fault(`${bomb.join("\n")}\n`)).toMatchObject({ code: "invalid_yaml" });
  });

  test("no complaint repeats what stands in the file", () => {
    const canary = "CANARY5ecretCANARY5ecret";
    for (const text of [
      `api_keys: *${canary}`,
      `api_keys: !${canary} x`,
      `api_keys: @${canary}`,
      `api_keys: "${canary}`,
      `api_keys: a: ${canary}`,
      canary,
      `api_keys ${canary}\nport: 1`,
      `api_keys: [${canary}`,
      `api_keys: ${canary}]\n]`,
      `api_keys: {${canary}: [}`,
      `%${canary}\n---\nport: 1`,
      `api_keys: |9\n ${canary}`,
      `\t${canary}`,
      `api_keys: 'a' ${canary}`,
      `api_keys: "\\x${canary}"`,
    ]) {
      const { message } = fault(text);
      expect(message, text).not.toContain("CANARY");
      expect(message, text).not.toContain("\n");
    }
  });
});
