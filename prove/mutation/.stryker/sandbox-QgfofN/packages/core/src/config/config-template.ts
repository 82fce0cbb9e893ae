import { type ConfigKey, type ConfigName, configKey, configNames, environmentName, groups } from "./config-keys.js";

const header = `# Configuration of Pawl. Every key is here; those behind a # are not set, and show their default or an example.
# Each key can also be given as an environment variable (PAWL_PORT for port), which wins over this file.
# Relative paths count from the folder of this file.`;

/** How the value of a key is written in config.yaml. */
export const showValue = (name: ConfigName, value: unknown): string => {
  const key = configKey(name);
  return key.secret === true ? "(secret)" : (key.show ?? key.type.show)(value);
};

const note = (key: ConfigKey<unknown>): string => {
  const unit = key.unit === undefined ? "" : ` In ${key.unit}.`;
  const otherwise = key.otherwise === undefined ? "" : `; when not set: ${key.otherwise}`;
  return `# ${key.summary}${unit}\n# Accepts ${key.accepted ?? key.type.accepted}${otherwise}.`;
};

const line = (name: ConfigName): string => {
  const key = configKey(name);
  if (key.environmentOnly === true) return `# (an environment variable only: ${environmentName(name)})`;
  const value = key.default ?? key.example;
  const shown = key.secret === true ? `["<at least 20 characters>"]` : key.type.show(value);
  return `${key.compulsory === undefined ? "# " : ""}${name}: ${shown}`;
};

const entries = (group: ConfigKey<unknown>["group"]): string =>
  configNames
    .filter((name) => configKey(name).group === group)
    .map((name) => `${note(configKey(name))}\n${line(name)}`)
    .join("\n\n");

/** A new config.yaml with every key: the compulsory ones set, all others as comments. */
export const configTemplate = (): string => {
  const sections = groups.map((group) => `# --- ${group} ${"-".repeat(100 - group.length)}\n\n${entries(group)}`);
  return `${[header, ...sections].join("\n\n")}\n`;
};
