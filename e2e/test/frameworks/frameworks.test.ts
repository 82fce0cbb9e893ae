import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launchChromium } from "@pawl/test-servers/chromium";
import { build, type Plugin } from "esbuild";
import type { Browser } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { compile } from "svelte/compiler";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startApplication } from "../../../packages/web/test/application.js";
import { Greeting } from "./react-greeting.js";

const file = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
const guide = readFileSync(new URL("../../../docs/guide/web-pages.md", import.meta.url), "utf8");

test.each(["use-session", "vue-session", "svelte-session"])("the guide shows %s.ts", (name) => {
  expect(guide).toContain(`\`\`\`ts ${name}.ts\n${readFileSync(file(name), "utf8")}\`\`\``);
});

describe("a page drawn from the session", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const it of open.splice(0).toReversed()) await it.close();
  });

  const svelte: Plugin = {
    name: "svelte",
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.svelte$/ }, ({ path }) => ({
        contents: compile(readFileSync(path, "utf8"), { generate: "client" }).js.code,
      })),
  };

  test.each(["react", "vue", "svelte"])("%s follows logins, changes and logouts of any tab", async (framework) => {
    const app = await startApplication();
    const context = await browser.newContext();
    open.push(app, context);
    const define = { "process.env.NODE_ENV": '"production"' };
    const options = { bundle: true, format: "esm", write: false, define, logLevel: "silent" } as const;
    const { outputFiles } = await build({ ...options, entryPoints: [file(`${framework}-page`)], plugins: [svelte] });
    app.intercept("/bundle.js", (_req, res) => void res.type("js").send(outputFiles[0]?.text));
    // As a server renders it, which knows of no session.
    const rendered = framework === "react" ? renderToString(createElement(Greeting)) : "";
    app.intercept("/", (_req, res) => {
      res
        .type("html")
        .send(
          `<!doctype html><title>page</title><main>${rendered}</main><script type="module" src="/bundle.js"></script>`,
        );
    });
    const [page, other] = [await context.newPage(), await context.newPage()];
    const shows = (text: string) =>
      Promise.all([page, other].map((it) => it.locator("h1").filter({ hasText: text }).waitFor()));
    await page.goto(app.origin());
    await other.goto(app.origin());
    await shows("Welcome, stranger");
    await page.evaluate(() => fetch("/login", { method: "POST" }));
    await shows("Hello u1, reader");
    const [handle = ""] = await app.pawl.getAllSessionHandlesForUser("u1");
    await app.pawl.sessions.updatePayload(handle, { role: "writer" });
    app.clock.advance("2h");
    await other.evaluate(() => fetch("/me"));
    await shows("Hello u1, writer");
    await page.evaluate(() => (globalThis as unknown as { session: { signOut(): Promise<string> } }).session.signOut());
    await shows("Welcome, logout");
    expect(await page.evaluate(() => (globalThis as unknown as { errors: string[] }).errors)).toEqual([]);
  });

  /** A block of the guide, whose SDK stands elsewhere in the test application. */
  const blockOf = (start: string): string => {
    const [, text = ""] = guide.split(start);
    return text.split("\n```")[0]!.replaceAll("/pawl-web/", "/sdk/");
  };

  test("the guide's plain page and its service worker do what they say", async () => {
    const app = await startApplication();
    const context = await browser.newContext();
    open.push(app, context);
    const body = `<!doctype html><title>page</title><button id="log-out">Log out</button>${blockOf("```html\n")}`;
    app.intercept("/", (_req, res) => void res.type("html").send(body));
    app.intercept("/guide-worker.js", (_req, res) => void res.type("js").send(`// ${blockOf("```js\n// worker.js")}`));
    app.intercept("/api/me", (req, _res, next) => {
      req.url = "/me";
      next();
    });
    const page = await context.newPage();
    await page.goto(app.origin());
    const status = await page.evaluate(async () => {
      const ruled = new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
      await navigator.serviceWorker.register("/guide-worker.js", { type: "module" });
      await ruled;
      return (await fetch("/login", { method: "POST" })).status;
    });
    expect(status).toBe(200);
    app.clock.advance("2h");
    const answered = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const request = new XMLHttpRequest();
          request.open("POST", "/api/me");
          request.onload = () => resolve(request.status);
          request.send("body");
        }),
    );
    expect([answered, app.count("POST", "/session/refresh")]).toEqual([200, 1]);
    await page.getByRole("button").click();
    await page.waitForURL("**/login");
    expect(await context.cookies()).toEqual([]);
  });
});
