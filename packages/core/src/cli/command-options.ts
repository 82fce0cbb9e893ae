import { type Command, InvalidArgumentError } from "commander";
import type { ApiClientOptions } from "./api-client.js";

/** Options that every command takes. */
export interface CommandOptions {
  readonly config?: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** Options of the commands that talk to a running core. */
export interface CallOptions extends CommandOptions, ApiClientOptions {}

type Example = readonly [line: string, meaning: string];

/** Adds examples below the help of a command. */
export const examples = (command: Command, ...lines: readonly Example[]): Command => {
  const widest = Math.max(...lines.map(([line]) => line.length));
  const text = lines.map(([line, meaning]) => `  ${line.padEnd(widest)}  # ${meaning}`).join("\n");
  return command.addHelpText("after", `\nExamples:\n${text}`);
};

/** Completes a command that works on this machine: the options that every command takes, and examples. */
export const localCommand = (command: Command, ...lines: readonly Example[]): Command =>
  examples(command, ...lines)
    .option("-c, --config <file>", "config file (./config.yaml if there is one)")
    .option("--json", "print JSON, for programs")
    .option("--verbose", "print the stack of an error");

/** Completes a command that opens the storage itself. */
export const storageCommand = (command: Command, ...lines: readonly Example[]): Command =>
  localCommand(command, ...lines).option("--storage <url>", "storage to open (else that of the configuration)");

/** Completes a command that calls a running core. */
export const callingCommand = (command: Command, ...lines: readonly Example[]): Command =>
  localCommand(command, ...lines)
    .option("--url <url>", "address of the core (else from the configuration, or PAWL_URL)")
    .option("--api-key-file <file>", "file that holds an API key (else the first of api_keys, or PAWL_API_KEY_FILE)");

/** Reads an option that is a whole number. */
export const wholeNumber =
  ({ min, max }: { readonly min: number; readonly max: number }) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };

/** Reads an option that is a point in time, in milliseconds. */
export const pointInTime = (text: string): number => {
  const time = /^\d{4}-\d\d-\d\d(T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("It must be a time such as 2026-03-01T00:00:00Z.");
  return time;
};

/** Reads an argument or option that is text and not empty. */
export const someText = (text: string): string => {
  if (text === "") throw new InvalidArgumentError("It must not be empty.");
  return text;
};
