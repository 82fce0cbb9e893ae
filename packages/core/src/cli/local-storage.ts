import { destinationsOf } from "@pawl/engine";
import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { openStorage, type Storage } from "@pawl/storage";
import type { CoreConfig } from "../config/core-config.js";
import { readConfig } from "../config/read-config.js";
import { isStorageAddress, resolveStorageAddress, showStorageAddress } from "../config/storage-address.js";
import { CommandError, usageError } from "./command-error.js";
import { version } from "../version.js";
import type { CommandOptions } from "./command-options.js";
import type { Terminal } from "./terminal.js";

/** Options of the commands that open the storage themselves. */
export interface StorageCommandOptions extends CommandOptions {
  readonly storage?: string;
  /** Whether a database file that is not there is made; no option of a command line. */
  readonly mayBeNew?: boolean;
  /** Whether the storage is left as it is, whatever its release; no option of a command line. */
  readonly asItIs?: boolean;
}

/** What a command that needs no running core works on. */
export interface LocalStorage {
  readonly storage: Storage;
  readonly config: CoreConfig;
  /** The storage as it may be shown. */
  readonly shown: string;
  /** Whether it is the one of the configuration. */
  readonly isConfigured: boolean;
}

/** Who works on this machine, for the audit trail. */
export const localCaller = (): { readonly user: string; readonly host: string; readonly client: string } => ({
  user: userInfo().username,
  host: hostname(),
  client: `pawl-cli/${version}`,
});

/** A wrong path would make an empty database there, and tell that nothing is in it. */
const checkFile = (address: string): void => {
  const file = /^sqlite:([^?]+)/su.exec(address)?.[1];
  if (file !== undefined && file !== ":memory:" && !existsSync(file))
    throw new CommandError(`there is no database ${file}`);
};

/**
 * Opens the storage that `--storage` names, else that of the configuration, brings it to this release unless told not to, and
 * closes it in the end.
 * @throws ConfigError, StorageError, CommandError with exit code 2 for what is no storage URL.
 */
export const withStorage = async <T>(
  options: StorageCommandOptions,
  terminal: Terminal,
  use: (local: LocalStorage) => Promise<T>,
): Promise<T> => {
  const { env, cwd } = terminal;
  const config = readConfig({ env, cwd, file: options.config });
  if (options.storage !== undefined && !isStorageAddress(options.storage))
    throw usageError("--storage must be a URL such as sqlite:./pawl.db or postgres://host/database");
  const address = options.storage === undefined ? config.storage : resolveStorageAddress(options.storage, cwd);
  if (options.mayBeNew !== true) checkFile(address);
  const isConfigured = address === config.storage;
  // What a command writes down there is delivered as if a core had.
  const outbox = isConfigured ? destinationsOf(config.webhooks) : [];
  const storage = await openStorage(address, { outbox });
  try {
    if (options.asItIs !== true) await storage.migrate();
    return await use({ storage, config, shown: showStorageAddress(address), isConfigured });
  } finally {
    await storage.close();
  }
};
