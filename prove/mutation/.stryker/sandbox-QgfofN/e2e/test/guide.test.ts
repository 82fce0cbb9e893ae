import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
mkdirSync(join(root, "artifacts"), { recursive: true });
/** Inside the repository, so that the packages are found. */
const folder = mkdtempSync(join(root, "artifacts", "guide-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program that a page of the guide tells the reader to save under this name. */
const programOf = (page: string, name: string): string => {
  const text = readFileSync(join(root, "docs/guide", page), "utf8");
  const program = text.split(`\`\`\`js ${name}\n`)[1]?.split("\n```")[0];
  if (program === undefined) throw new Error(`${page} holds no program ${name}`);
  return program;
};

describe("the five-minute start", () => {
  test("its program logs in, verifies, refreshes, logs out", async () => {
    writeFileSync(join(folder, "app.mjs"), programOf("getting-started.md", "app.mjs"));
    const child = spawn(process.execPath, ["app.mjs"], { cwd: folder, env: { ...process.env, PORT: "0" } });
    let problems = "";
    child.stderr.on("data", (chunk) => (problems += chunk));
    const base = await new Promise<string>((started, failed) => {
      child.stdout.on("data", (chunk: Buffer) => started(/http:\S+/.exec(String(chunk))?.[0] ?? ""));
      child.on("exit", () => failed(new Error(problems)));
    });
    try {
      const jar = new Map<string, string>();
      const call = async (method: string, path: string, headers: Record<string, string> = {}) => {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
        const answer = await fetch(base + path, { method, headers: { cookie, ...headers } });
        for (const line of answer.headers.getSetCookie()) {
          const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
          if (value === "") jar.delete(name);
          else jar.set(name, value);
        }
        return { status: answer.status, headers: answer.headers, body: (await answer.json()) as unknown };
      };
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
    } finally {
      child.kill();
    }
  });
});
