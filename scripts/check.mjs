// Types, lint, walls, format, dead code, references that lead nowhere, package manifests: everything a reviewer should not have to look for.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { findHere } from "./references.mjs";
import { build, installPackageOf, runAtOnce } from "./run.mjs";

/** What is wrong with the packages as they would be published; packed at once, since npm takes seconds to start. */
const findInManifests = async () => {
  const packages = new URL("../packages/", import.meta.url).pathname;
  const folder = mkdtempSync(join(tmpdir(), "pawl-packages-"));
  const names = readdirSync(packages).map((name) => packages + name);
  execFileSync("npm", ["pack", ...names, "--silent", "--pack-destination", folder]);
  const found = [];
  for (const name of readdirSync(folder)) {
    const { messages, pkg } = await publint({
      pack: { tarball: Uint8Array.from(readFileSync(join(folder, name))).buffer },
    });
    for (const message of messages) found.push(`${name}: ${formatMessage(message, pkg)}`);
  }
  rmSync(folder, { recursive: true });
  return found;
};

for (const folder of ["e2e", "examples/login"]) installPackageOf(folder);
build();
const ended = runAtOnce(
  ["npx", "oxlint", "--type-aware", "--quiet"],
  // Checkers that run at once do much of their work twice, and there is other work for every core.
  ["npx", "tsc", "-p", "tsconfig.test.json", "--singleThreaded"],
  ["npx", "tsc", "-p", "bench", "--singleThreaded"],
  ["npx", "tsc", "-p", "examples/login", "--singleThreaded"],
  ["npx", "knip"],
  ["npx", "oxfmt", "--check", "."],
);
const broken = [...findHere(), ...(await findInManifests())];
for (const line of broken) console.error(line);
if (!(await ended) || broken.length > 0) process.exit(1);
