import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { runCommand } from "../../src/cli/run-command.js";
import type { CommandResult, RunOptions } from "./pawl-process.js";

/** Runs commands in this process, with a terminal of their own, in a folder. */
export const runIn =
  (folder: string) =>
  async (args: readonly string[], { cwd = folder, env = {}, input = "" }: RunOptions = {}): Promise<CommandResult> => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const output = [text(stdout), text(stderr)] as const;
    const code = await runCommand(args, { cwd, env, stdin: Readable.from([input]), stdout, stderr });
    stdout.end();
    stderr.end();
    return { code, stdout: await output[0], stderr: await output[1] };
  };
