import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const binary = new URL("../../bin/pawl.js", import.meta.url).pathname;

export interface CommandResult {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. */
  readonly input?: string;
}

/** A running `pawl`, with what it has said so far. */
export interface PawlProcess {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  /** Resolves once the pattern stands in standard output; rejects when the process ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<CommandResult>;
}

/** A folder for the processes of one test file, and ways to run `pawl` in it; what still runs at the end is ended. */
export const pawlProcesses = () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-cli-"));
  const children = new Set<ChildProcess>();

  const spawnPawl = (args: readonly string[], { cwd = folder, env = {}, input }: RunOptions = {}): PawlProcess => {
    const inherited = { PATH: process.env["PATH"] ?? "", HOME: folder };
    const child = spawn(process.execPath, [binary, ...args], { cwd, env: { ...inherited, ...env } });
    children.add(child);
    const output = { stdout: "", stderr: "" };
    const listeners = new Set<() => void>();
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
      for (const listener of listeners) listener();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.stdin.on("error", () => undefined);
    if (input === undefined) child.stdin.end();
    else child.stdin.end(input);
    const ended = new Promise<CommandResult>((resolve) =>
      child.once("close", (code) => {
        children.delete(child);
        resolve({ code, ...output });
      }),
    );
    const said = (pattern: RegExp): Promise<RegExpExecArray> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output.stdout);
          if (found === null) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
        void ended.then(({ code, stderr }) =>
          reject(new Error(`ended (${String(code)}) before ${pattern}: ${stderr}`)),
        );
      });
    return { child, output, said, ended };
  };

  /** Starts a core and waits until it listens. */
  const startCore = async (args: readonly string[] = [], options: RunOptions = {}) => {
    const core = spawnPawl(["start", "--port", "0", ...args], options);
    const [, url = ""] = await core.said(/listens on (http:\/\/\S+)/);
    const stop = (signal: NodeJS.Signals = "SIGTERM"): Promise<CommandResult> => {
      core.child.kill(signal);
      return core.ended;
    };
    return { ...core, url, stop };
  };

  afterAll(async () => {
    const ending = [...children].map((child) => new Promise((resolve) => child.once("close", resolve)));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ending);
    rmSync(folder, { recursive: true });
  });

  return {
    folder,
    spawnPawl,
    startCore,
    run: (args: readonly string[], options?: RunOptions) => spawnPawl(args, options).ended,
  };
};
