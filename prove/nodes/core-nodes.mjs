// Core nodes as an operator runs them: processes of `pawl start` that share a storage and know nothing of each other.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";

const binary = new URL("../../packages/core/bin/pawl.js", import.meta.url).pathname;
const skew = new URL("clock-skew.mjs", import.meta.url).href;

/** How wrong the clocks of the nodes are, in ms: right, ahead, behind. */
const SKEWS = [0, 300_000, -300_000];

/**
 * @param {string} url
 * @param {{ masterKey: string, window: number, skewMs: number, environment: Record<string, string> }} options
 * @returns {Promise<{ url: string, child: import("node:child_process").ChildProcess, ended: Promise<unknown> }>}
 */
const startNode = (url, { masterKey, window, skewMs, environment }) => {
  const child = spawn(process.execPath, ["--import", skew, binary, "start", "--json"], {
    env: {
      PATH: process.env.PATH,
      CLOCK_SKEW_MS: String(skewMs),
      PAWL_STORAGE: url,
      PAWL_PORT: "0",
      PAWL_MASTER_KEY: masterKey,
      PAWL_REFRESH_TOKEN_REUSE_WINDOW: String(window),
      PAWL_LOG_LEVEL: "error",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-2000)));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return new Promise((resolve, reject) => {
    let output = "";
    child.once("exit", (code) => reject(new Error(`a node ended with ${code}: ${said}${output}`)));
    child.stdout.on("data", (chunk) => {
      output += chunk;
      const line = /^\{.*"url".*\}$/m.exec(output);
      if (line !== null) resolve({ url: JSON.parse(line[0]).url, child, ended });
    });
  });
};

/**
 * Starts nodes on one storage.
 * @param {string} url
 * @param {{ count?: number, window?: number, skewed?: boolean, environment?: Record<string, string> }} options window in seconds; skewed: with clocks that are
 * right, five minutes ahead and five behind in turn
 */
export const startNodes = async (url, { count = 3, window = 0, skewed = true, environment = {} } = {}) => {
  const masterKey = randomBytes(32).toString("base64");
  const start = (/** @type {number} */ index) =>
    startNode(url, { masterKey, window, environment, skewMs: skewed ? (SKEWS[index % SKEWS.length] ?? 0) : 0 });
  // At once, so that they race for the migrations and the first keys.
  const nodes = await Promise.all(Array.from({ length: count }, (_, index) => start(index)));
  return {
    masterKey,
    /** Addresses of the nodes, also of one that is dead now. */
    urls: () => nodes.map((node) => node.url),
    /** Kills a node, and starts it again. */
    restart: async (/** @type {number} */ index) => {
      nodes[index]?.child.kill("SIGKILL");
      await nodes[index]?.ended;
      nodes[index] = await start(index);
    },
    areAlive: () => nodes.every(({ child }) => child.exitCode === null && child.signalCode === null),
    stop: async () => {
      for (const { child } of nodes) child.kill("SIGKILL");
      await Promise.all(nodes.map(({ ended }) => ended));
    },
  };
};

/** @typedef {Awaited<ReturnType<typeof startNodes>>} Nodes */
