import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createPawl as createOwnPawl } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { pawlProcesses } from "../../core/test/cli/pawl-process.js";
import { createPawl } from "../src/index.js";
import { Browser } from "./browser.js";
import { CookieJar } from "./cookie-jar.js";
import { startWebApp } from "./web-app.js";

const { folder, run, startCore } = pawlProcesses();
let url = "";

beforeAll(async () => {
  const cwd = join(folder, "empty");
  mkdirSync(cwd);
  expect(await run(["config", "init"], { cwd })).toMatchObject({ code: 0, stderr: "" });
  ({ url } = await startCore([], { cwd }));
});

test("on a core that `pawl config init` and `pawl start` make, a session of createPawl lives, and ends", async () => {
  const pawl = createOwnPawl({ core: [url] });
  onTestFinished(() => pawl.close());
  const { handle, createSession, requireSession } = forFetch(pawl);
  const jar = new CookieJar();
  const ask = async (method: string, path: string, application: (request: Request) => Promise<unknown> = notFound) => {
    const headers = { cookie: jar.header("app.example", path), origin: "https://app.example" };
    const request = new Request(`https://app.example${path}`, { method, headers });
    const response = await handle(request, async () => Response.json(await application(request)));
    jar.receive("app.example", response.headers.getSetCookie());
    return { status: response.status, body: (await response.json()) as unknown };
  };
  const me = () => ask("GET", "/me", async (request) => ({ userId: (await requireSession(request)).userId }));

  await ask("POST", "/login", async (request) => (await createSession(request, { userId: "alice" })).handle);
  expect(await me()).toEqual({ status: 200, body: { userId: "alice" } });
  expect(await ask("POST", "/session/refresh")).toEqual({ status: 200, body: {} });
  expect(await me()).toEqual({ status: 200, body: { userId: "alice" } });
  expect(await ask("POST", "/signout")).toMatchObject({ status: 200 });
  expect(await me()).toMatchObject({ status: 401 });
});

test("there, a session of the documented API lives, and ends, with the core's default cookies", async () => {
  const pawl = createPawl({ core: [url] });
  const app = await startWebApp(pawl);
  onTestFinished(async () => {
    await app.close();
    await pawl.close();
  });
  const browser = new Browser(app);
  const { setCookie } = await browser.login("bob");
  expect(setCookie.map((line) => line.replace(/=[^;]+/, "").replace(/ Expires=[^;]+;/, ""))).toEqual([
    "sAccessToken; Path=/; HttpOnly; Secure; SameSite=None",
    "sRefreshToken; Path=/session/refresh; HttpOnly; Secure; SameSite=None",
    "sIdRefreshToken; Path=/; HttpOnly; Secure; SameSite=None",
  ]);
  expect((await browser.send("/me")).body).toMatchObject({ userId: "bob" });
  expect((await browser.refresh()).status).toBe(200);
  expect((await browser.send("/me", { method: "POST" })).body).toEqual({ userId: "bob" });
  expect((await browser.send("/logout", { method: "POST" })).status).toBe(200);
  expect((await browser.send("/me")).status).toBe(401);
});

const notFound = async (request: Request): Promise<never> => {
  throw new Error(`${request.method} ${request.url} was not answered`);
};
