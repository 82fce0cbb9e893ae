import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  addPrograms,
  compile,
  emptyApplication,
  install,
  link,
  packPackages,
  remove,
} from "../../test/published/packages.js";
import type { Command } from "../../test/guide-program.js";
import { testPrograms } from "../../test/published/programs.js";
import { bun, deno, nodes } from "../../runtimes/runtimes.mjs";

// npm and the compilers take long where much else is done.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const here = new URL("..", import.meta.url).pathname;
const tarballs = mkdtempSync(join(tmpdir(), "pawl-tarballs-"));
const folder = emptyApplication();
afterAll(() => remove(tarballs, folder));

const runtimes: Readonly<Record<string, Command>> = { ...nodes, Bun: [bun], Deno: [deno, "run", "-A"] };

const nextApplication = `
import { forNext } from "@pawl/node/next";
import { pawl } from "./without-frameworks.js";
const { requireSession } = forNext(pawl, { login: "/login" });
export const role = async (): Promise<"admin" | "user"> => (await requireSession()).payload.role;
`;

beforeAll(() => {
  install(folder, packPackages(tarballs), "@pawl/node", "@pawl/supertokens");
  const others = ["express", "@types/express", "fastify", "hono", "@nestjs/common", "zod"];
  link(folder, "node_modules", "@types/node", ...others);
  link(folder, "e2e/frameworks/node_modules", "next");
  addPrograms(folder, "app.ts", "supertokens.ts", "required.cts", "without-frameworks.ts", "frameworks.ts");
  writeFileSync(join(folder, "next.ts"), nextApplication);
});

test.each([
  ["typescript-5.8", "nodenext"],
  ["typescript", "esnext"],
] as const)("an application of published packages compiles with %s as %s", (name, module) => {
  const files = ["app.ts", "supertokens.ts", "frameworks.ts", "next.ts"];
  if (module === "nodenext") files.push("required.cts");
  const compiler = join(here, "node_modules", name, "bin/tsc");
  expect(compile(folder, { module, files, compiler })).toBe("");
});

describe.each(Object.entries(runtimes))("an application of published packages, on %s", (name, command) => {
  beforeAll(() => {
    if (name === "Node.js 20.19") link(folder, "node_modules", "libsql");
    else remove(join(folder, "node_modules/libsql"));
  });
  testPrograms(folder, command);
});
