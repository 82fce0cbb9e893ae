import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const modules = new URL("node_modules", import.meta.url).pathname;

/** A program inside the package of this platform; the packages that choose one need a script that npm may not run. */
const inPackageOf = (/** @type {string} */ scope, /** @type {string} */ program) => {
  const [name = ""] = readdirSync(join(modules, scope));
  return join(modules, scope, name, program);
};

/** Where the script ran, it has moved the program. */
const bunOfPlatform = inPackageOf("@oven", "bin/bun");
export const bun = existsSync(bunOfPlatform) ? bunOfPlatform : join(modules, "bun/bin/bun.exe");
export const deno = inPackageOf("@deno", "deno");

/** Some frameworks are built, and run, on newer versions of Node.js only. */
export const node =
  Number(process.versions.node.split(".", 1)[0]) >= 24
    ? process.execPath
    : join(modules, `node-${process.platform}-${process.arch}/bin/node`);
