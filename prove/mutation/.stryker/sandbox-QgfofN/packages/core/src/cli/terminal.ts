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

/** Writes one JSON value, for `--json`. */
export const printJson = (terminal: Terminal, value: unknown): void => print(terminal, JSON.stringify(value, null, 2));

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
