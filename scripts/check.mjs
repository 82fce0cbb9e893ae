// Types, lint, walls, format, dead code, references that lead nowhere, package manifests: everything a reviewer should not have to look for.
import { readdirSync } from "node:fs";
import { findHere } from "./references.mjs";
import { installPackageOf, run } from "./run.mjs";

installPackageOf("e2e");
run("npx", "tsc", "-b");
run("npx", "tsc", "-p", "tsconfig.test.json");
run("npx", "oxlint", "--type-aware", "--quiet");
run("npx", "oxfmt", "--check", ".");
run("npx", "knip");
const broken = findHere();
if (broken.length > 0) {
  console.error(`References that lead nowhere:\n${broken.join("\n")}`);
  process.exit(1);
}
for (const name of readdirSync(new URL("../packages", import.meta.url))) run("npx", "publint", `packages/${name}`);
