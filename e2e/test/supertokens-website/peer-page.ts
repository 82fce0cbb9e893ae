import { createRequire } from "node:module";
import { dirname } from "node:path";
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import { type Application, startApplication } from "../../../packages/web/test/application.js";

/** What the page of a peer's SDK offers to a test. */
interface PeerGlobals {
  readonly events: readonly string[];
  readonly sdk: Readonly<Record<string, (...args: unknown[]) => unknown>>;
  /** With the entry for axios. */
  readonly axios: (config: object) => Promise<{ readonly status: number }>;
}
declare const window: PeerGlobals & Window;

/** An unmodified release of `supertokens-website`, as a bundler makes a script of it. */
const bundle = async (name: string): Promise<string> => {
  const { resolve } = createRequire(import.meta.url);
  const entry = resolve(name);
  const axios = name.endsWith("/axios") ? `window.axios = require(${JSON.stringify(resolve("axios"))});` : "";
  const contents = `window.sdk = require(${JSON.stringify(entry)}).default; ${axios}`;
  const resolveDir = dirname(entry);
  // As bundlers of its time did without being told.
  const define = { process: '{"env":{}}' };
  const options = { bundle: true, platform: "browser", format: "iife", write: false, define } as const;
  const { outputFiles } = await build({ ...options, stdin: { contents, resolveDir } });
  return outputFiles[0]?.text ?? "";
};

/** Serves a page with this release, or its entry for axios, under `/peer`; the query says how it is set up. */
export const servePeer = async (app: Pick<Application, "intercept">, name: string): Promise<void> => {
  const script = await bundle(name);
  app.intercept("/peer.js", (_req, res) => void res.type("js").send(script));
  app.intercept("/peer", (req, res) => {
    res.type("html").send(`<!doctype html><title>peer</title><script src="/peer.js"></script><script>
      window.events = [];
      const options = JSON.parse(decodeURIComponent("${encodeURIComponent(String(req.query["options"]))}"));
      sdk.init({ ...options, onHandleEvent: ({ action }) => events.push(action) });
      sdk.makeSuper?.(axios);
    </script>`);
  });
};

export { startApplication };

/** A page with the peer's SDK; calls go through the `fetch` that it replaced. */
export class PeerPage {
  readonly page: Page;
  readonly #api: string;

  private constructor(page: Page, api: string) {
    this.page = page;
    this.#api = api;
  }

  static async open(
    context: BrowserContext,
    { origin, api = origin, options }: { readonly origin: string; readonly api?: string; readonly options: object },
  ): Promise<PeerPage> {
    const page = await context.newPage();
    await page.goto(`${origin}/peer?options=${encodeURIComponent(JSON.stringify(options))}`);
    return new PeerPage(page, api);
  }

  /** The status of a call; what was thrown as a text. */
  call(path: string, init: RequestInit = {}): Promise<number | string> {
    return this.page.evaluate(
      ({ url, init }) =>
        fetch(url, init).then(
          (response) => response.status,
          (error: unknown) => String(error instanceof Response ? `refresh answered ${error.status}` : error),
        ),
      { url: this.#api + path, init },
    );
  }

  /** The same through axios, to which the entry for it adds its interceptors; its errors count by their answer. */
  callByAxios(path: string, config: object = {}): Promise<number | string> {
    return this.page.evaluate(
      ({ url, config }) =>
        window.axios({ url, ...config }).then(
          ({ status }) => status,
          (error: Response | { readonly response?: { readonly status: number } }) =>
            error instanceof Response ? `refresh answered ${error.status}` : (error.response?.status ?? String(error)),
        ),
      { url: this.#api + path, config },
    );
  }

  login(): Promise<number | string> {
    return this.call("/login", { method: "POST" });
  }

  /** Calls a function of the SDK. */
  sdk(name: string): Promise<unknown> {
    return this.page.evaluate((name) => window.sdk[name]?.(), name);
  }

  events(): Promise<readonly string[]> {
    return this.page.evaluate(() => window.events);
  }

  /** Names of the cookies that scripts can read. */
  async frontendCookies(): Promise<readonly string[]> {
    const text = await this.page.evaluate(() => document.cookie);
    return text === ""
      ? []
      : text
          .split("; ")
          .map((cookie) => cookie.split("=")[0] ?? "")
          .toSorted();
  }

  cookie(name: string): Promise<string | undefined> {
    return this.page.evaluate((name) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1], name);
  }
}
