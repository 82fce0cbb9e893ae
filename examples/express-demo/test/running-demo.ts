import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const start = fileURLToPath(new URL("../dist/start.js", import.meta.url));
const clock = new URL("./moved-clock.mjs", import.meta.url).href;

/** The built demo as a process of its own, as `npm start` runs it, on free ports and in a new folder. */
export interface RunningDemo {
  readonly url: string;
  readonly coreUrl: string | undefined;
  /** Where it keeps its databases. */
  readonly folder: string;
  /** All it has printed so far. */
  output(): string;
  /** Moves its clock ahead, in ms. */
  advance(by: number): Promise<void>;
  /** Sends Ctrl-C. @returns its exit code */
  interrupt(): Promise<number | null>;
  /** Ends it, if need be, and removes its folder. */
  dispose(): Promise<void>;
}

/** Starts `dist/start.js` and waits until it says where to find it. */
export const runDemo = async (...args: readonly string[]): Promise<RunningDemo> => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-demo-"));
  const flags = ["--port", "0", "--core-port", "0", "--data", folder, ...args];
  const child = spawn(process.execPath, ["--import", clock, start, ...flags], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  const ended = once(child, "exit") as Promise<[number | null]>;
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.includes("Ctrl-C")) resolve();
      });
  });
  await Promise.race([
    ready,
    ended.then(() => {
      throw new Error(`the demo ended: ${output}`);
    }),
  ]);
  const address = (name: string): string | undefined =>
    new RegExp(`${name} +(https?://localhost:\\d+)`).exec(output)?.[1];
  const url = address("Open");
  if (url === undefined) throw new Error(`the demo said no address: ${output}`);
  return {
    url,
    coreUrl: address("Core"),
    folder,
    output: () => output,
    async advance(by) {
      const moved = once(child, "message");
      child.send(by);
      await moved;
    },
    async interrupt() {
      child.kill("SIGINT");
      return (await ended)[0];
    },
    async dispose() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
};
