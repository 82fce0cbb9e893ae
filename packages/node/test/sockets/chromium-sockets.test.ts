import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { forNode } from "../../src/adapters/node.js";
import { createPawl } from "../../src/index.js";
import { forSockets } from "../../src/sockets/index.js";
import { served } from "../adapters/served.js";
import { HOUR } from "../plain-application.js";
import { testClock } from "../clock.js";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** An application at `http://localhost`: `/login` logs in, `/events` is a stream, every path may be upgraded. */
const start = async () => {
  const clock = testClock();
  const pawl = createPawl({ storage: "memory:", clock });
  const { handle, createSession, requireSession } = forNode(pawl);
  const { authenticateUpgrade, refuseUpgrade, bindSocket } = forSockets(pawl);
  const refusals: unknown[] = [];
  let bound = 0;

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (req.url === "/login") {
      await createSession(req, res, { userId: "alice" });
      res.end();
    } else if (req.url === "/events") {
      const session = await requireSession(req, res);
      res.setHeader("Content-Type", "text/event-stream");
      bindSocket(res, session);
      bound += 1;
      res.write("data: hello\n\n");
    } else if (req.url === "/me") {
      res.end((await requireSession(req, res)).userId);
    } else {
      res.setHeader("Content-Type", "text/html");
      res.end("<!doctype html><title>Sockets</title>");
    }
  };
  const sockets = new WebSocketServer({ noServer: true });
  const upgrade = async (req: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> => {
    try {
      const session = await authenticateUpgrade(req);
      sockets.handleUpgrade(req, connection, head, (socket) => {
        bindSocket(socket, session);
        bound += 1;
      });
    } catch (error) {
      refusals.push((error as { readonly code?: string }).code);
      refuseUpgrade(connection, error);
    }
  };
  const server = createServer((req, res) => void handle(req, res, () => answer(req, res)));
  server.on("upgrade", (...given) => void upgrade(...given));
  const { origin, close } = await served(server);
  onTestFinished(async () => {
    await close();
    await pawl.close();
  });
  return { clock, pawl, refusals, bound: () => bound, origin: origin.replace("127.0.0.1", "localhost") };
};

/** Of a page: how each way to listen to the server has ended. */
const ends = (page: Page) => page.evaluate(() => (globalThis as { ends?: Record<string, unknown> }).ends);

/** Opens one of each, in a page; what they end with is kept there. */
const openAll = (page: Page) =>
  page.evaluate(async () => {
    const seen: Record<string, unknown> = {};
    Object.assign(globalThis, { ends: seen });
    const socket = new WebSocket(location.origin.replace("http", "ws"));
    socket.addEventListener("close", ({ code, reason }) => (seen["socket"] = [code, reason]));
    const events = new EventSource("/events");
    events.addEventListener("end", ({ data }) => {
      events.close();
      seen["events"] = JSON.parse(data as string);
    });
    const answer = await fetch("/events");
    void answer.text().then((text) => (seen["stream"] = text));
  });

test("the socket, the events and the stream of a page end with its session, which another tab has ended", async () => {
  const { origin, bound, refusals } = await start();
  const context = await browser.newContext();
  const [page, other] = [await context.newPage(), await context.newPage()];
  for (const tab of [page, other]) await tab.goto(origin);
  await page.evaluate(() => fetch("/login", { method: "POST" }));
  await openAll(page);
  await expect.poll(bound).toBe(3);
  expect(await ends(page)).toEqual({});
  await other.evaluate(() => fetch("/signout", { method: "POST" }));
  const end = { code: 4401, reason: "logout" };
  await expect
    .poll(() => ends(page))
    .toEqual({
      socket: [4401, "logout"],
      events: end,
      stream: `data: hello\n\nevent: end\ndata: ${JSON.stringify(end)}\n\n`,
    });
  expect([bound(), refusals]).toEqual([3, []]);
  await context.close();
});

/** Opens a socket in a page. @returns the code it is closed with; 0 where it stays open. */
const openSocket = (page: Page, url: string) =>
  page.evaluate(
    (at) =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(at);
        socket.addEventListener("open", () => resolve(0));
        socket.addEventListener("close", ({ code }) => resolve(code));
      }),
    url,
  );

test("a page of another origin of the same site is refused, though the browser sends the cookies along", async () => {
  const [app, evil] = [await start(), await start()];
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(app.origin);
  await page.evaluate(() => fetch("/login", { method: "POST" }));
  const url = app.origin.replace("http", "ws");
  expect(await openSocket(page, url)).toBe(0);
  // For cookies a port makes no difference.
  await page.goto(evil.origin);
  expect(await openSocket(page, url)).toBe(1006);
  // Without a cookie it would be UNAUTHORISED.
  expect([app.refusals, app.bound()]).toEqual([["CSRF"], 1]);
  await context.close();
});

test("when the access token has run out, any request helps the page to another socket, and an open one stays", async () => {
  const { origin, clock, refusals, bound } = await start();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(origin);
  await page.evaluate(() => fetch("/login", { method: "POST" }));
  await openAll(page);
  await expect.poll(bound).toBe(3);
  clock.advance(1.5 * HOUR);
  const url = origin.replace("http", "ws");
  expect(await openSocket(page, url)).toBe(1006);
  expect(refusals).toEqual(["TRY_REFRESH"]);
  expect(await page.evaluate(() => fetch("/me").then((answer) => answer.text()))).toBe("alice");
  expect(await openSocket(page, url)).toBe(0);
  expect(await ends(page)).toEqual({});
  await context.close();
});
