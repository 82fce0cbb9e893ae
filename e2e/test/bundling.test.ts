import { nodeFileTrace } from "@vercel/nft";
import { build } from "esbuild";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCore, type TestCore } from "./core.js";

const root = realpathSync(new URL("../..", import.meta.url).pathname);
const run = promisify(execFile);

let core: TestCore;
let folder: string;
beforeAll(async () => {
  core = await startTestCore();
  // Inside the repository, so that the application finds its packages as one that installed them does.
  folder = mkdtempSync(join(root, "e2e", "tmp-bundling-"));
});
afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A login, a verification and a refresh, with the sessions where an option says. */
const application = (options: string): string => `
import { createPawl } from "@pawl/supertokens";
const pawl = createPawl(${options});
const login = await pawl.tokens.createNewSession("alice", { role: "admin" }, {});
const { token: accessToken } = login.accessToken;
const session = await pawl.tokens.getSession(accessToken, undefined, false, login.idRefreshToken.token);
const turned = await pawl.tokens.refreshSession(login.refreshToken.token);
console.log(session.session.userId, turned.session.userId);
await pawl.close();
`;

const applications: Readonly<Record<string, () => string>> = {
  "embedded SQLite": () => `{ storage: "sqlite:./sessions.db" }`,
  "a core": () => `{ core: ["${core.url}"] }`,
};

const emptyFolder = (): string => mkdtempSync(join(tmpdir(), "pawl-copied-"));

const start = async (file: string): Promise<string> => {
  const { stdout } = await run(process.execPath, [file], { cwd: dirname(file) });
  return stdout.trim();
};

/** Copies what a program needs, as a tracer finds it, to a folder that holds nothing else. @returns the program there. */
const copyTraced = async (file: string, target: string): Promise<string> => {
  const { fileList } = await nodeFileTrace([file], { base: root });
  for (const name of fileList) {
    mkdirSync(join(target, dirname(name)), { recursive: true });
    cpSync(join(root, name), join(target, name), { recursive: true, verbatimSymlinks: true });
  }
  return join(target, relative(root, file));
};

/** The native driver that SQLite needs on Node 20 cannot be part of a bundle: it is installed beside it. */
const installDriver = async (target: string): Promise<void> => {
  const entry = join(folder, "driver.mjs");
  writeFileSync(entry, 'import "libsql";');
  await copyTraced(entry, target);
};

test.each(Object.keys(applications))("an application with %s is traced, copied and started", async (name) => {
  const file = join(folder, "app.mjs");
  writeFileSync(file, application(applications[name]!()));
  const target = emptyFolder();
  expect(await start(await copyTraced(file, target))).toBe("alice alice");
  rmSync(target, { recursive: true });
});

test.each(
  Object.keys(applications).flatMap((name) => (["esm", "cjs"] as const).map((format) => [name, format] as const)),
)("an application with %s is bundled as %s, copied and started", async (name, format) => {
  const target = emptyFolder();
  const outfile = join(target, `app.${format === "esm" ? "mjs" : "cjs"}`);
  const program = application(applications[name]!());
  await build({
    stdin: {
      contents: format === "esm" ? program : program.replace(/^(import .*\n)/mu, "$1(async () => {").concat("})();"),
      resolveDir: folder,
    },
    bundle: true,
    platform: "node",
    format,
    outfile,
    external: ["libsql"],
    logLevel: "error",
  });
  await installDriver(target);
  expect(await start(outfile)).toBe("alice alice");
  rmSync(target, { recursive: true });
});
