import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launchChromium } from "@pawl/test-servers/chromium";
import { afterEach, beforeEach, expect, test } from "vitest";
import { events, socketIoByWebSocket, webSocket, type Connect } from "../../packages/node/test/sockets/clients.js";
import { root, textOf } from "./guide-page.js";
import { browserAt, serving } from "./guide-program.js";

/** Inside the repository, so that the packages are found. */
let folder = "";
beforeEach(() => {
  mkdirSync(join(root, "artifacts"), { recursive: true });
  folder = mkdtempSync(join(root, "artifacts", "guide-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file as the page prints it. */
const print = (fence: string): string => {
  const file = join(folder, fence.split(" ")[1] ?? "");
  writeFileSync(file, textOf("sockets.md", fence));
  return file;
};

test.each<readonly [string, readonly Connect[]]>([
  ["app.mjs", [webSocket, events]],
  ["socket-io.mjs", [socketIoByWebSocket]],
  ["hono.mjs", [webSocket, events]],
  ["fastify.mjs", [webSocket]],
])("sockets.md: those of %s are opened for a session alone, and end with it", (name, ways) =>
  serving(print(`js ${name}`), async (origin) => {
    const { call, jar } = browserAt(origin);
    for (const connect of ways) await expect(connect(origin, {})).rejects.toThrow("refused");
    await call("POST", "/login");
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const clients = await Promise.all(ways.map((connect) => connect(origin, { cookie })));
    const [first] = ways;
    await expect(first!(origin, { cookie, origin: "http://localhost:1" })).rejects.toThrow("refused");
    expect((await call("POST", "/signout")).status).toBe(200);
    const end = { code: 4401, reason: "logout" };
    expect(await Promise.all(clients.map(({ ended }) => ended))).toEqual(ways.map(() => end));
  }),
);

test("sockets.md: signing out in another tab closes the socket and the events of a page, which are not opened again", async () => {
  const browser = await launchChromium();
  try {
    print("html page.html");
    await serving(print("js app.mjs"), async (origin) => {
      const context = await browser.newContext();
      const [page, other] = [await context.newPage(), await context.newPage()];
      for (const tab of [page, other]) await tab.goto(origin);
      const shown = async () => [await page.textContent("#socket"), await page.textContent("#events")];
      await page.click("#login");
      await expect.poll(shown, { timeout: 10_000 }).toEqual(["hello", "hello"]);
      const asked: string[] = [];
      context.on("request", (request) => asked.push(new URL(request.url()).pathname));
      await other.click("#signout");
      await expect.poll(shown, { timeout: 10_000 }).toEqual(["4401 logout", "4401 logout"]);
      expect(asked).toEqual(["/signout"]);
      // Of another site: an attacker's page, which the browser's cookies do not help.
      await page.click("#login");
      await expect.poll(shown, { timeout: 10_000 }).toEqual(["hello", "hello"]);
      await other.goto(`${origin.replace("localhost", "127.0.0.1")}/`);
      const attack = (url: string) =>
        new Promise<number>((resolve) => {
          new WebSocket(url).onclose = ({ code }) => resolve(code);
        });
      expect(await other.evaluate(attack, origin.replace("http", "ws"))).toBe(1006);
      expect(await page.evaluate(attack, "ws://localhost:1")).toBe(1006);
    });
  } finally {
    await browser.close();
  }
});
