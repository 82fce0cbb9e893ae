import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root, textOf, typeCurlLines } from "./guide-page.js";
import { browserAt, type Called, serving, visitFirstProgram } from "./guide-program.js";

/** Inside the repository, so that the packages are found. */
let folder = "";
beforeEach(() => {
  mkdirSync(join(root, "artifacts"), { recursive: true });
  folder = mkdtempSync(join(root, "artifacts", "guide-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file as a page prints it. */
const print = (page: string, fence: string, change = (text: string): string => text): string => {
  const file = join(folder, fence.split(" ")[1] ?? "");
  writeFileSync(file, change(textOf(page, fence)));
  return file;
};

const runNode = (...given: readonly string[]): string =>
  execFileSync(process.execPath, given, { cwd: folder, encoding: "utf8", stdio: "pipe" });

/** Checks and compiles a program as users of TypeScript do, and runs it. */
const runTypeScript = (file: string): string => {
  const flags = ["--module", "nodenext", "--target", "es2023", "--strict", "--skipLibCheck", "--types", "node"];
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  runNode(join(root, "node_modules/typescript/bin/tsc"), ...flags, "--ignoreConfig", file);
  return runNode(file.replace(/ts$/, "js"));
};

test.each(["../../README.md", "getting-started.md", "express.md"])(
  "the program of %s logs in, lets admins alone delete, signs out, and prints no warning",
  (page) => serving(print(page, "js app.mjs"), visitFirstProgram),
);

test.each(["getting-started.md", "express.md"])("what %s says to type prints what it says", (page) =>
  serving(print(page, "js app.mjs"), (origin) => {
    const { printed, told } = typeCurlLines(page, "sh", { folder, origin });
    expect(printed).toEqual(told);
  }),
);

test.each(["typed.ts", "valibot.ts"])(
  "typed-sessions.md: %s compiles, and the types are those of the schema",
  (name) => {
    const printed = runTypeScript(print("typed-sessions.md", `ts ${name}`));
    expect(printed).toBe(name === "typed.ts" ? textOf("typed-sessions.md", "text typed.ts") : "admin\n");
  },
);

test("tokens.md: tokens.mjs prints what the page says", () => {
  expect(runNode(print("tokens.md", "js tokens.mjs"))).toBe(textOf("tokens.md", "text tokens.mjs"));
});

test("tokens.md: in header mode a client carries its tokens itself", () =>
  serving(
    print("getting-started.md", "js app.mjs", (text) => text.replace("createPawl({", "createPawl({ headerMode: true,")),
    async (origin) => {
      const { call, jar } = browserAt(origin);
      const login = await call("POST", "/login", { "st-auth-mode": "header" });
      const bearer = (of: Called, kind: "access" | "refresh") => ({
        authorization: `Bearer ${of.headers.get(`st-${kind}-token`)}`,
      });
      expect((await call("GET", "/me", bearer(login, "access"))).body).toEqual({ userId: "alice", role: "admin" });
      const refreshed = await call("POST", "/session/refresh", bearer(login, "refresh"));
      expect((await call("POST", "/signout", bearer(refreshed, "access"))).body).toEqual({ status: "OK" });
      expect((await call("GET", "/me", bearer(refreshed, "access"))).status).toBe(401);
      expect(jar.size).toBe(0);
    },
  ));

test("documented-api.md: while an application moves, a session counts for the routes of both APIs", () =>
  serving(print("documented-api.md", "js moving.mjs"), async (origin) => {
    const { call, jar } = browserAt(origin);
    expect((await call("GET", "/new")).status).toBe(401);
    const login = await call("POST", "/login");
    const names = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"];
    expect([...jar.keys()].toSorted()).toEqual(names.toSorted());
    for (const path of ["/old", "/new"]) expect((await call("GET", path)).body).toEqual({ userId: "alice" });
    await call("POST", "/session/refresh");
    for (const path of ["/old", "/new"]) expect((await call("GET", path)).body).toEqual({ userId: "alice" });
    await call("POST", "/signout", { "anti-csrf": login.headers.get("anti-csrf") ?? "" });
    for (const path of ["/old", "/new"]) expect((await call("GET", path)).status).toBe(401);
  }));

test("server-rendering.md shows the routes of examples/server-rendering", () => {
  const program = readFileSync(join(root, "examples/server-rendering/server.mjs"), "utf8");
  for (const route of ["/orders", "/report"])
    expect(program).toContain(textOf("server-rendering.md", "js", `"${route}"`));
});

test("testing.md: the tests pass under vitest as printed", () => {
  for (const fence of ["js app.mjs", "js app.test.mjs", "js clock.test.mjs", "js simulate.test.mjs"])
    print("testing.md", fence);
  // Else that of this repository would be found.
  writeFileSync(join(folder, "vitest.config.mjs"), "export default { test: { testTimeout: 60_000 } };");
  const said = runNode(join(root, "node_modules/vitest/vitest.mjs"), "run", "--reporter=json");
  expect(JSON.parse(said)).toMatchObject({ numPassedTests: 5, numTotalTests: 5 });
}, 300_000);
