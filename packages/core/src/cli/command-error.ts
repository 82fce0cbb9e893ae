/** What the process ends with: 0 success, 1 failure, 2 wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2;

/** A command cannot do what it was asked; the message is for the person at the terminal. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(message: string, options: { readonly exitCode?: ExitCode; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The command line is wrong. */
export const usageError = (message: string, cause?: unknown): CommandError =>
  new CommandError(message, { exitCode: 2, cause });

/** The stack of an error and of what caused it, for `--verbose`. */
export const stackOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
};
