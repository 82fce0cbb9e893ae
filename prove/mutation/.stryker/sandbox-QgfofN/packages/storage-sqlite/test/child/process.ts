import { type ChildProcess, fork } from "node:child_process";
import { onTestFinished } from "vitest";

const program = new URL("program.mjs", import.meta.url).pathname;

/** Starts another process on a database; it runs the build. */
export const startProcess = (task: string, ...values: readonly string[]): ChildProcess => {
  const child = fork(program, [task, ...values], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
};

/** The next message of a process. */
export const messageOf = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as T));
    child.once("exit", (code) => reject(new Error(`the process ended with code ${code}`)));
  });
