import { expect, test } from "vitest";
import { apiKey, sampleCore } from "../sample-core.js";

const { core, json, runHere } = sampleCore("dashboard: true\n");

test("pawl dashboard prints a link that opens a session once, and says until when", async () => {
  const { code, stdout, stderr } = await runHere(["dashboard"]);
  expect([code, stderr]).toEqual([0, ""]);
  const [url = "", meaning] = stdout.split("\n");
  expect(meaning).toMatch(/^Opens the dashboard for 8 hours\. It works once, until \d{4}-\d\d-\d\dT[\d:]+Z\.$/);
  const [page, link] = url.split("#link=");
  expect(page).toBe(`${core.url}/dashboard`);
  const open = () => fetch(`${page}/session`, { method: "POST", body: JSON.stringify({ link }) });
  expect((await open()).status).toBe(204);
  expect((await open()).status).toBe(401);
});

test("for programs, at another address, and without a key", async () => {
  const { url, expiresAt } = await json<{ url: string; expiresAt: number }>("dashboard");
  expect([url.startsWith(`${core.url}/dashboard#link=`), expiresAt > Date.now()]).toEqual([true, true]);
  const there = ["dashboard", "--url", core.url.replace("localhost", "127.0.0.1")];
  expect(await runHere(there)).toMatchObject({ code: 1, stderr: expect.stringContaining("API key") as string });
  const { stdout } = await runHere(there, { env: { PAWL_API_KEYS: apiKey } });
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/dashboard#link=[\w-]{43}\n/);
});
