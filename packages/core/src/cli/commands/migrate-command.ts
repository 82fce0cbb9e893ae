import type { Command } from "commander";
import { type CommandOptions, localCommand } from "../command-options.js";
import { withStorage } from "../local-storage.js";
import { printResult, type Terminal } from "../terminal.js";

const migrate = async (options: CommandOptions, terminal: Terminal): Promise<void> => {
  const migrated = await withStorage({ ...options, mayBeNew: true }, terminal, async ({ storage, shown }) => {
    await storage.ping();
    return shown;
  });
  printResult(terminal, options, { json: { migrated }, text: `The schema of ${migrated} is that of this release` });
};

/** `pawl migrate` */
export const addMigrateCommand = (program: Command, terminal: Terminal): void => {
  localCommand(
    program
      .command("migrate")
      .description("Bring the schema of the storage to this release; opens it directly, no core has to run")
      .action((options: CommandOptions) => migrate(options, terminal)),
    ["pawl migrate", "the storage of ./config.yaml"],
    ["PAWL_STORAGE=sqlite:./other.db pawl migrate", "another one"],
  );
};
