import { CommanderError } from "commander";
import { ConfigError } from "../config/config-error.js";
import { CommandError, type ExitCode, stackOf } from "./command-error.js";
import { createProgram } from "./program.js";
import { jsonText, type Terminal } from "./terminal.js";

const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof ConfigError) return 2;
  return error instanceof CommandError ? error.exitCode : 1;
};

const report = (error: unknown, arguments_: readonly string[], { env, stderr }: Terminal): void => {
  // Commander has already written what it had to say.
  if (error instanceof CommanderError) return;
  const message = (error instanceof Error ? error.message : String(error)) || "unknown error";
  if (arguments_.includes("--verbose") || env["PAWL_LOG_LEVEL"] === "debug") stderr.write(`pawl: ${stackOf(error)}\n`);
  else if (arguments_.includes("--json")) {
    const { code } = error as { readonly code?: unknown };
    stderr.write(`${jsonText({ error: { ...(typeof code === "string" ? { code } : {}), message } })}\n`);
  } else stderr.write(`pawl: ${message}\n`);
};

/** Runs one command line, without the names of program and script; failures go to standard error. */
export const runCommand = async (arguments_: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  try {
    await createProgram(terminal).parseAsync([...arguments_], { from: "user" });
    return 0;
  } catch (error) {
    report(error, arguments_, terminal);
    return exitCodeOf(error);
  }
};
