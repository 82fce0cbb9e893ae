import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  addPrograms,
  compile,
  emptyApplication,
  entriesOf,
  importsOf,
  install,
  installAll,
  link,
  modules,
  packPackages,
  remove,
} from "./packages.js";
import { run, testPrograms } from "./programs.js";

// npm and the compiler take long where much else is done.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** What `npm install` brought at the last look, in packages and bytes; a tenth more is a decision, and changes this. */
const known = {
  "@pawl/node": { packages: 10, bytes: 4_010_000 },
  "@pawl/supertokens": { packages: 11, bytes: 4_170_000 },
};

/** Adapters whose framework has to be installed for its types. */
const ofFrameworks = /\/(?:fastify|hono|nest|next)$/;

const tarballs = mkdtempSync(join(tmpdir(), "pawl-tarballs-"));
const packages = packPackages(tarballs);
const folder = emptyApplication();
afterAll(() => remove(tarballs, folder));

const entries = [...packages.values()].flatMap(entriesOf).filter((entry) => !entry.startsWith("@pawl/web"));

const filesIn = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const measure = (application: string) => {
  const installed = join(application, "node_modules");
  const { packages: found } = JSON.parse(readFileSync(join(installed, ".package-lock.json"), "utf8")) as {
    packages: object;
  };
  return {
    count: Object.keys(found).length,
    bytes: filesIn(installed).reduce((sum, file) => sum + statSync(file).size, 0),
  };
};

test.each([...packages])("%s holds its build, its readme and the licence, and nothing else", (_, { files }) => {
  expect(files).toContain("LICENSE");
  expect(files).toContain("README.md");
  expect(
    files.filter(
      (file) =>
        !/^(?:LICENSE|README\.md|package\.json|bin\/pawl\.js|dist\/.+(?:\.js|\.d\.ts)|dist\/public\/.+)$/.test(file),
    ),
  ).toEqual([]);
});

test.each([...packages])("the types of %s are those of what is loaded", async (_, { tarball }) => {
  const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))));
  const problems = "problems" in checked ? checked.problems : [{ kind: "Untyped" }];
  // ES modules alone: every Node.js we run on can `require` them, and TypeScript 7 has no node10 any more.
  const expected = (problem: object): boolean =>
    ("resolutionKind" in problem && problem.resolutionKind === "node10") ||
    ("kind" in problem && problem.kind === "CJSResolvesToESM");
  expect(problems.filter((problem) => !expected(problem))).toEqual([]);
});

describe("an application with @pawl/node and @pawl/supertokens", () => {
  test.each(["@pawl/node", "@pawl/supertokens"] as const)("has hardly grown by npm install %s", (name) => {
    install(folder, packages, name);
    const { count, bytes } = measure(folder);
    console.log(`npm install ${name}: ${count} packages, ${(bytes / 1e6).toFixed(2)} MB`);
    expect(count).toBeLessThanOrEqual(1.1 * known[name].packages);
    expect(bytes).toBeLessThanOrEqual(1.1 * known[name].bytes);
  });

  test("has no native binary", () => {
    expect(filesIn(join(folder, "node_modules")).filter((file) => file.endsWith(".node"))).toEqual([]);
  });

  test("is told what to install where Node.js has no SQLite", () => {
    const url = isBuiltin("node:sqlite") ? "sqlite::memory:?driver=libsql" : "sqlite::memory:";
    const program = `
      import { createPawl } from "@pawl/node";
      await createPawl({ storage: "${url}" }).ready().catch(({ name, message }) => console.log(name, message));
    `;
    expect(run(folder, [process.execPath], "--input-type=module", "--eval", program)).toEqual([
      "TypeError SQLite needs Node.js 22.13 or newer, or the package libsql: run npm install libsql",
    ]);
  });

  test("compiles without any framework", () => {
    link(folder, "node_modules", "@types/node");
    addPrograms(folder, "without-frameworks.ts");
    const files = ["entries.ts", "without-frameworks.ts"];
    const found = entries.filter((entry) => /^@pawl\/(?:node|supertokens)/.test(entry) && !ofFrameworks.test(entry));
    writeFileSync(join(folder, "entries.ts"), importsOf(found));
    expect(compile(folder, { module: "nodenext", files })).toBe("");
  });

  test("is bundled though libsql is not there", async () => {
    addPrograms(folder, "app.ts");
    const entryPoints = ["app.ts"];
    const { warnings } = await build({
      entryPoints,
      absWorkingDir: folder,
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: "bundle.js",
      logLevel: "silent",
    });
    expect(warnings).toEqual([]);
    expect(run(folder, [process.execPath], "bundle.js")).toContain("/login 200");
  });
});

test("npm install @pawl/verify brings one package of a few kilobytes, which verifies", () => {
  const verifying = emptyApplication();
  install(verifying, packages, "@pawl/verify");
  const { count, bytes } = measure(verifying);
  console.log(`npm install @pawl/verify: ${(bytes / 1e3).toFixed(1)} kB`);
  expect([count, bytes < 60_000]).toEqual([1, true]);
  const program = `
    import { createVerifier } from "@pawl/verify";
    const found = await createVerifier({ keys: { keys: [] } }).verify("x");
    console.log(found.kind, found.status);
  `;
  expect(run(verifying, [process.execPath], "--input-type=module", "--eval", program)).toEqual(["unknown 503"]);
  remove(verifying);
});

describe("an application with all packages", () => {
  beforeAll(() => {
    installAll(folder, packages);
    const others = ["express", "@types/express", "fastify", "hono", "@nestjs/common", "zod"];
    link(folder, "node_modules", "@types/node", ...others);
    if (!isBuiltin("node:sqlite")) link(folder, "node_modules", "libsql");
  });

  test.each(modules)("compiles as %s", (module) => {
    writeFileSync(join(folder, "entries.ts"), importsOf(entries.filter((entry) => entry !== "@pawl/node/next")));
    const programs = ["app.ts", "supertokens.ts", "without-frameworks.ts", "frameworks.ts"];
    // Elsewhere TypeScript does not know that `require` loads ES modules.
    if (module === "nodenext") programs.push("required.cts");
    addPrograms(folder, ...programs);
    expect(compile(folder, { module, files: ["entries.ts", ...programs] })).toBe("");
  });

  test("compiles for a page", () => {
    addPrograms(folder, "page.ts");
    const page = { files: ["page.ts"], lib: ["es2023", "dom"], types: [] };
    expect(compile(folder, { module: "esnext", ...page })).toBe("");
  });

  test("has the command pawl", () => {
    expect(run(folder, [process.execPath], "node_modules/.bin/pawl", "--version")).toEqual(["0.1.0"]);
  });

  testPrograms(folder, [process.execPath]);
});
