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
export const workerd = inPackageOf("@cloudflare", "bin/workerd");

/** Some frameworks are built, and run, on newer versions of Node.js only. */
export const node =
  Number(process.versions.node.split(".", 1)[0]) >= 24
    ? process.execPath
    : join(modules, `node-${process.platform}-${process.arch}/bin/node`);

const nodeOf = (/** @type {string} */ version) => join(modules, `node-${version}/bin/node`);

/**
 * The versions of Node.js that the packages have to run on, the oldest with SQLite and without it among them, as commands.
 * npm has them as packages for Linux; elsewhere it is the one that runs this.
 * @type {Readonly<Record<string, readonly [string, ...string[]]>>}
 */
export const nodes =
  `${process.platform} ${process.arch}` === "linux x64"
    ? {
        "Node.js 20.19": [nodeOf("20.19")],
        "Node.js 22.13": [nodeOf("22.13")],
        "Node.js 24": [node],
        "Node.js 26": [nodeOf("26")],
      }
    : { [`Node.js ${process.versions.node}`]: [process.execPath] };
