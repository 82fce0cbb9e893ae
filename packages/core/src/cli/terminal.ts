import { createInterface } from "node:readline/promises";

/** Where a command reads and writes. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** The process's own terminal. */
export const processTerminal = (): Terminal => ({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
});

/** Writes one line for a person or a program to read. */
export const print = (terminal: Terminal, text: string): void => {
  terminal.stdout.write(`${text}\n`);
};

/** Control characters, and those that change the direction of writing: a user agent may hold any of them. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Makes foreign text safe for a terminal: invisible characters are shown as JSON escapes them. */
export const visible = (text: string): string =>
  text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** A JSON value in which nothing invisible stands, on one line unless `indent` says otherwise. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).split("\n").map(visible).join("\n");

/** Writes the result of a command: a JSON value with `--json`, else text. */
export const printResult = (
  terminal: Terminal,
  options: { readonly json?: true },
  { json, text }: { readonly json: unknown; readonly text: string },
): void => print(terminal, options.json === true ? jsonText(json, 2) : text);

/**
 * Asks a question that is answered with yes or no; the end of the input is a no. The question goes to standard error,
 * so that the output of the command stays clean.
 */
export const confirm = async (terminal: Terminal, question: string): Promise<boolean> => {
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr });
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
};
