import type { BrowserContext, Frame, Page } from "playwright-core";
import type { WebSessionEvent, WebOptions, WebSession } from "../src/index.js";
import type { HeaderTokensOptions } from "../src/header.js";

/** What the test page offers. */
interface PageGlobals {
  readonly session: WebSession;
  readonly events: WebSessionEvent[];
  readonly times: number[];
  readonly loaded?: boolean;
  call(path: string, init?: RequestInit): Promise<number>;
}
declare const window: PageGlobals;

export interface PageOptions extends Omit<WebOptions, "tokens"> {
  readonly header?: HeaderTokensOptions;
}

/** A page that uses the SDK, or a frame with one. */
export class SessionPage {
  readonly target: Frame | Page;

  constructor(target: Frame | Page) {
    this.target = target;
  }

  static async open(context: BrowserContext, origin: string, options: PageOptions = {}): Promise<SessionPage> {
    const page = await context.newPage();
    await page.goto(pageUrl(origin, options));
    return new SessionPage(page).loaded();
  }

  get page(): Page {
    return this.target as Page;
  }

  async loaded(): Promise<this> {
    await this.target.waitForFunction(() => window.loaded === true);
    return this;
  }

  login(body: object = {}): Promise<number> {
    return this.call("/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** The status of a call with the global `fetch`; 0 when it was not answered. */
  call(path: string, init: RequestInit = {}): Promise<number> {
    return this.target.evaluate(({ path, init }) => window.call(path, init).catch(() => 0), { path, init });
  }

  /** Registers the service worker and waits until it rules the page. */
  async startWorker(): Promise<void> {
    await this.target.evaluate(async () => {
      const ruled = new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
      await navigator.serviceWorker.register("/worker.js", { type: "module" });
      await ruled;
    });
  }

  /** The status of a call that the service worker makes itself. */
  callInWorker(path: string): Promise<number> {
    return this.target.evaluate(
      (path) =>
        new Promise<number>((resolve) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = ({ data }) => resolve(data as number);
          navigator.serviceWorker.controller?.postMessage(path, [port2]);
        }),
      path,
    );
  }

  exists(): Promise<boolean> {
    return this.target.evaluate(() => window.session.doesSessionExist());
  }

  userId(): Promise<string | undefined> {
    return this.target.evaluate(() => window.session.getUserId());
  }

  payload(): Promise<object | undefined> {
    return this.target.evaluate(() => window.session.getPayload());
  }

  attemptRefresh(): Promise<string> {
    return this.target.evaluate(() => window.session.attemptRefresh());
  }

  signOut(): Promise<string> {
    return this.target.evaluate(() => window.session.signOut());
  }

  events(): Promise<readonly WebSessionEvent[]> {
    return this.target.evaluate(() => window.events);
  }

  eventTypes(): Promise<readonly string[]> {
    return this.target.evaluate(() => window.events.map(({ type }) => type));
  }

  /** When the page heard of an event, by its own clock. */
  timeOf(type: string): Promise<number | undefined> {
    return this.target.evaluate((type) => {
      const at = window.events.findIndex((event) => event.type === type);
      return window.times[at];
    }, type);
  }

  async until(type: string): Promise<void> {
    await this.target.waitForFunction((type) => window.events.some((event) => event.type === type), type);
  }
}

export const pageUrl = (origin: string, options: PageOptions = {}): string =>
  `${origin}/page?options=${encodeURIComponent(JSON.stringify(options))}`;
