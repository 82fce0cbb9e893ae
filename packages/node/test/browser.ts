import { CookieJar } from "../../supertokens/test/cookie-jar.js";
import { type Answer, errorAnswer, type Exchange, fetchExchange, SessionError } from "../src/index.js";
import { HOST } from "./site.js";

/** What a request came to. */
export interface Visit<Result> {
  readonly result: Result | undefined;
  /** The error that was answered. */
  readonly error: SessionError | undefined;
  readonly status: number;
  readonly headers: Headers;
  /** How many cookies were set or cleared. */
  readonly lines: number;
}

/** A browser at `https://app.example.com` whose requests a test answers itself. */
export class TestBrowser {
  readonly jar: CookieJar;

  constructor(jar: CookieJar = new CookieJar()) {
    this.jar = jar;
  }

  /** Sends a request; errors of sessions are answered, others thrown. */
  async visit<Result>(
    work: (exchange: Exchange) => Promise<Result>,
    {
      method = "POST",
      path = "/",
      headers = {},
    }: { readonly method?: string; readonly path?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<Visit<Result>> {
    const cookie = this.jar.header(HOST, new URL(path, `https://${HOST}`).pathname);
    const sent = new Request(`https://${HOST}${path}`, { method, headers: { ...(cookie && { cookie }), ...headers } });
    const exchange = fetchExchange(sent);
    let [result, error]: [Result | undefined, SessionError | undefined] = [undefined, undefined];
    let answer: Answer = { status: 200, headers: {}, body: {} };
    try {
      result = await work(exchange);
    } catch (thrown) {
      if (!(thrown instanceof SessionError)) throw thrown;
      error = thrown;
      answer = errorAnswer(thrown);
    }
    const applied = exchange.applyTo(Response.json(answer.body, answer));
    const lines = applied.headers.getSetCookie();
    this.jar.receive(HOST, lines);
    return { result, error, status: applied.status, headers: applied.headers, lines: lines.length };
  }

  /** Another tab that starts with a copy of these cookies, or a thief. */
  copy(): TestBrowser {
    const jar = new CookieJar();
    for (const [name, value] of this.cookies()) jar.receive(HOST, [`${name}=${value}; Path=/; Secure`]);
    return new TestBrowser(jar);
  }

  cookies(): readonly (readonly [name: string, value: string])[] {
    return this.jar
      .header(HOST, "/")
      .split("; ")
      .filter((pair) => pair !== "")
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  }
}
