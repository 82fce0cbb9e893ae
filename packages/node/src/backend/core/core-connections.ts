import { Agent, type ClientRequest, type IncomingHttpHeaders, request as requestHttp } from "node:http";
import { Agent as TlsAgent, request as requestHttps } from "node:https";
import { clearTimeout, setTimeout } from "node:timers";
import type { TLSSocket } from "node:tls";
import { urlToHttpOptions } from "node:url";

interface CoreRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** For the whole exchange, ms. */
  readonly timeout: number;
}

interface CoreResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Idle connections are closed before the core closes them, which waits for 5 s. */
const agentOptions = { keepAlive: true, maxSockets: 128, timeout: 4000 } as const;

/** The connections to one host of a core. */
export class CoreConnections {
  readonly #address: ReturnType<typeof urlToHttpOptions>;
  readonly #connectTimeout: number;
  readonly #agent: Agent;
  readonly #request: typeof requestHttp;
  /** Gives up each request that waits for its answer. */
  readonly #waiting = new Set<(cause: Error) => void>();

  constructor(url: URL, { connectTimeout }: { readonly connectTimeout: number }) {
    this.#address = urlToHttpOptions(url);
    this.#connectTimeout = connectTimeout;
    const isTls = url.protocol === "https:";
    this.#agent = isTls ? new TlsAgent(agentOptions) : new Agent(agentOptions);
    this.#request = isTls ? requestHttps : requestHttp;
  }

  /** Rejects with an error of Node's, with code `ETIMEDOUT` when no connection was made, or a `TimeoutError`. */
  send({ method, path, headers, body, timeout }: CoreRequest): Promise<CoreResponse> {
    const request = this.#request({ ...this.#address, agent: this.#agent, method, path, headers });
    return new Promise<CoreResponse>((resolve, reject) => {
      const giveUp = (cause: Error): void => {
        // One that still waits for a connection would not say that it was destroyed.
        reject(cause);
        request.destroy(cause);
      };
      const connecting = setTimeout(() => isConnecting(request) && giveUp(noConnection()), this.#connectTimeout);
      const answering = setTimeout(giveUp, timeout, new DOMException("the core does not answer", "TimeoutError"));
      this.#waiting.add(giveUp);
      request.on("close", () => {
        clearTimeout(connecting);
        clearTimeout(answering);
        this.#waiting.delete(giveUp);
      });
      request.on("error", reject);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      request.end(body);
    });
  }

  close(): void {
    for (const giveUp of this.#waiting) giveUp(new Error("the client of the core was closed"));
    this.#agent.destroy();
  }
}

const noConnection = (): Error => Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" });

const isConnecting = ({ socket }: ClientRequest): boolean => {
  const { connecting, secureConnecting } = (socket ?? {}) as Partial<
    TLSSocket & { readonly secureConnecting: boolean }
  >;
  return connecting === true || secureConnecting === true;
};
