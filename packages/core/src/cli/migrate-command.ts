import { openStorage } from "@pawl/storage";
import type { Command } from "commander";
import { readConfig } from "../config/read-config.js";
import { showStorageAddress } from "../config/storage-address.js";
import { type CommonOptions, examples, localCommand } from "./command-options.js";
import { print, printJson, type Terminal } from "./terminal.js";

const migrate = async (options: CommonOptions, terminal: Terminal): Promise<void> => {
  const { env, cwd } = terminal;
  const config = readConfig({ env, cwd, ...(options.config === undefined ? {} : { file: options.config }) });
  const storage = await openStorage(config.storage);
  try {
    await storage.migrate();
    await storage.ping();
  } finally {
    await storage.close();
  }
  const shown = showStorageAddress(config.storage);
  if (options.json === true) printJson(terminal, { migrated: shown });
  else print(terminal, `The schema of ${shown} is that of this release`);
};

/** `pawl migrate` */
export const addMigrateCommand = (program: Command, terminal: Terminal): void => {
  examples(
    localCommand(
      program
        .command("migrate")
        .description("Bring the schema of the storage to this release; opens it directly, no core has to run")
        .action((options: CommonOptions) => migrate(options, terminal)),
    ),
    ["pawl migrate", "the storage of ./config.yaml"],
    ["PAWL_STORAGE=sqlite:./other.db pawl migrate", "another one"],
  );
};
