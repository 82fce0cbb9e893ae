import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:http2";
import type { Readable } from "node:stream";
import { text as readText } from "node:stream/consumers";

/** An answer as it came over the wire. */
export interface Received {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly setCookies: readonly string[];
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Cookies besides those of the jar. */
  readonly cookie?: string;
  /** Whether the answer is lost on its way: its cookies never reach the jar. */
  readonly isLost?: boolean;
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** The head of an answer, and its body as it comes. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

/** A request under way, over a connection of its own. */
export interface Call {
  readonly answer: Promise<Answer>;
  /** Goes away without waiting for the answer. */
  abort(): void;
}

const callHttp1 = (url: string, { method = "GET", headers = {}, body }: Asked): Call => {
  const asked = request(url, { method, headers, agent: false });
  const answer = new Promise<Answer>((resolve, reject) => {
    asked.on("response", (answered) =>
      resolve({ status: answered.statusCode ?? 0, headers: answered.headers, body: answered }),
    );
    asked.on("error", reject);
  });
  asked.end(body);
  return { answer, abort: () => void asked.destroy() };
};

/** HTTP/2 in clear text, by prior knowledge (RFC 9113 section 3.3). */
const callHttp2 = (url: string, { method = "GET", headers: { host, ...headers } = {}, body }: Asked): Call => {
  const { host: address, pathname, search } = new URL(url.replace(/^h2c:/, "http:"));
  const connection = connect(`http://${address}`);
  const asked = connection.request({
    ":method": method,
    ":path": `${pathname}${search}`,
    ":authority": host ?? address,
    ...headers,
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    asked.on("response", (head) => resolve({ status: head[":status"] ?? 0, headers: head, body: asked }));
    asked.on("error", reject);
    connection.on("error", reject);
  });
  asked.on("close", () => connection.close());
  asked.end(body);
  return { answer, abort: () => connection.destroy() };
};

/** Sends one request; `h2c://` stands for HTTP/2 without TLS. */
export const call = (url: string, asked: Asked = {}): Call =>
  url.startsWith("h2c:") ? callHttp2(url, asked) : callHttp1(url, asked);

/** Sends one request and reads its answer whole. */
export const ask = async (url: string, asked: Asked = {}): Promise<Received> => {
  const { status, headers, body } = await call(url, asked).answer;
  const text = await readText(body);
  return { status, headers, setCookies: headers["set-cookie"] ?? [], text, json: jsonOf(text) };
};

type Keeps = (name: string) => boolean;

/** A browser on one host, as far as sessions need one. */
export class Visitor {
  readonly #origin: string;
  readonly #cookies: Map<string, string>;
  readonly #keeps: Keeps;

  /** @param keeps which cookies of answers it keeps, by name. */
  constructor(origin: string, cookies: ReadonlyMap<string, string> = new Map(), keeps: Keeps = () => true) {
    this.#origin = origin;
    this.#cookies = new Map(cookies);
    this.#keeps = keeps;
  }

  /** The same browser with a copy of its cookies: a second tab whose answers are its own, or a thief. */
  copy(): Visitor {
    return new Visitor(this.#origin, this.#cookies);
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies;
  }

  async ask(path: string, { headers = {}, cookie, isLost = false, ...asked }: Asked = {}): Promise<Received> {
    const carried = [
      ...[...this.#cookies].map(([name, value]) => `${name}=${value}`),
      ...(cookie === undefined ? [] : [cookie]),
    ];
    const sent = carried.length === 0 ? headers : { cookie: carried.join("; "), ...headers };
    const answer = await ask(`${this.#origin}${path}`, { ...asked, headers: sent });
    if (!isLost) for (const line of answer.setCookies) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (!this.#keeps(name)) return;
    if (/; *Expires=Thu, 01 Jan 1970|; *Max-Age=0/i.test(line)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
