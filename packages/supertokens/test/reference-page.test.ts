import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as express from "../src/index.js";
import * as tokens from "../src/session.js";
import * as expressRoutes from "../src/express.js";
import * as fetchRoutes from "../src/fetch.js";
import { optionTables } from "../src/options.js";
import * as testing from "../src/testing.js";

const page = readFileSync(new URL("../../../docs/reference/node-sdk.md", import.meta.url), "utf8");
const section = (heading: string): string => page.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";

describe("docs/reference/node-sdk.md names", () => {
  test.each([
    ["Functions with a request", Object.keys(express).filter((name) => !["createPawl", "init"].includes(name))],
    ["Functions without a request", Object.keys(tokens)],
    ["Routes and middleware", Object.keys({ ...expressRoutes, ...fetchRoutes })],
    ["Tests", Object.keys(testing)],
    ["Starting", ["createPawl", "init"]],
  ])("every export, under %s", (heading, names) => {
    for (const name of names) expect(name === "Error" ? page : section(heading)).toContain(name);
  });

  test("every option, and no other", () => {
    const declared = Object.values(optionTables).flatMap((table) => Object.keys(table));
    const told = [...section("Starting").matchAll(/^\| ((?:`[\w.]+`(?:, )?)+) \| /gm)]
      .flatMap(([, names]) => [...(names ?? "").matchAll(/`(?:cookies\.)?([\w.]+)`/g)].map(([, name]) => name))
      .filter((name) => !/^(tokens|sessions)\./.test(name ?? ""));
    expect(new Set(told)).toEqual(new Set(declared.filter((name) => name !== "cookies")));
  });

  test("every error", () => {
    for (const [name, value] of Object.entries(express.Error).filter(([, value]) => typeof value === "number"))
      expect(section("Errors")).toContain(`| ${String(value)} | \`${name}\` |`);
  });
});

test("the program of the page prints what its comments say", async () => {
  const [, program = ""] = /```js runnable\n([\s\S]*?)```/.exec(page) ?? [];
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { cwd: import.meta.dirname });
  let printed = "";
  child.stdout.on("data", (chunk) => (printed += String(chunk)));
  child.stderr.on("data", (chunk) => (printed += String(chunk)));
  await new Promise((resolve) => child.on("close", resolve));
  const promised = [...program.matchAll(/\); \/\/ (.*)$/gm)].map(([, text]) => text);
  expect(promised).toHaveLength(3);
  expect(printed.trim().split("\n")).toEqual(promised);
});
