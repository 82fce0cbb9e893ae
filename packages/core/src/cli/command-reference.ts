import type { Command } from "commander";

const introduction = `# The command line

<!-- Made from the help of the commands: npx vitest run packages/core/test/cli/program.test.ts -u rewrites it. -->

\`npx pawl\` runs and administers the core. \`keys list|rotate\`, \`sessions list|show|explain|revoke\`, \`events\`, \`webhooks\` and \`dashboard\` work on a running core through its HTTP API; \`keys rotate-master\`, \`policy\`, \`revocations\`, \`import supertokens\`, \`migrate\` and \`sessions export|import|erase\` open the storage directly; \`doctor\` does both. They find address and API key in the same [config.yaml](configuration.md) and environment variables as the core, unless \`--url\` and \`--api-key-file\`, or \`--storage\`, name them. With \`--url\` and without \`--config\`, the API keys of a config.yaml in the working directory are not sent.

- Tables are for people; \`--json\` prints everything for programs, and errors as \`{"error":{"code","message"}}\` on standard error, with a \`code\` where there is one (usage errors stay plain text). Times are UTC in tables, milliseconds since 1970 in JSON.
- Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.
- An error is one line. \`--verbose\`, or \`PAWL_LOG_LEVEL=debug\`, adds its stack.
- \`pawl start\` stops at SIGINT or SIGTERM: it finishes the requests in flight, takes no new ones, and exits with 0. A second signal makes it exit at once with 1. At SIGHUP it reopens its log files and rereads the file of [master keys](../operate/master-key.md).
- Long-running commands show their progress on a terminal, on standard error.
- \`pawl sessions erase\`, and \`pawl sessions revoke\` with \`--user\` or \`--tenant\` ask before they end anything, unless \`--yes\` is given; without a yes nothing happens and they exit with 1.
`;

/** The text that `--help` prints for a command, its examples included. */
const helpOf = (command: Command): string => {
  const lines: string[] = [];
  command.configureOutput({ writeOut: (text) => lines.push(text) });
  command.outputHelp();
  return lines.join("").trimEnd();
};

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

const sections = (command: Command): readonly string[] => [
  `## ${pathOf(command)}\n\n\`\`\`\n${helpOf(command)}\n\`\`\`\n`,
  ...command.commands.flatMap(sections),
];

/** The text of docs/reference/cli.md. */
export const commandReference = (program: Command): string => [introduction, ...sections(program)].join("\n");
