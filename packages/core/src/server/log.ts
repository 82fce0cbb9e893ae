import { destination, type Logger, multistream, pino } from "pino";
import type { CoreConfig } from "../config/core-config.js";

/** A log and the files behind it. */
interface CoreLog {
  readonly logger: Logger;
  /** Reopens the files, for log rotation. */
  readonly reopen: () => void;
  /** Flushes and closes the files. */
  readonly close: () => void;
}

type LogConfig = Pick<CoreConfig, "logLevel" | "infoLogPath" | "errorLogPath" | "apiKeys" | "verifierApiKeys">;

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
/** Characters of lines kept while the disk takes none. */
const MOST_WAITING = 1_048_576;

/**
 * The core's log, one JSON object a line: `error` and worse to one place, the rest to the other. Directories are
 * made. Tokens and keys never get into a line; should one ever be part of a message, it is masked.
 * @throws an error with a system `code` when a file cannot be written.
 */
export const createCoreLog = (config: LogConfig): CoreLog => {
  const open = (path: string | undefined, standard: number) => {
    // Lines are few above debug, and the last ones before a crash are the ones that matter: no buffer.
    const file = destination({ dest: path ?? standard, mkdir: true, sync: true, maxLength: MOST_WAITING });
    // A full disk must not end the core: what it did not take waits for the next line, then is dropped.
    file.on("error", () => undefined);
    return file;
  };
  const info = open(config.infoLogPath, STANDARD_OUTPUT);
  const errors = open(config.errorLogPath, STANDARD_ERROR);
  const streams = multistream(
    [
      { level: "trace", stream: info },
      { level: "error", stream: errors },
    ],
    { dedupe: true },
  );
  const level = config.logLevel === "none" ? "silent" : config.logLevel;
  const mask = createMask([...config.apiKeys, ...config.verifierApiKeys]);
  return {
    logger: pino({ level, base: null, hooks: { streamWrite: mask } }, streams),
    reopen() {
      if (config.infoLogPath !== undefined) info.reopen();
      if (config.errorLogPath !== undefined) errors.reopen();
    },
    close() {
      if (config.infoLogPath !== undefined) info.end();
      if (config.errorLogPath !== undefined) errors.end();
    },
  };
};

/** Refresh tokens, and access tokens of any form: a JWT starts with `{"` in base64. */
const TOKENS = /(pawl_rt_1\.|eyJ)[\w+/=-]{8,}(?:\.[\w+/=-]*)*/g;

/** Masks tokens and the given secrets in a line of text. */
export const createMask =
  (secrets: readonly string[]) =>
  (line: string): string => {
    const masked = line.replace(TOKENS, "$1***");
    return secrets.reduce((text, secret) => text.replaceAll(secret, "***"), masked);
  };
