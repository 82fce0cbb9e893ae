import { Agent, request } from "undici";
import type { Answer, WebApp } from "./web-app.js";

// Hostile tests send headers that no browser would; the limit of the server is what counts.
const agent = new Agent({ maxHeaderSize: 2_000_000 });

export interface RequestOptions {
  readonly method?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the cookies of the jar. */
  readonly cookie?: string;
}

/** A browser as far as sessions see one: it keeps cookies by name, and the anti-CSRF token of the page. */
export class Browser {
  readonly #app: WebApp;
  readonly cookies = new Map<string, string>();
  antiCsrf: string | undefined;

  constructor(app: WebApp) {
    this.#app = app;
  }

  /** The `Cookie` header of the next request. */
  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async send(path: string, { method = "GET", body, headers = {}, cookie }: RequestOptions = {}): Promise<Answer> {
    const sent = cookie ?? this.cookieHeader;
    const answer = await request(this.#app.url + path, {
      dispatcher: agent,
      method: method as "GET",
      headers: {
        ...(sent === "" ? {} : { cookie: sent }),
        ...(this.antiCsrf === undefined ? {} : { "anti-csrf": this.antiCsrf }),
        "user-agent": "TestBrowser/1.0",
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const setCookie = [answer.headers["set-cookie"] ?? []].flat();
    for (const line of setCookie) this.#keep(line);
    const antiCsrf = answer.headers["anti-csrf"];
    if (typeof antiCsrf === "string") this.antiCsrf = antiCsrf;
    return { status: answer.statusCode, headers: answer.headers, setCookie, body: await answer.body.json() };
  }

  login(userId = "u1", more: { readonly payload?: object; readonly data?: object } = {}): Promise<Answer> {
    return this.send("/login", { method: "POST", body: { userId, ...more } });
  }

  refresh(): Promise<Answer> {
    return this.send("/session/refresh", { method: "POST" });
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (line.includes("Expires=Thu, 01 Jan 1970")) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
