import { type ConfigKey, groups } from "./config-key.js";
import { type ConfigName, configKey, configNames, environmentName } from "./config-keys.js";

const ENVIRONMENT =
  "Each key can also be given as an environment variable (PAWL_PORT for port), which wins over this file.";
const PATHS = "Relative paths count from the folder of this file.";

const shortHeader = `# Configuration of Pawl. Nothing in it is compulsory; what stands behind a # is not set, and shows an example.
# ${ENVIRONMENT}
# ${PATHS}
# Every key, explained:  pawl config init --documented --stdout`;

const documentedHeader = `# Configuration of Pawl. Every key is here; those behind a # are not set, and show their default or an example.
# ${ENVIRONMENT}
# ${PATHS}`;

/** What a short file sets, at the default. */
const set: readonly ConfigName[] = ["storage", "host", "port"];
/** What a short file shows besides. */
const shown: readonly ConfigName[] = ["api_keys", "session_idle_timeout", "session_absolute_timeout", "log_level"];

/** How the value of a key is written in config.yaml. */
export const showValue = (name: ConfigName, value: unknown): string => {
  const key = configKey(name);
  return key.secret === true ? "(secret)" : (key.show ?? key.type.show)(value);
};

const summary = ({ summary, unit }: ConfigKey<unknown>): string =>
  `# ${summary}${unit === undefined ? "" : ` In ${unit}.`}`;

const accepted = ({ accepted, type, otherwise, compulsory }: ConfigKey<unknown>): string =>
  `# Accepts ${accepted ?? type.accepted}${otherwise === undefined || compulsory !== undefined ? "" : `; when not set: ${otherwise}`}.`;

const line = (name: ConfigName, isSet: boolean): string => {
  const key = configKey(name);
  if (key.environmentOnly === true) return `# (an environment variable only: ${environmentName(name)})`;
  const value = key.secret === true ? `["<at least 20 characters>"]` : key.type.show(key.default ?? key.example);
  return `${isSet ? "" : "# "}${name}: ${value}`;
};

/** A new config.yaml of Pawl's own form: what people change most often. */
export const configTemplate = (): string => {
  const entries = [...set, ...shown].map((name) => `${summary(configKey(name))}\n${line(name, set.includes(name))}`);
  return `${[shortHeader, ...entries].join("\n\n")}\n`;
};

const documentedEntry = (name: ConfigName): string => {
  const key = configKey(name);
  const isSet = name === "core_config_version" || key.compulsory !== undefined;
  return `${summary(key)}\n${accepted(key)}\n${line(name, isSet)}`;
};

/** A new config.yaml of the documented form with every key: the compulsory ones set, all others as comments. */
export const documentedTemplate = (): string => {
  const sections = groups.map((group) => {
    const entries = configNames.filter((name) => configKey(name).group === group).map(documentedEntry);
    return `# --- ${group} ${"-".repeat(100 - group.length)}\n\n${entries.join("\n\n")}`;
  });
  return `${[documentedHeader, ...sections].join("\n\n")}\n`;
};
