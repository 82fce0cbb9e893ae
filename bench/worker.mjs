import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * A process of its own that answers calls over IPC.
 * @typedef {{ call: (method: string, ...parameters: unknown[]) => Promise<any>, stop: () => Promise<void> }} Worker
 */

/**
 * Starts a script of this folder as a worker.
 * @param {string} script
 * @param {string[]} parameters
 * @param {string[]} nodeOptions
 * @returns {Worker}
 */
export const startWorker = (script, parameters = [], nodeOptions = []) => {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), parameters, {
    execArgv: nodeOptions,
    // Nothing of a contender may reach our standard output: that is the report's.
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, NODE_ENV: "production" },
    serialization: "advanced",
  });
  let complaints = "";
  child.stderr?.on("data", (chunk) => (complaints = (complaints + chunk).slice(-2000)));
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  let calls = 0;
  const failAll = (/** @type {Error} */ error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  child.on("message", (/** @type {{ id: number, result?: unknown, error?: string }} */ answer) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) call?.resolve(answer.result);
    else call?.reject(new Error(`${parameters.join(" ") || script}: ${answer.error}`));
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.once("exit", (code, signal) =>
    failAll(new Error(`${parameters.join(" ") || script} ended (${signal ?? code}) ${complaints.trim()}`)),
  );
  return {
    call: (method, ...values) =>
      new Promise((resolve, reject) => {
        const id = ++calls;
        waiting.set(id, { resolve, reject });
        child.send({ id, method, values }, (error) => {
          if (error) reject(error);
        });
      }),
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

/**
 * The other end: answers calls with these methods, and leaves when the parent lets go.
 * @param {Record<string, (...values: any[]) => unknown>} methods
 * @param {() => unknown} [close]
 */
export const answerCalls = (methods, close = () => undefined) => {
  const answer = async (/** @type {{ id: number, method: string, values: unknown[] }} */ { id, method, values }) => {
    try {
      const called = methods[method];
      if (called === undefined) throw new Error(`no method ${method}`);
      process.send?.({ id, result: await called(...values) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  const leave = async () => {
    await close();
    process.exit(0);
  };
  process.on("message", (call) => void answer(/** @type {any} */ (call)));
  process.on("disconnect", () => void leave());
};
