import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { startTestCore } from "../core.js";
import { root, textOf } from "../guide-page.js";
import { SECRET, startProvider } from "./provider.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

/** A folder with files, where both our packages and those of the guide are found. */
const folderWith = (files: Readonly<Record<string, string>>): string => {
  const place = join(root, "e2e/artifacts");
  mkdirSync(place, { recursive: true });
  const folder = mkdtempSync(join(place, "identity-provider-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
};

/** Starts a process that says where it listens. */
const start = async (folder: string, command: readonly string[], env: Readonly<Record<string, string>>) => {
  const child = spawn(process.execPath, command, { cwd: folder, env: { ...process.env, PORT: "0", ...env } });
  let said = "";
  const origin = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        said += String(chunk);
        const [found] = /http:\/\/[\w.]+:\d+/.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
    child.on("exit", () => reject(new Error(said)));
  });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, "exit");
  });
  return { origin, said: () => said };
};

/** A port for a server that has to be known before it starts. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

/** Sees what the provider posts, and hands it on. */
const startPost = async (target: () => string) => {
  const forms: string[] = [];
  const handOn = async (request: IncomingMessage): Promise<Response> => {
    const body = await text(request);
    forms.push(body);
    return fetch(target(), {
      method: "POST",
      body,
      headers: { "content-type": String(request.headers["content-type"]) },
    });
  };
  const server: Server = createServer((request, response) => {
    void handOn(request).then(async (answer) =>
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text()),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, forms };
};

/** Logs in as anybody, on the pages of the provider. */
const logIn = async (page: Page, origin: string, name: string): Promise<void> => {
  await page.goto(`${origin}/login`);
  await page.locator("input[name=login]").fill(name);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL(`${origin}/me`);
};

const me = async (page: Page, origin: string) => {
  const answer = await page.goto(`${origin}/me`);
  return [answer?.status(), await answer?.json()] as const;
};

const logOut = async (page: Page, issuer: string): Promise<void> => {
  await page.goto(`${issuer}/session/end`);
  await page.getByRole("button", { name: "Yes, sign me out" }).click();
  await page.waitForLoadState();
};

const post = async (url: string, body: string) => {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(body) });
  return [answer.status, await answer.json(), answer.headers.get("cache-control")] as const;
};

const ENDED = [401, { message: "unauthorised", code: "UNAUTHORISED", reason: "identity_provider" }] as const;
const REPLAYED = [
  400,
  { error: "invalid_request", error_description: "logout token refused: it was received before" },
  "no-store",
] as const;

const PROGRAM = "federated.mjs";
const printed = textOf("identity-provider-logout.md", `js ${PROGRAM}`);

/** A provider, a folder with a program that logs in there, and what the program is to be told. */
const startElsewhere = async (program: string) => {
  const provider = await startProvider();
  onTestFinished(() => provider.close());
  const port = await freePort();
  let logoutUri = "";
  const seen = await startPost(() => logoutUri);
  provider.serve([{ id: "my-app", redirectUri: `http://localhost:${port}/callback`, logoutUri: seen.url }]);
  const folder = folderWith({ [PROGRAM]: program });
  const env = { ISSUER: provider.issuer, CLIENT_SECRET: SECRET };
  return {
    provider,
    forms: seen.forms,
    /** Where users log in. */
    startFirst: (more: object = {}) => start(folder, [PROGRAM], { ...env, ...more, PORT: String(port) }),
    startAnother: (more: object = {}) => start(folder, [PROGRAM], { ...env, ...more }),
    /** Whom the provider tells of logouts. */
    tell: (url: string) => void (logoutUri = url),
  };
};

const openPage = async (): Promise<Page> => {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context.newPage();
};

test("the guide's program: a logout at the provider ends the session in every process, and only that one", async () => {
  const { provider, forms, startFirst, startAnother, tell } = await startElsewhere(printed);
  const first = await startFirst();
  const second = await startAnother();
  tell(`${second.origin}/session/backchannel-logout`);

  const [alice, laptop, bob] = [await openPage(), await openPage(), await openPage()];
  await logIn(alice, first.origin, "alice");
  await logIn(laptop, first.origin, "alice");
  await logIn(bob, first.origin, "bob");
  for (const page of [alice, laptop, bob]) expect((await me(page, second.origin))[0]).toBe(200);

  await logOut(alice, provider.issuer);
  expect(provider.told).toEqual(["success"]);
  expect(forms).toHaveLength(1);
  const since = performance.now();
  await expect.poll(() => me(alice, first.origin), { interval: 20, timeout: 5000 }).toEqual(ENDED);
  console.log(
    `refused by the other process ${Math.round(performance.now() - since)} ms after the provider was answered`,
  );
  expect(await me(laptop, first.origin)).toEqual([200, { userId: "alice" }]);
  expect(await me(bob, first.origin)).toEqual([200, { userId: "bob" }]);

  const [form = ""] = forms;
  for (const { origin } of [first, second])
    expect(await post(`${origin}/session/backchannel-logout`, form)).toEqual(REPLAYED);
  expect((await me(laptop, second.origin))[0]).toBe(200);
});

test.each(["the application", "the core"])("over a core, whose provider tells %s", async (whom) => {
  const overCore = printed.replace(/createPawl\(.*\);/u, "createPawl({ core: [process.env.CORE] });");
  expect(overCore).not.toBe(printed);
  const { provider, forms, startFirst, startAnother, tell } = await startElsewhere(overCore);
  const core = await startTestCore({
    config: { identityProviders: [{ issuer: provider.issuer, clientId: "my-app" }] },
  });
  onTestFinished(() => core.close());
  const first = await startFirst({ CORE: core.url });
  const second = await startAnother({ CORE: core.url });
  const routes = [`${second.origin}/session/backchannel-logout`, `${core.url}/oauth/backchannel-logout`] as const;
  tell(whom === "the core" ? routes[1] : routes[0]);

  const [alice, bob] = [await openPage(), await openPage()];
  await logIn(alice, first.origin, "alice");
  await logIn(bob, first.origin, "bob");
  await logOut(alice, provider.issuer);
  expect(provider.told).toEqual(["success"]);
  await expect.poll(() => me(alice, first.origin), { interval: 20, timeout: 5000 }).toEqual(ENDED);
  expect(await me(bob, first.origin)).toEqual([200, { userId: "bob" }]);
  for (const url of routes) expect(await post(url, forms[0] ?? "")).toEqual(REPLAYED);
});
