import { groups } from "./config-key.js";
import { type ConfigName, configKey, configNames, environmentName } from "./config-keys.js";

const introduction = `# config.yaml

<!-- Made from packages/core/src/config/config-keys.ts: npx vitest run packages/core/test/config -u rewrites it. -->

\`pawl start\` reads the file named by \`--config\`, else \`config.yaml\` in the working directory. Without either the core runs on development defaults, on loopback, and says so.
\`pawl config init\` writes a short file to start from, \`pawl config init --documented\` one with every key; \`pawl config check\` reports what is wrong with a file, \`pawl config show\` prints the values in force and where they come from.

There are two forms of the file, with the same keys:

- **Pawl's own** has no \`core_config_version\`. Nothing in it is compulsory, and an empty file is one: everything at its default. Cookies belong to the SDK; \`refresh_api_path\` and the other cookie keys are for \`@pawl/supertokens\` and SuperTokens 1.0 SDKs, which take their cookies from the core.
- **The documented form** has \`core_config_version\`, as files of a SuperTokens 1.0 core do. It must set \`refresh_api_path\` and \`cookie_domain\` as well.

- Each key can also be given as an environment variable: \`PAWL_\` and the key in capitals. Command-line options win over environment variables, those over the file, and the file over the defaults. An empty variable counts as not set.
- A list is a YAML list, or one text with commas (the only form in an environment variable).
- A duration is a whole number with a unit: \`90s\`, \`30m\`, \`12h\`, \`90d\`, \`2w\`.
- *CDI* is the protocol between a SuperTokens SDK and its core ([compatibility](compatibility.md)); *our SDK* is \`@pawl/node\`, and \`@pawl/supertokens\` over it.
- Relative paths are relative to the folder of the file; in environment variables, and without a file, to the working directory.
- A key with an empty value counts as not set. An unknown key, a key set twice, or a value of the wrong type or out of range stops the start with one line that names the key, the value, what is accepted, and the file. Values of secret keys are never shown.

Checks run in this order: the file can be read and all its keys exist, each value has its type, then \`core_config_version\`, \`refresh_api_path\`, \`cookie_domain\`, \`access_token_validity\`, \`refresh_token_validity\`, \`max_server_pool_size\`, then all others.
`;

const differences = `## Where this differs from a SuperTokens core

- \`info_log_path\` and \`error_log_path\` default to standard output and standard error, not to files beside the installation: there may be no folder that can be written to.
- \`max_server_pool_size\` is checked and has no effect.
- \`access_token_blacklisting\`, \`access_token_signing_key_dynamic\` and \`access_token_signing_key_update_interval\` work here.
- \`mode\` takes the place of the first command-line argument.
- An unknown key is an error, not ignored.
- A file without \`core_config_version\` is accepted, as Pawl's own.
- \`access_token_validity\` keeps its meaning up to its maximum of 86400000 seconds.
`;

const defaultOf = (name: ConfigName): string => {
  const key = configKey(name);
  if (key.compulsory !== undefined) return `${key.otherwise}; compulsory with \`core_config_version\``;
  return key.default === undefined ? (key.otherwise ?? "") : `\`${key.type.show(key.default)}\``;
};

const typeOf = (name: ConfigName): string => {
  const { type, unit, secret, environmentOnly } = configKey(name);
  const notes = [
    unit,
    secret === true ? "secret" : undefined,
    environmentOnly === true ? "environment only" : undefined,
  ];
  return [type.name, ...notes.filter((note) => note !== undefined)].join(", ");
};

const row = (name: ConfigName): string => {
  const key = configKey(name);
  const accepted = key.accepted ?? key.type.accepted;
  return `| ${[`\`${name}\``, `\`${environmentName(name)}\``, typeOf(name), defaultOf(name), accepted, key.summary]
    .map((cell) => cell.replaceAll("|", "\\|").replaceAll("<", "&lt;"))
    .join(" | ")} |`;
};

/** The text of docs/reference/configuration.md. */
export const configReference = (): string =>
  [
    introduction,
    ...groups.map(
      (group) =>
        `## ${group}\n\n| Key | Environment variable | Type | When not set | Accepted | Meaning |\n|---|---|---|---|---|---|\n${configNames
          .filter((name) => configKey(name).group === group)
          .map(row)
          .join("\n")}\n`,
    ),
    differences,
  ].join("\n");
