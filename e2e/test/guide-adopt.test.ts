import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, textOf } from "./guide-page.js";
import { browserAt, serving } from "./guide-program.js";

test("adopt-sessions.md: who is logged in with express-session stays so, and not after a sign-out", async () => {
  // Where both the packages and express-session are found.
  mkdirSync(join(root, "e2e/artifacts"), { recursive: true });
  const folder = mkdtempSync(join(root, "e2e/artifacts", "guide-"));
  try {
    const file = join(folder, "adopt.mjs");
    writeFileSync(file, textOf("adopt-sessions.md", "js adopt.mjs"));
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    await serving(
      file,
      async (origin) => {
        const { call, jar } = browserAt(origin);
        expect((await call("GET", "/me")).status).toBe(401);
        await call("POST", "/old-login");
        expect([...jar.keys()]).toEqual(["connect.sid"]);
        const copy = new Map(jar);
        expect((await call("GET", "/me")).body).toEqual({ userId: "alice", role: "admin" });
        expect([...jar.keys()]).toEqual(["connect.sid", "pawl-access", "pawl-refresh"]);
        expect((await call("POST", "/signout")).status).toBe(200);
        expect(jar.size).toBe(0);
        for (const [name, value] of copy) jar.set(name, value);
        expect((await call("GET", "/me")).status).toBe(401);
      },
      { env: { ADOPT_UNTIL: tomorrow } },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
