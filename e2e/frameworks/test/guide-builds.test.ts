import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { Visitor } from "@pawl/adapter-conformance";
import { afterEach, describe, expect, test } from "vitest";
import { textOf, typeCurlLines } from "../../test/guide-page.js";

const here = new URL("..", import.meta.url).pathname;
const BUILD_TIMEOUT = 600_000;

let folder = "";
let child: ChildProcess | undefined;
afterEach(async () => {
  const ended = child === undefined ? undefined : once(child, "exit");
  child?.kill();
  await ended;
  child = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Our packages as a registry brings them: without sources, and without the links of a workspace. */
const install = (): void => {
  for (const name of ["engine", "node", "protocol", "storage", "storage-sqlite"])
    for (const part of ["package.json", "dist"])
      cpSync(
        new URL(`../../../packages/${name}/${part}`, import.meta.url),
        join(folder, "node_modules/@pawl", name, part),
        {
          recursive: true,
        },
      );
};

/** An application of this folder without its kit, with the programs of a page in its place. */
const print = (page: string, application: string, kept: readonly string[]): void => {
  // Nuxt is installed in its own folder.
  folder = mkdtempSync(join(here, application === "nuxt" ? "nuxt" : ".", "tmp-guide-"));
  install();
  for (const name of kept) cpSync(join(here, application, name), join(folder, name), { recursive: true });
  const text = readFileSync(new URL(`../../../docs/guide/${page}`, import.meta.url), "utf8");
  for (const [, file = ""] of text.matchAll(/^```js (\S+)$/gm)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), textOf(page, `js ${file}`));
  }
};

const build = (...given: readonly string[]): void => {
  const { status, stdout, stderr } = spawnSync(process.execPath, given, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1" },
  });
  if (status !== 0) throw new Error(stdout + stderr);
};

const start = async (program: string): Promise<string> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  const origin = `http://localhost:${port}`;
  const env = { ...process.env, PORT: String(port), HOST: "localhost", HOSTNAME: "localhost" };
  const started = spawn(process.execPath, [program], { cwd: dirname(program), env });
  child = started;
  let said = "";
  await new Promise<void>((resolve, reject) => {
    started.stdout.on("data", (chunk: Buffer) => {
      said += String(chunk);
      if (/Listening|listening|Ready/.test(said)) resolve();
    });
    started.stderr.on("data", (chunk: Buffer) => (said += String(chunk)));
    started.on("exit", () => reject(new Error(said)));
  });
  return origin;
};

/** From the login to the end, on the routes that these pages have in common. */
const live = async (origin: string): Promise<void> => {
  const visitor = new Visitor(origin);
  const me = async () => {
    const { status, json } = await visitor.ask("/me");
    return [status, json];
  };
  const nobody = [401, { message: "unauthorised", code: "UNAUTHORISED" }];
  const post = { method: "POST", headers: { "content-type": "application/json" } };
  expect(await me()).toEqual(nobody);
  expect((await visitor.ask("/login", post)).status).toBe(200);
  expect(await me()).toEqual([200, { userId: "alice", role: "admin" }]);
  expect((await visitor.ask("/signout", post)).status).toBe(200);
  expect(await me()).toEqual(nobody);
};

describe("the tests of testing.md, as printed, under jest", () => {
  test.each([
    ["in ES modules", ["js sessions.test.mjs"], ["--experimental-vm-modules"]],
    ["in CommonJS", ["js jest.config.cjs", "js sessions.test.js"], []],
  ])(
    "%s",
    (_, fences, flags) => {
      folder = mkdtempSync(join(here, "tmp-guide-"));
      install();
      writeFileSync(join(folder, "package.json"), "{}");
      for (const fence of fences) writeFileSync(join(folder, fence.slice(3)), textOf("testing.md", fence));
      const { stdout, stderr } = spawnSync(
        process.execPath,
        [...flags, join(here, "node_modules/jest/bin/jest.js"), "--json"],
        { cwd: folder, encoding: "utf8" },
      );
      expect([stderr, JSON.parse(stdout)]).toEqual([
        expect.any(String),
        expect.objectContaining({ numPassedTests: 1, numTotalTests: 1 }),
      ]);
    },
    BUILD_TIMEOUT,
  );
});

describe("the guide's applications, built as printed", () => {
  test.each([
    ["astro.md", "astro", ["package.json"], ["node_modules/astro/bin/astro.mjs", "build"], "dist/server/entry.mjs"],
    [
      "react-router.md",
      "react-router",
      ["package.json", "vite.config.js"],
      ["node_modules/@react-router/dev/dist/cli/index.js", "build"],
      "server.mjs",
    ],
    [
      "nuxt.md",
      "nuxt",
      ["package.json", "app"],
      ["nuxt/node_modules/nuxt/bin/nuxt.mjs", "build"],
      ".output/server/index.mjs",
    ],
  ])(
    "%s",
    async (page, application, kept, [command = "", ...given], program) => {
      print(page, application, kept);
      build(join(here, command), ...given);
      const origin = await start(join(folder, program));
      await live(origin);
      const { printed, told } = typeCurlLines(page, "sh", { folder, origin });
      expect(printed).toEqual(told);
    },
    BUILD_TIMEOUT,
  );

  test(
    "sveltekit.md",
    async () => {
      print("sveltekit.md", "sveltekit", ["package.json", "vite.config.js", "src/app.html"]);
      for (const page of ["sign-in", "account"])
        cpSync(
          join(here, `sveltekit/src/routes/${page}/+page.svelte`),
          join(folder, `src/routes/${page}/+page.svelte`),
        );
      build(join(here, "node_modules/vite/bin/vite.js"), "build");
      const origin = await start(join(folder, "build/index.js"));
      const visitor = new Visitor(origin);
      // As behind a proxy that ends TLS, which the adapter expects.
      const page = origin.replace("http:", "https:");
      const form = {
        method: "POST",
        headers: { origin: page, accept: "text/html", "content-type": "application/x-www-form-urlencoded" },
      };
      expect((await visitor.ask("/account")).headers["location"]).toBe("/sign-in");
      const entered = await visitor.ask("/sign-in", form);
      expect([entered.status, entered.headers["location"], entered.setCookies.length]).toEqual([303, "/account", 2]);
      expect((await visitor.ask("/account")).text).toContain("Hello alice");
      expect((await visitor.ask("/me")).json).toEqual({ userId: "alice", role: "user" });
      expect((await visitor.ask("/account", form)).headers["location"]).toBe("/sign-in");
      expect((await visitor.ask("/me")).json).toEqual({ message: "unauthorised", code: "UNAUTHORISED" });
    },
    BUILD_TIMEOUT,
  );

  test(
    "nextjs.md, started as Next.js traced and copied it",
    async () => {
      print("nextjs.md", "nextjs", ["package.json", "next.config.mjs", "app/layout.js"]);
      build(join(here, "node_modules/next/dist/bin/next"), "build");
      const application = folder.slice(new URL("../../..", import.meta.url).pathname.length);
      const origin = await start(join(folder, ".next/standalone", application, "server.js"));
      const visitor = new Visitor(origin);
      expect((await visitor.ask("/account")).headers["location"]).toBe("/login");
      expect((await visitor.ask("/me")).json).toEqual({ message: "unauthorised", code: "UNAUTHORISED" });
      const submit = async (path: string) => {
        const [, name = ""] = /name="(\$ACTION_ID_[^"]+)"/.exec((await visitor.ask(path)).text) ?? [];
        const body = `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n\r\n--b--\r\n`;
        return visitor.ask(path, {
          method: "POST",
          headers: { "content-type": "multipart/form-data; boundary=b" },
          body,
        });
      };
      expect((await submit("/login")).headers["location"]).toBe("/account");
      expect((await visitor.ask("/account")).text).toContain("alice");
      expect((await visitor.ask("/me")).json).toEqual({ userId: "alice", role: "admin" });
      expect((await submit("/account")).headers["location"]).toBe("/login");
      expect((await visitor.ask("/me")).status).toBe(401);
    },
    BUILD_TIMEOUT,
  );
});
