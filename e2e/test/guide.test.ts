import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { root, textOf } from "./guide-page.js";

mkdirSync(join(root, "artifacts"), { recursive: true });
/** Inside the repository, so that the packages are found. */
const folder = mkdtempSync(join(root, "artifacts", "guide-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Call = (method: string, path: string, headers?: Record<string, string>) => Promise<Called>;
interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Runs a program as printed on a page, and calls it as a browser with one cookie jar would. */
const runProgram = async (page: string, visit: (call: Call, jar: ReadonlyMap<string, string>) => Promise<void>) => {
  writeFileSync(join(folder, "app.mjs"), textOf(page, "js app.mjs"));
  const child = spawn(process.execPath, ["app.mjs"], { cwd: folder, env: { ...process.env, PORT: "0" } });
  let problems = "";
  child.stderr.on("data", (chunk) => (problems += chunk));
  const base = await new Promise<string>((started, failed) => {
    child.stdout.on("data", (chunk: Buffer) => started(/http:\S+/.exec(String(chunk))?.[0] ?? ""));
    child.on("exit", () => failed(new Error(problems)));
  });
  const jar = new Map<string, string>();
  try {
    await visit(async (method, path, headers = {}) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await fetch(base + path, { method, headers: { cookie, ...headers } });
      for (const line of answer.headers.getSetCookie()) {
        const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      return { status: answer.status, headers: answer.headers, body: (await answer.json()) as unknown };
    }, jar);
    expect(problems).toBe("");
  } finally {
    child.kill();
  }
};

test("the program of the README logs in, verifies, refreshes, signs out, and prints no warning", () =>
  runProgram("../../README.md", async (call, jar) => {
    expect(await call("GET", "/me")).toMatchObject({ status: 401, body: { message: "try refresh token" } });
    const login = await call("POST", "/login");
    expect((await call("GET", "/me")).body).toEqual({ userId: "alice" });
    expect((await call("POST", "/session/refresh")).status).toBe(200);
    expect((await call("GET", "/me")).body).toEqual({ userId: "alice" });
    const antiCsrf = login.headers.get("anti-csrf") ?? "";
    expect((await call("POST", "/signout", { "anti-csrf": antiCsrf })).status).toBe(200);
    expect(jar.size).toBe(0);
    expect((await call("POST", "/session/refresh")).status).toBe(401);
  }));

test("the program of the five-minute start logs in, verifies, refreshes, logs out", () =>
  runProgram("getting-started.md", async (call, jar) => {
    expect((await call("GET", "/me")).body).toEqual({ error: "TRY_REFRESH_TOKEN" });
    const login = await call("POST", "/login");
    expect(login.body).toEqual({ message: "logged in" });
    expect((await call("GET", "/me")).body).toEqual({ userId: "alice", role: "admin" });
    expect((await call("POST", "/session/refresh")).status).toBe(200);
    expect((await call("GET", "/me")).status).toBe(200);
    expect((await call("POST", "/logout")).body).toEqual({ error: "TRY_REFRESH_TOKEN" });
    const antiCsrf = login.headers.get("anti-csrf") ?? "";
    expect((await call("POST", "/logout", { "anti-csrf": antiCsrf })).status).toBe(200);
    expect(jar.size).toBe(0);
    expect((await call("POST", "/session/refresh")).body).toEqual({ error: "UNAUTHORISED" });
  }));
