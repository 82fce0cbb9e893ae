import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import { MemoryStorage } from "@pawl/storage";
import { expect, test, vi } from "vitest";
import { createPawl } from "../src/index.js";
import { Browser } from "./browser.js";
import { startWebApp } from "./web-app.js";

test("a store that fails: verification goes on, everything else is GENERAL_ERROR, and no cookie is touched", async () => {
  const storage = new MemoryStorage();
  const pawl = createPawl({ storage, cookies: { secure: false, sameSite: "lax" } });
  const app = await startWebApp(pawl);
  const browser = new Browser(app);
  await browser.login("u1");
  await storage.close();
  expect((await browser.send("/me")).body.userId).toBe("u1");
  for (const [path, method] of [
    ["/session/refresh", "POST"],
    ["/logout", "POST"],
    ["/data", "GET"],
    ["/others", "POST"],
  ] as const) {
    const answer = await browser.send(path, { method });
    expect(answer.body).toMatchObject({ errType: 1000, code: "GENERAL_ERROR" });
    expect(answer.setCookie).toEqual([]);
    expect(answer.headers["id-refresh-token"]).toBeUndefined();
  }
  const login = await new Browser(app).login("u2");
  expect(login.body.errType).toBe(1000);
  expect(login.setCookie).toEqual([]);
  await app.close();
  await pawl.close().catch(() => undefined);
});

test("what goes wrong in the background becomes a warning", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): unknown => warnings.push(warning);
  process.on("warning", onWarning);
  // The SDK's timers are those of Node, whatever the globals are.
  const rounds: (() => void)[] = [];
  const later = vi.spyOn(timers, "setTimeout").mockImplementation(((run: () => void) => {
    rounds.push(run);
    return { unref: () => ({}) };
  }) as never);
  syncBuiltinESMExports();
  const storage = new MemoryStorage();
  const pawl = createPawl({ storage, cookies: { sameSite: "lax" } });
  await pawl.ready();
  await storage.close();
  for (const round of rounds) round();
  later.mockRestore();
  syncBuiltinESMExports();
  await expect.poll(() => warnings.map(({ name }) => name)).toContain("StorageError");
  process.off("warning", onWarning);
  await pawl.close().catch(() => undefined);
});
