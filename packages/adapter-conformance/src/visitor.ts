import { request } from "node:http";

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

/** Sends one request over a connection of its own, and reads its answer whole. */
export const ask = async (url: string, { method = "GET", headers = {} }: Asked = {}): Promise<Received> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          setCookies: answer.headers["set-cookie"] ?? [],
          text,
          json: jsonOf(text),
        }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });

/** A browser on one host, as far as sessions need one. */
export class Visitor {
  readonly #origin: string;
  readonly #cookies: Map<string, string>;

  constructor(origin: string, cookies: ReadonlyMap<string, string> = new Map()) {
    this.#origin = origin;
    this.#cookies = new Map(cookies);
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
    if (/; *Expires=Thu, 01 Jan 1970|; *Max-Age=0/i.test(line)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
