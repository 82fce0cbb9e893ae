import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Visitor } from "@pawl/adapter-conformance";
import { afterEach, describe, expect, test } from "vitest";
import { root, textOf, typeCurlLines } from "../../test/guide-page.js";
import { bun, deno } from "../../runtimes/runtimes.mjs";

const here = new URL("..", import.meta.url).pathname;

let folder = "";
let child: ChildProcess | undefined;
afterEach(async () => {
  const ended = child === undefined ? undefined : once(child, "exit");
  child?.kill();
  await ended;
  child = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Checks and compiles a program as users of TypeScript do. */
const compile = (file: string): void => {
  const flags = [
    "--module",
    "nodenext",
    "--target",
    "es2023",
    "--strict",
    "--skipLibCheck",
    "--experimentalDecorators",
  ];
  const types = ["--types", "node", "--ignoreConfig"];
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), [...flags, ...types, file], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stdout);
};

/** Writes programs as a page prints them, to where the packages are found. */
const print = (page: string, ...fences: readonly string[]): void => {
  folder = mkdtempSync(join(here, "tmp-guide-"));
  for (const fence of fences) {
    const [language, file = ""] = fence.split(" ");
    writeFileSync(join(folder, file), textOf(page, fence));
    if (language === "ts") compile(file);
  }
};

/** Expects of the lines with curl of a page that they print what the page says. */
const expectCurlLines = (page: string, fence: string, origin: string): void => {
  const { printed, told } = typeCurlLines(page, fence, { folder, origin });
  expect(printed).toEqual(told);
};

/** Starts a program and waits until it says where it is. */
const start = async (command: string, ...given: readonly string[]): Promise<string> => {
  const started = spawn(command, given, { cwd: folder, env: { ...process.env, PORT: "0" } });
  child = started;
  let said = "";
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += String(chunk);
      const [, port] = /http:\/\/[^/\s]*:(\d+)/.exec(said) ?? [];
      if (port !== undefined) resolve(`http://localhost:${port}`);
    };
    started.stdout.on("data", hear);
    started.stderr.on("data", (chunk: Buffer) => (said += String(chunk)));
    started.on("exit", () => reject(new Error(said)));
  });
};

describe("the guide's programs, as printed", () => {
  test.each([
    ["node-http.md", ["js app.mjs"], process.execPath, ["app.mjs"]],
    ["fastify.md", ["js app.mjs"], process.execPath, ["app.mjs"]],
    ["nestjs.md", ["ts main.ts"], process.execPath, ["main.js"]],
    ["hono.md", ["js app.mjs", "js node.mjs"], process.execPath, ["node.mjs"]],
    ["hono.md", ["js app.mjs", "js bun.mjs"], bun, ["bun.mjs"]],
    ["hono.md", ["js app.mjs", "js deno.mjs"], deno, ["run", "--allow-all", "deno.mjs"]],
    ["fetch.md", ["js app.mjs", "js bun.mjs"], bun, ["bun.mjs"]],
    ["fetch.md", ["js app.mjs", "js deno.mjs"], deno, ["run", "--allow-all", "deno.mjs"]],
    ["recipes.md", ["js koa.mjs"], process.execPath, ["koa.mjs"]],
    ["recipes.md", ["js h3.mjs"], process.execPath, ["h3.mjs"]],
    ["recipes.md", ["js elysia.mjs"], bun, ["elysia.mjs"]],
  ])("%s: %s", async (page, fences, command, given) => {
    print(page, ...fences);
    const origin = await start(command, ...given);
    const visitor = new Visitor(origin);
    const me = async () => {
      const { status, json } = await visitor.ask("/me");
      return [status, json];
    };
    const nobody = [401, { message: "unauthorised", code: "UNAUTHORISED" }];
    expect(await me()).toEqual(nobody);
    expect((await visitor.ask("/login", { method: "POST" })).status).toBe(200);
    expect(await me()).toEqual([200, { userId: "alice", role: "admin" }]);
    expect((await visitor.ask("/session/refresh", { method: "POST" })).status).toBe(200);
    expect(await me()).toEqual([200, { userId: "alice", role: "admin" }]);
    expect((await visitor.ask("/signout", { method: "POST" })).status).toBe(200);
    expect(await me()).toEqual(nobody);
    expectCurlLines(page, "sh", origin);
  });

  test("fetch.md", async () => {
    print("fetch.md", "js app.mjs");
    const program = (await import(join(folder, "app.mjs"))) as { fetch: (request: Request) => Promise<Response> };
    const ask = async (path: string, method = "GET", cookie = "") =>
      program.fetch(new Request(`http://localhost${path}`, { method, headers: { cookie } }));
    expect((await ask("/me")).status).toBe(401);
    const cookie = (await ask("/login", "POST")).headers.getSetCookie().map((line) => line.split(";", 1)[0]);
    expect(await (await ask("/me", "GET", cookie.join("; "))).json()).toEqual({ userId: "alice", role: "admin" });
  });

  test("recipes.md: tRPC", async () => {
    print("recipes.md", "js trpc.mjs");
    const origin = await start(process.execPath, "trpc.mjs");
    const visitor = new Visitor(origin);
    expect((await visitor.ask("/me")).status).toBe(401);
    const login = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    expect((await visitor.ask("/login", login)).setCookies).toHaveLength(2);
    expect((await visitor.ask("/me")).json).toEqual({ result: { data: { userId: "alice", role: "admin" } } });
    expect((await visitor.ask("/signout", { method: "POST" })).status).toBe(200);
    expect((await visitor.ask("/me")).status).toBe(401);
    expectCurlLines("recipes.md", "sh trpc", origin);
  });

  test("recipes.md: GraphQL", async () => {
    print("recipes.md", "js graphql.mjs");
    const origin = await start(process.execPath, "graphql.mjs");
    const visitor = new Visitor(origin);
    const query = async (text: string) =>
      visitor.ask("/graphql", {
        method: "POST",
        body: JSON.stringify({ query: text }),
        headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
      });
    expect((await query("{ me { userId } }")).text).toContain("UNAUTHORISED");
    expect((await query("mutation { login }")).setCookies).toHaveLength(2);
    expect((await query("{ me { userId role } }")).json).toEqual({ data: { me: { userId: "alice", role: "admin" } } });
    expectCurlLines("recipes.md", "sh graphql", origin);
  });
});
