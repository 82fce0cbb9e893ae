import { adminEvent, eraseUser } from "@pawl/engine";
import { catchUpLog, loggedStorage, openRevocationLog } from "@pawl/engine/host";
import { PUBLIC_TENANT, type Storage, type TenantId, type UserId } from "@pawl/storage";
import type { Command } from "commander";
import { CommandError } from "../command-error.js";
import { someText, storageCommand } from "../command-options.js";
import { localCaller, type LocalStorage, type StorageCommandOptions, withStorage } from "../local-storage.js";
import { confirm, jsonText, printResult, type Terminal } from "../terminal.js";

interface EraseOptions extends StorageCommandOptions {
  readonly user: string;
  readonly tenant?: string;
  readonly yes?: true;
}

/** How far sessions are counted before the question. */
const COUNTED = 500;

/** The storage, which ends no session without the revocation log where one is configured for it. */
const withLog = async <T>(
  { storage, config, isConfigured }: LocalStorage,
  use: (storage: Storage) => Promise<T>,
): Promise<T> => {
  if (config.revocationLog === undefined || !isConfigured) return use(storage);
  const log = await openRevocationLog(config.revocationLog);
  try {
    // What an erasure before this one could not write.
    await catchUpLog(storage, log);
    return await use(loggedStorage(storage, log));
  } finally {
    await log.close();
  }
};

const erase = async (options: EraseOptions, terminal: Terminal): Promise<void> => {
  const user = { tenantId: (options.tenant ?? PUBLIC_TENANT) as TenantId, userId: options.user as UserId };
  await withStorage(options, terminal, async (local) => {
    if (options.yes !== true) {
      const { items, next } = await local.storage.listSessionHistory(user, { limit: COUNTED });
      const count = next === undefined ? `${items.length}` : `more than ${COUNTED}`;
      const question = `Erase everything that is stored about user ${jsonText(options.user)} of tenant ${jsonText(user.tenantId)} (sessions: ${count})?`;
      if (!(await confirm(terminal, question)))
        throw new CommandError(
          "nothing was erased: the question was not answered with y (--yes answers it in scripts)",
        );
    }
    const { ended, rows, events } = await withLog(local, (storage) => eraseUser(storage, user));
    const act = { act: "user_erased", rows, events, by: localCaller() };
    await local.storage.appendEvents([adminEvent(local.storage.now(), act)]);
    printResult(terminal, options, {
      json: { ended: ended.length, sessions: rows, events },
      text: `Erased: sessions ${rows} (${ended.length} of them live), events ${events}`,
    });
  });
};

/** `pawl sessions erase` */
export const addEraseCommand = (parent: Command, terminal: Terminal): void => {
  storageCommand(
    parent
      .command("erase")
      .description(
        "Erase everything that is stored about a user: end live sessions, delete all rows and events; opens the storage directly",
      )
      .requiredOption("--user <id>", "the user", someText)
      .option("--tenant <id>", "the tenant of the user (else public)", someText)
      .option("-y, --yes", "do not ask")
      .action((options: EraseOptions) => erase(options, terminal)),
    ["pawl sessions erase --user alice", "asks first"],
    ["pawl sessions erase --user alice --tenant acme --yes", "for scripts"],
  );
};
