import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "./config-error.js";
import { showValue } from "./config-template.js";
import { readConfigFile } from "./config-file.js";
import { type ConfigName, type ConfigValues, configKey, configNames, environmentName } from "./config-keys.js";
import type { CoreConfig, Setting } from "./core-config.js";
import { toCoreConfig } from "./core-config-from-values.js";
import { nearestName } from "./nearest-name.js";

/** Where to read from. */
export interface ConfigInput {
  /** A file that must exist; absent: `config.yaml` in the working directory if there is one. */
  readonly file?: string | undefined;
  /** Environment variables; `process.env` unless given. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Working directory; the process's unless given. */
  readonly cwd?: string | undefined;
  /** Command-line options, as written; they win over everything. */
  readonly options?: { readonly port?: string | undefined; readonly host?: string | undefined } | undefined;
}

/** A configuration, and the form of its file. */
interface ConfigReading {
  readonly config: CoreConfig;
  /** `documented`: the file has `core_config_version`, so the rules of a SuperTokens 1.0 core hold; absent without a file. */
  readonly form?: "own" | "documented" | undefined;
}

interface Given {
  readonly raw: unknown;
  readonly source: Setting["source"];
}

// Variables of these names belong to the command line, not to a key.
const otherVariables = new Set(["PAWL_URL", "PAWL_API_KEY_FILE"]);

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

const showRaw = (raw: unknown): string => {
  if (Array.isArray(raw)) return "a list";
  if (raw instanceof Map) return "a mapping";
  return typeof raw === "string" ? JSON.stringify(shorten(raw)) : shorten(String(raw));
};

const filePath = (input: ConfigInput, cwd: string): string | undefined => {
  if (input.file !== undefined) return resolve(cwd, input.file);
  const path = resolve(cwd, "config.yaml");
  return existsSync(path) ? path : undefined;
};

const collectFile = (path: string, given: Map<ConfigName, Given>): void => {
  const readable = configNames.filter((name) => configKey(name).environmentOnly !== true);
  for (const [written, raw] of readConfigFile(path)) {
    const name = configNames.find((name) => name === written);
    const fault = (why: string): ConfigError =>
      new ConfigError("unknown_key", `'${shorten(written)}' is not a key of config.yaml: ${why} Config file: ${path}`);
    if (name === undefined) {
      const nearest = nearestName(written, readable);
      throw fault(
        nearest === undefined ? "pawl config init --documented --stdout shows all." : `did you mean '${nearest}'?`,
      );
    }
    if (configKey(name).environmentOnly === true)
      throw fault(`secrets stay out of it, use the environment variable ${environmentName(name)}.`);
    if (raw !== undefined) given.set(name, { raw, source: "file" });
  }
};

const collectEnvironment = (env: NonNullable<ConfigInput["env"]>, given: Map<ConfigName, Given>): void => {
  const known = new Map<string, ConfigName>(configNames.map((name) => [environmentName(name), name]));
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith("PAWL_") || value === undefined || value.trim() === "") continue;
    const name = known.get(variable);
    if (name !== undefined)
      given.set(name, { raw: configKey(name).type.fromText(value.trim()), source: "environment" });
    else if (!otherVariables.has(variable)) {
      const nearest = nearestName(variable.slice(5), configNames);
      // Others set PAWL_… variables too (Kubernetes does for a service of that name): only a near miss is a mistake.
      if (nearest !== undefined)
        throw new ConfigError(
          "unknown_key",
          `the environment variable ${shorten(variable)} is unknown: did you mean ${environmentName(nearest)}?`,
        );
    }
  }
};

/** Names key, value and what is accepted, then where the value stands. */
const refusal = (name: ConfigName, given: Given, predicate: string, path: string | undefined): ConfigError => {
  const { secret, show, unit } = configKey(name);
  const value = show === undefined ? showRaw(given.raw) : showSafely(show, given.raw);
  const measured = unit !== undefined && typeof given.raw === "number" ? `${value} ${unit}` : value;
  const shown = secret === true ? "" : `, but it is ${measured}`;
  const from =
    given.source === "environment"
      ? ` (environment variable ${environmentName(name)})`
      : given.source === "option"
        ? ` (option --${name})`
        : "";
  // Kubernetes sets PAWL_PORT to tcp://… beside a service called pawl.
  const hint = String(given.raw).startsWith("tcp://")
    ? ", as Kubernetes sets it: enableServiceLinks: false stops that"
    : "";
  return new ConfigError(
    "invalid_value",
    `'${name}' ${predicate}${shown}${from}${hint}${path === undefined ? "" : `. Config file: ${path}`}`,
  );
};

const showSafely = (show: (value: unknown) => string, raw: unknown): string =>
  typeof raw === "string" ? shorten(show(raw)) : showRaw(raw);

/**
 * Reads the configuration: options over environment variables over file over defaults. First the file is read and its
 * keys are known, then every value has its type, then the checks run in the order of the table.
 * @throws ConfigError with one line that says what is wrong; no secret is in it.
 */
export const readConfigWithForm = (input: ConfigInput = {}): ConfigReading => {
  const { env = process.env, cwd = process.cwd() } = input;
  const path = filePath(input, cwd);
  const given = new Map<ConfigName, Given>();
  if (path !== undefined) collectFile(path, given);
  collectEnvironment(env, given);
  for (const [name, raw] of Object.entries(input.options ?? {}))
    if (raw !== undefined)
      given.set(name as ConfigName, { raw: configKey(name as ConfigName).type.fromText(raw), source: "option" });

  const form = path === undefined ? undefined : given.has("core_config_version") ? "documented" : "own";
  const folder = path === undefined ? cwd : dirname(path);
  const values: Partial<Record<ConfigName, unknown>> = {};
  for (const name of configNames) {
    const key = configKey(name);
    const found = given.get(name);
    const value = found === undefined ? key.default : key.type.read(found.raw);
    if (value === undefined && found !== undefined) throw refusal(name, found, `must be ${key.type.accepted}`, path);
    values[name] = value;
  }
  for (const name of configNames) {
    const key = configKey(name);
    const found = given.get(name);
    const { compulsory } = key;
    if (found === undefined && compulsory !== undefined && form === "documented")
      throw new ConfigError(
        "not_set",
        `'${name}' is not set in the config.yaml file: ${compulsory}. Config file: ${path}`,
      );
    const predicate = values[name] === undefined ? undefined : key.check?.(values[name], values as ConfigValues);
    if (predicate !== undefined)
      throw refusal(name, found ?? { raw: values[name], source: "default" }, predicate, path);
  }
  for (const name of configNames) {
    const base = given.get(name)?.source === "environment" ? cwd : folder;
    if (values[name] !== undefined) values[name] = configKey(name).resolve?.(values[name], base) ?? values[name];
  }
  const settings = configNames.map((name): Setting => ({
    key: name,
    value: values[name] === undefined ? undefined : showValue(name, values[name]),
    source: given.get(name)?.source ?? "default",
    summary: configKey(name).summary,
  }));
  return { config: toCoreConfig(values as ConfigValues, { path, settings }), form };
};

/** As `readConfigWithForm`, the configuration alone. */
export const readConfig = (input: ConfigInput = {}): CoreConfig => readConfigWithForm(input).config;
