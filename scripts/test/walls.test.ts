import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const packages = readdirSync(join(root, "packages"));

/** What each row of the table of rooms in ARCHITECTURE.md allows a package to import of ours. */
const rooms = [
  ...readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\| `packages\/([a-z-]+)` \|.*\| ([^|]+) \|$/gm),
].map(([, name, imports]) => {
  const named = [...imports!.matchAll(/`([^`]+)`/g)].map(([, imported]) => imported!);
  return { name: name!, imports: packages.filter((it) => named.includes(it)) };
});

type Planted = { readonly file: string; readonly code: string; readonly rule: string | undefined };

const imported = "no-restricted-imports";
const betweenPackages = rooms.flatMap(({ name, imports }) =>
  packages
    .filter((other) => other !== name)
    .map((other): Planted => ({
      file: `packages/${name}/src/${other}.ts`,
      code: `export { planted } from "@pawl/${other}";`,
      rule: imports.includes(other) ? undefined : imported,
    })),
);

let count = 0;
const plant = (folder: string, rule: string | undefined, ...codes: readonly string[]): Planted[] =>
  codes.map((code) => ({ file: `packages/${folder}/planted-${count++}.ts`, code, rule }));

const planted: readonly Planted[] = [
  ...betweenPackages,
  ...["storage", "engine", "engine/src/host", "protocol", "web", "verify"].flatMap((name) =>
    plant(
      name.includes("/") ? name : `${name}/src`,
      imported,
      ...["node:http", "https", "undici", "express", "pg", "libsql"].map((it) => `export * from "${it}";`),
      `export const load = () => import("@pawl/core");`,
    ),
  ),
  ...plant(
    "engine/src/rotation",
    imported,
    `export * from "node:fs";`,
    `export * from "node:fs/promises";`,
    `export * from "node:timers/promises";`,
    `export * from "node:path";`,
    `export { openStorage } from "@pawl/storage";`,
    `export * from "../../../core/src/index.js";`,
    `export * from "../../../storage/dist/index.js";`,
  ),
  ...plant(
    "engine/src/host",
    undefined,
    `export * from "node:fs/promises";`,
    `export { openStorage } from "@pawl/storage";`,
    `export { setTimeout } from "node:timers";`,
  ),
  ...["engine/src", "engine/src/tokens"].flatMap((folder) =>
    plant(
      folder,
      "no-restricted-globals",
      `export const { env } = process;`,
      `export const wait = (done: () => void) => setTimeout(done, 1);`,
    ),
  ),
  ...plant("engine/src/host", "no-restricted-globals", `export const { env } = process;`),
  // The timers of a program that runs inside somebody's test are Node's own: what is global may be fake there.
  ...["engine/src/host", "node/src", "storage/src", "storage-redis/src"].flatMap((folder) =>
    plant(
      folder,
      "no-restricted-globals",
      `export const wait = (done: () => void) => setTimeout(done, 1);`,
      `export const now = () => performance.now();`,
    ),
  ),
  ...plant("storage/src", "no-restricted-globals", `export const get = () => fetch("http://localhost");`),
  ...plant("engine/src/host", "no-restricted-properties", `export const now = () => Date.now();`),
  ...["sqlite", "postgres", "mysql", "redis"].flatMap((name) => [
    ...plant(`storage-${name}/src`, undefined, `export * from "node:fs";`, `export * from "node:timers/promises";`),
    ...plant(
      `storage-${name}/src`,
      imported,
      `export * from "undici";`,
      `export * from "./../../storage/src/clock.js";`,
    ),
  ]),
];

const folder = mkdtempSync(join(tmpdir(), "pawl-walls-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Finding = { readonly filename: string; readonly code: string };
let findings: readonly Finding[];

beforeAll(() => {
  copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  for (const { file, code } of planted) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), code);
  }
  const { stdout } = spawnSync(join(root, "node_modules/.bin/oxlint"), ["--quiet", "--format=json"], { cwd: folder });
  findings = JSON.parse(String(stdout)).diagnostics;
});

test("ARCHITECTURE.md has a row for every package", () => {
  expect(rooms.map(({ name }) => name).toSorted()).toEqual(packages.toSorted());
});

test.each(planted)("$file: $code", ({ file, rule }) => {
  const found = findings.filter(({ filename }) => filename === file).map(({ code }) => code);
  expect(found).toEqual(rule === undefined ? [] : [`eslint(${rule})`]);
});

test("No file of the engine outside host/ names a storage's URL", () => {
  const named = (readdirSync(join(root, "packages/engine/src"), { recursive: true }) as string[]).filter(
    (file) =>
      file.endsWith(".ts") &&
      !file.startsWith("host/") &&
      /\b(sqlite|postgres(ql)?|mysql|mariadb|rediss?):/.test(
        readFileSync(join(root, "packages/engine/src", file), "utf8"),
      ),
  );
  expect(named).toEqual([]);
});
