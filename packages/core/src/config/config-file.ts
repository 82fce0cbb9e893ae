import { readFileSync, statSync } from "node:fs";
import { isMap, isScalar, parseDocument, type YAMLError } from "yaml";
import { ConfigError } from "./config-error.js";

const MAX_BYTES = 1_048_576;

// The parser's own messages may quote the file, and with it a secret.
const faults: Partial<Record<YAMLError["code"], string>> = {
  BAD_ALIAS: "an alias (*name) without its anchor",
  BAD_INDENT: "wrong indentation",
  BAD_SCALAR_START: "a value that starts with a reserved character: put it in quotes",
  BAD_DQ_ESCAPE: "an unknown escape in double quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second ': ' in one line: put the value in quotes",
  MISSING_CHAR: "a missing quote, bracket, colon or comma",
  MULTILINE_IMPLICIT_KEY: "a line that is no 'key: value'",
  MULTIPLE_DOCS: "more than one document (---)",
  TAB_AS_INDENT: "a tab used as indentation",
  TAG_RESOLVE_FAILED: "a tag (!name) that is not known",
};

const place = (error: YAMLError): string => {
  const start = error.linePos?.[0];
  return start === undefined ? "" : ` in line ${start.line}`;
};

const readText = (path: string): string => {
  const unreadable = (why: string, cause?: unknown): ConfigError =>
    new ConfigError("file_unreadable", `the config file ${why}: ${path}`, { cause });
  let bytes: Uint8Array;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw unreadable("is a directory");
    if (stat.size > MAX_BYTES) throw unreadable("is larger than 1 MiB");
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new ConfigError("file_missing", `there is no config file ${path} (pawl config init writes one)`, { cause });
    throw unreadable(`cannot be read (${code ?? "unknown error"})`, cause);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable("is not UTF-8 text", cause);
  }
};

/**
 * Reads the keys and values of a file, without looking at either. A key that is empty or `null` counts as not set; a file
 * may be empty.
 * @throws ConfigError `file_missing`, `file_unreadable`, `invalid_yaml`; the message never quotes the file.
 */
export const readConfigFile = (path: string): ReadonlyMap<string, unknown> => {
  const source = readText(path);
  const document = parseDocument(source, { logLevel: "error" });
  const error = document.errors[0] ?? document.warnings[0];
  if (error?.code === "DUPLICATE_KEY") {
    const name = /^["']?([\w.-]{1,64})/.exec(source.slice(error.pos[0]))?.[1] ?? "a key";
    throw new ConfigError("invalid_yaml", `'${name}' is set twice, again${place(error)}. Config file: ${path}`);
  }
  if (error !== undefined)
    throw new ConfigError(
      "invalid_yaml",
      `the config file is not valid YAML: ${faults[error.code] ?? "something unexpected"}${place(error)}: ${path}`,
    );
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return new Map();
  if (!isMap(contents))
    throw new ConfigError(
      "invalid_yaml",
      `the config file must be a list of lines 'key: value', which it is not: ${path}`,
    );
  try {
    return new Map(
      [...(document.toJS({ mapAsMap: true }) as Map<unknown, unknown>)].map(([key, value]) => [
        key instanceof Map || Array.isArray(key)
          ? "(a list or mapping)"
          : String(key as string | number | boolean | null),
        value ?? undefined,
      ]),
    );
  } catch (cause) {
    throw new ConfigError(
      "invalid_yaml",
      `the config file holds an alias (*name) that leads nowhere or too far: ${path}`,
      { cause },
    );
  }
};
