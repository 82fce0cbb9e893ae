// Stands between an application and a core: counts the exchanges of one operation, and goes wrong at one.
import { createServer, request } from "node:http";

/** Runs beside every operation: the feed that is followed, what is read when it begins anew, uses that are told of. */
const BESIDES = /^\/v1\/(revocations|settings|jwks|sessions\/uses)\b/;

const readBody = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/**
 * What can go wrong with an exchange. Each gets the answer to write, and `forward`, which gives the core's answer.
 * `isSilent`: whoever asked has to give up.
 */
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
  let watch;
  const forwardTo = ({ method, url, headers }, body) =>
    new Promise((resolve, reject) => {
      const onward = request({
        host: "127.0.0.1",
        port,
        method,
        path: url,
        headers: { ...headers, host: `127.0.0.1:${port}` },
      });
      onward.on("response", (answer) => {
        const { statusCode: status, headers } = answer;
        readBody(answer).then((body) => resolve({ status, headers, body }), reject);
      });
      onward.on("error", reject);
      onward.end(body);
    });

  const serve = async (req, res) => {
    if (/^\/v1\/revocations\b/.test(req.url)) {
      const { method, url: path, headers } = req;
      const onward = request({ host: "127.0.0.1", port, method, path, headers });
      onward.on("response", (answer) => answer.pipe(res.writeHead(answer.statusCode, answer.headers)));
      onward.on("error", () => res.destroy());
      res.on("close", () => onward.destroy());
      onward.end();
      return;
    }
    const body = await readBody(req);
    const forward = () => forwardTo(req, body);
    const watched = watch;
    if (watched !== undefined && !BESIDES.test(req.url)) {
      watched.exchanges.push(`${req.method} ${req.url.split("?")[0]}`);
      const at = watched.exchanges.length;
      if (at === watched.at || (at > watched.at && watched.lasts)) return void watched.fault.strike(res, forward);
    }
    const answer = await forward().catch(() => undefined);
    if (answer === undefined) res.destroy();
    else res.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const server = createServer((req, res) => void serve(req, res).catch(() => res.destroy()));
  const listen = (on) => new Promise((resolve) => server.listen(on, "127.0.0.1", resolve));
  await listen(0);
  const { port: own } = server.address();
  const stop = () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    return closed;
  };
  return {
    url: `http://127.0.0.1:${own}`,
    /** Watches an operation; `lasts`: the fault goes on until the operation is over. @returns its exchanges. */
    async watch(operation, { fault, at = 0, lasts = false } = {}) {
      const watched = { fault, at, lasts, exchanges: [] };
      watch = watched;
      try {
        await operation();
      } finally {
        watch = undefined;
      }
      return watched.exchanges;
    },
    /** Nobody listens while an operation runs. */
    async without(operation) {
      await stop();
      try {
        await operation();
      } finally {
        await listen(own);
      }
    },
    close: stop,
  };
};
