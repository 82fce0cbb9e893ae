import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("../../..", import.meta.url).pathname;
const folder = new URL("..", import.meta.url).pathname;
const clock = new URL("../../express-demo/test/moved-clock.mjs", import.meta.url).href;

/** Whether its dependencies are there, which `npm test` installs. */
export const isInstalled = existsSync(join(folder, "node_modules"));

/** The built example as a process of its own, on a free port, with users and sessions of its own. */
export interface RunningLogin {
  readonly origin: string;
  /** Its OpenID provider. */
  readonly issuer: string;
  /** Moves its clock ahead, in ms. */
  advance(by: number): Promise<void>;
  /** Gives somebody the role, as the command of its README does. @returns what that printed. */
  makeSupport(name: string): string;
  dispose(): Promise<void>;
}

export const runLogin = async (): Promise<RunningLogin> => {
  execFileSync("npx", ["tsc", "-b", "examples/login"], { cwd: root, stdio: "pipe" });
  const data = await mkdtemp(join(tmpdir(), "pawl-login-"));
  const env = { ...process.env, PORT: "0", PROVIDER_PORT: "0", DATA: data };
  const child = spawn(process.execPath, ["--import", clock, "dist/start.js"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const ended = once(child, "exit");
  let output = "";
  const [origin, issuer] = await new Promise<readonly [string, string]>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const [, open, provider] = /Open (http:\S+)\n.*OpenID provider (http:\S+)/.exec(output) ?? [];
        if (open !== undefined && provider !== undefined) resolve([open, provider]);
      });
    child.on("exit", () => reject(new Error(`the example ended: ${output}`)));
  });
  return {
    origin,
    issuer,
    async advance(by) {
      const moved = once(child, "message");
      child.send(by);
      await moved;
    },
    makeSupport: (name) =>
      execFileSync(process.execPath, ["dist/make-support.js", name], { cwd: folder, env }).toString(),
    async dispose() {
      if (child.exitCode === null) child.kill();
      await ended;
      await rm(data, { recursive: true, force: true });
    },
  };
};
