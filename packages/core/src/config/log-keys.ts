import { resolve } from "node:path";
import { key, withDefault } from "./config-key.js";
import { choice, text } from "./value-type.js";

/** "null" is not a path but stands for none, as in files written for a SuperTokens core. */
export const absolutePath = (value: string, folder: string): string =>
  value === "null" ? value : resolve(folder, value);

/** Where the log goes. */
export const logKeys = {
  log_level: withDefault({
    group: "Logs",
    summary: "The least severe level that is logged.",
    type: choice("debug", "info", "warn", "error", "none"),
    default: "info",
  }),
  info_log_path: key({
    group: "Logs",
    summary: 'File for lines less severe than error; "null" is standard output.',
    type: text("the path of a file"),
    otherwise: "standard output",
    example: "./logs/info.log",
    resolve: absolutePath,
  }),
  error_log_path: key({
    group: "Logs",
    summary: 'File for errors; "null" is standard error.',
    type: text("the path of a file"),
    otherwise: "standard error",
    example: "./logs/error.log",
    resolve: absolutePath,
  }),
};
