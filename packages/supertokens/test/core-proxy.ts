import { type CoreConfig, type RunningCore, startCore } from "@pawl/core";
import type { Policy } from "@pawl/engine";
import { createServer, request, type RequestListener } from "node:http";
import { createPawl, type CoreOptions, type Pawl } from "../src/index.js";
import { type TestClock, testClock } from "../src/testing.js";
import { coreConfig } from "./core-config.js";
import { listen } from "./web-app.js";

/** A core behind a proxy that can give answers of its own. */
export interface ProxiedCore {
  readonly core: RunningCore;
  readonly clock: TestClock;
  readonly url: string;
  /** `METHOD /path?query` of every request so far. */
  readonly asked: string[];
  /** Answers in the core's place, where it is set; `false` leaves a request to the core. */
  instead: ((...exchange: Parameters<RequestListener>) => unknown) | undefined;
  /** Stops the core and starts it with other rules on the same store, which must be one that outlives it. */
  restart(policy: Partial<Policy>, changes?: Partial<CoreConfig>): Promise<void>;
  /** An instance of the SDK that asks through the proxy; it is closed with this. */
  open(options?: Partial<CoreOptions>): Promise<Pawl>;
  close(): Promise<void>;
}

/** An answer of something that is no core. */
export const page: RequestListener = (_req, res) => {
  res.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>");
};

export const startProxiedCore = async (
  policy: Partial<Policy> = {},
  changes: Partial<CoreConfig> = {},
): Promise<ProxiedCore> => {
  const clock = testClock();
  let core = await startCore(coreConfig(policy, changes), { clock });
  const asked: string[] = [];
  const proxy = await listen(
    createServer((req, res) => {
      asked.push(`${req.method} ${req.url}`);
      if (it.instead !== undefined && it.instead(req, res) !== false) return;
      const { method, headers } = req;
      const onward = request(`http://127.0.0.1:${core.address.port}${req.url}`, {
        method: method ?? "GET",
        headers: { ...headers, host: `127.0.0.1:${core.address.port}` },
      });
      onward.on("response", (answer) => answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers)));
      onward.on("error", () => res.destroy());
      res.on("close", () => onward.destroy());
      req.pipe(onward);
    }),
  );
  const instances: Pawl[] = [];
  const it: ProxiedCore = {
    get core() {
      return core;
    },
    clock,
    url: proxy.url,
    asked,
    instead: undefined,
    async restart(rules, others = {}) {
      await core.close();
      asked.length = 0;
      core = await startCore(coreConfig(rules, { ...changes, ...others }), { clock });
    },
    async open(options = {}) {
      const pawl = createPawl({ core: [proxy.url], clock, cookies: { sameSite: "lax" }, ...options });
      instances.push(pawl);
      await pawl.ready();
      return pawl;
    },
    async close() {
      for (const pawl of instances) await pawl.close();
      await proxy.close();
      await core.close();
    },
  };
  return it;
};
