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
const runProgram = async (page: string, visit: (call: Call, jar: Map<string, string>) => Promise<void>) => {
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

test.each(["../../README.md", "getting-started.md", "express.md"])(
  "the program of %s logs in, lets admins alone delete, signs out, and prints no warning",
  (page) =>
    runProgram(page, async (call, jar) => {
      expect(await call("GET", "/me")).toMatchObject({ status: 401, body: { code: "UNAUTHORISED" } });
      expect((await call("POST", "/login")).status).toBe(200);
      expect([...jar.keys()]).toEqual(["pawl-access", "pawl-refresh"]);
      expect((await call("GET", "/me")).body).toEqual({ userId: "alice", role: "admin" });
      expect((await call("DELETE", "/users/1")).status).toBe(200);
      expect((await call("POST", "/session/refresh")).status).toBe(200);
      const foreign = { origin: "http://localhost:1", "sec-fetch-site": "cross-site" };
      expect((await call("DELETE", "/users/1", foreign)).status).toBe(403);
      // The access token is gone, as when it has run out: the session is refreshed in place.
      jar.delete("pawl-access");
      expect((await call("GET", "/me")).body).toEqual({ userId: "alice", role: "admin" });
      expect(jar.size).toBe(2);
      expect((await call("POST", "/signout")).status).toBe(200);
      expect(jar.size).toBe(0);
      expect((await call("GET", "/me")).status).toBe(401);
    }),
);
