// Stands between an application and a core: counts the exchanges of one operation, and goes wrong at one.
import { once } from "node:events";
import { createServer, request } from "node:http";
import { buffer } from "node:stream/consumers";

/**
 * @typedef {import("node:http").IncomingMessage} IncomingMessage
 * @typedef {import("node:http").ServerResponse} ServerResponse
 * @typedef {{ status: number, headers: import("node:http").IncomingHttpHeaders, body: Buffer }} Answer
 */

/** Runs beside every operation: the feed that is followed, what is read when it begins anew, uses that are told of. */
const BESIDES = /^\/v1\/(revocations|settings|jwks|sessions\/uses)\b/;

/**
 * What can go wrong with an exchange.
 * @typedef {object} ExchangeFault
 * @property {(res: ServerResponse, forward: () => Promise<Answer>) => unknown} strike gets the answer to write, and what gives
 *   the core's answer
 * @property {true} [isSilent] whoever asked has to give up
 */

/** @type {Record<string, ExchangeFault>} */
export const exchangeFaults = {
  "cut before it is sent on": { strike: (res) => res.destroy() },
  "cut when it was sent on": {
    async strike(res, forward) {
      await forward();
      res.destroy();
    },
  },
  "half of the answer": {
    async strike(res, forward) {
      const { status, headers, body } = await forward();
      res.writeHead(status, { ...headers, "content-length": body.length + 1 });
      res.write(body.subarray(0, body.length / 2), () => res.destroy());
    },
  },
  "a gateway's page": {
    strike: (res) => res.writeHead(502, { "content-type": "text/html" }).end("<html>Bad Gateway</html>"),
  },
  "no answer, not sent on": { isSilent: true, strike: () => undefined },
  "no answer, sent on": { isSilent: true, strike: (_res, forward) => forward() },
};

/** @param {{ port: number }} target */
export const startFaultyProxy = async ({ port }) => {
  /** @type {{ fault: ExchangeFault | undefined, at: number, lasts: boolean, exchanges: string[] } | undefined} */
  let watch;
  const onwardOf = (/** @type {IncomingMessage} */ { method, url: path, headers }) =>
    request({ host: "127.0.0.1", port, method, path, headers: { ...headers, host: `127.0.0.1:${port}` } });
  /** @type {(req: IncomingMessage, body: Buffer) => Promise<Answer>} */
  const forwardTo = async (req, body) => {
    const [answer] = /** @type {[IncomingMessage]} */ (await once(onwardOf(req).end(body), "response"));
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
  };

  /** @param {IncomingMessage} req @param {ServerResponse} res */
  const serve = async (req, res) => {
    const { method, url = "" } = req;
    if (/^\/v1\/revocations\b/.test(url)) {
      const onward = onwardOf(req);
      onward.on("response", (answer) => answer.pipe(res.writeHead(answer.statusCode ?? 0, answer.headers)));
      onward.on("error", () => res.destroy());
      res.on("close", () => onward.destroy());
      onward.end();
      return;
    }
    const body = await buffer(req);
    const forward = () => forwardTo(req, body);
    const watched = watch;
    if (watched !== undefined && !BESIDES.test(url)) {
      watched.exchanges.push(`${method} ${url.split("?")[0]}`);
      const at = watched.exchanges.length;
      if (at === watched.at || (at > watched.at && watched.lasts)) return void watched.fault?.strike(res, forward);
    }
    const answer = await forward().catch(() => undefined);
    if (answer === undefined) res.destroy();
    else res.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((req, res) => void serve(req, res).catch(() => res.destroy()));
  const listen = (/** @type {number} */ on) => once(server.listen(on, "127.0.0.1"), "listening");
  await listen(0);
  const { port: own } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const stop = () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    return closed;
  };
  return {
    url: `http://127.0.0.1:${own}`,
    /**
     * Watches an operation; `lasts`: the fault goes on until the operation is over.
     * @template T
     * @param {() => Promise<T>} operation
     * @param {{ fault?: ExchangeFault, at?: number, lasts?: boolean }} [options]
     * @returns what it gave, and its exchanges
     */
    async watch(operation, { fault, at = 0, lasts = false } = {}) {
      /** @type {string[]} */
      const exchanges = [];
      watch = { fault, at, lasts, exchanges };
      try {
        return { value: await operation(), exchanges };
      } finally {
        watch = undefined;
      }
    },
    /**
     * Nobody listens while an operation runs.
     * @template T
     * @param {() => Promise<T>} operation
     */
    async without(operation) {
      await stop();
      try {
        return await operation();
      } finally {
        await listen(own);
      }
    },
    close: stop,
  };
};
