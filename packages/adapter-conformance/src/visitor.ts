import { text as readText } from "node:stream/consumers";
import { type Answer, type Asked, call } from "./connection.js";

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

interface VisitorAsked extends Asked {
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

/** Reads an answer whole. */
export const received = async (answer: Promise<Answer>): Promise<Received> => {
  const { status, headers, body } = await answer;
  const text = await readText(body);
  return { status, headers, setCookies: headers["set-cookie"] ?? [], text, json: jsonOf(text) };
};

/** Sends one request over a connection of its own and reads its answer whole. */
export const ask = (url: string, asked: Asked = {}): Promise<Received> => received(call(url, asked).answer);

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

  /** The `Cookie` header that it sends. */
  get cookieHeader(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async ask(path: string, { headers = {}, cookie, isLost = false, ...asked }: VisitorAsked = {}): Promise<Received> {
    const carried = [this.cookieHeader, cookie ?? ""].filter((cookies) => cookies !== "");
    const sent = carried.length === 0 ? headers : { cookie: carried.join("; "), ...headers };
    const answer = await ask(`${this.#origin}${path}`, { ...asked, headers: sent });
    if (!isLost) this.keep(answer);
    return answer;
  }

  /** Takes the cookies of an answer into the jar. */
  keep({ setCookies }: Received): void {
    for (const line of setCookies) this.#keep(line);
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (!this.#keeps(name)) return;
    if (/; *Expires=Thu, 01 Jan 1970|; *Max-Age=0/i.test(line)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
