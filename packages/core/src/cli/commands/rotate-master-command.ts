import {
  listMasterKeys,
  type MasterKeyInformation,
  removeMasterKey,
  rotateMasterKey,
  systemRandom,
} from "@pawl/engine";
import { addToMasterKeyFile, type MasterKeySource, masterKeySource, removeFromMasterKeyFile } from "@pawl/engine/host";
import type { Command } from "commander";
import { CommandError, usageError } from "../command-error.js";
import { type CommandOptions, localCommand, wholeNumber } from "../command-options.js";
import { localCaller, type LocalStorage, withStorage } from "../local-storage.js";
import { formatTable, formatTime } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

interface RotateMasterOptions extends CommandOptions {
  readonly status?: true;
  readonly add?: true;
  readonly to?: number;
  readonly remove?: number;
  readonly endSessions?: true;
}

/** What was done: one line for people, facts for programs. */
interface Done {
  readonly text: string;
  readonly facts: object;
}

const keyId = wholeNumber({ min: 0, max: 255 });

const checkUsage = ({ status, add, to, remove, endSessions }: RotateMasterOptions): void => {
  const given = [status, add, to, remove].filter((option) => option !== undefined);
  if (given.length > 1) throw usageError("--status, --add, --to and --remove are steps of their own: give one of them");
  if (endSessions === true && remove === undefined) throw usageError("--end-sessions needs --remove");
};

const sourceOf = ({ config }: LocalStorage): MasterKeySource => {
  const { storage, masterKey, masterKeyFile } = config;
  const found = masterKeySource({ storage, masterKey, masterKeyFile });
  if (found === undefined) throw new CommandError("storage in the memory of a process has no lasting master key");
  return found;
};

const add = async ({ storage }: LocalStorage, { file, read }: MasterKeySource): Promise<Done> => {
  if (file === undefined)
    throw new CommandError(
      "the master keys stand in PAWL_MASTER_KEY: put the output of  openssl rand -base64 32  after a comma at its end, on every node",
    );
  const masterKeys = await read();
  const known = await listMasterKeys({ storage, masterKeys });
  const unused = masterKeys.find(({ id }) => known.find((key) => key.id === id)?.state === "new");
  const unseen = masterKeys.find(({ id }) => !known.some((key) => key.id === id));
  const waiting = (unused ?? unseen)?.id;
  if (waiting !== undefined)
    return { text: `${file} holds key ${waiting} already, which has sealed nothing yet`, facts: { added: null } };
  const taken = known.map(({ id }) => id);
  const added = (await addToMasterKeyFile(file, { random: systemRandom, taken })).at(-1)?.id;
  return {
    text: `New master key ${added} stands at the end of ${file}: give that file to every node, then run this without --add`,
    facts: { added: added ?? null },
  };
};

const remove = async (
  { storage }: LocalStorage,
  { file, read }: MasterKeySource,
  { id, endSessions }: { readonly id: number; readonly endSessions: boolean },
): Promise<Done> => {
  await removeMasterKey({ by: localCaller(), storage, masterKeys: await read(), id, endSessions });
  if (file !== undefined) await removeFromMasterKeyFile(file, id, systemRandom);
  const rest = file === undefined ? "take it out of PAWL_MASTER_KEY" : `it is gone from ${file}; give that file`;
  return {
    text: `Master key ${id} opens nothing any more: ${rest} ${file === undefined ? "on" : "to"} every node`,
    facts: { removed: id },
  };
};

const rotate = async (
  { storage, config }: LocalStorage,
  { read }: MasterKeySource,
  { to }: RotateMasterOptions,
): Promise<Done> => {
  const done = await rotateMasterKey({
    by: localCaller(),
    storage,
    masterKeys: await read(),
    random: systemRandom,
    refreshTokenValidity: config.policy.refreshTokenValidity,
    to,
  });
  const turned =
    done.from === done.to
      ? `Master key ${done.to} seals already`
      : `Master key ${done.to} seals from now on, in place of ${done.from}; running nodes follow within half a minute`;
  return { text: `${turned}; signing keys sealed anew: ${done.resealed.length}`, facts: done };
};

/** When a key may be removed, for the column of that name. */
const removable = ({ state, given, neededUntil, signingKeys }: MasterKeyInformation, now: number): string => {
  if (state === "sealing") return given ? "" : "it is missing here";
  if (state === "removed") return given ? "take it away" : "gone";
  if (signingKeys.length > 0) return "not before rotate-master seals the signing keys anew";
  return neededUntil === undefined || neededUntil <= now ? "now" : `after ${formatTime(neededUntil)}`;
};

const rotateMaster = async (options: RotateMasterOptions, terminal: Terminal): Promise<void> => {
  checkUsage(options);
  await withStorage(options, terminal, async (local) => {
    const source = sourceOf(local);
    const act = (): Promise<Done> => {
      const { remove: id, endSessions = false } = options;
      if (id !== undefined) return remove(local, source, { id, endSessions });
      return options.add === true ? add(local, source) : rotate(local, source, options);
    };
    const done = options.status === true ? undefined : await act();
    const keys = await listMasterKeys({ storage: local.storage, masterKeys: await source.read() });
    const now = local.storage.now();
    const table = formatTable(
      ["KEY", "STATE", "SIGNING KEYS", "MAY BE REMOVED"],
      keys.map((key) => [String(key.id), key.state, String(key.signingKeys.length), removable(key, now)]),
    );
    printResult(terminal, options, {
      json: { ...done?.facts, keys },
      text: done === undefined ? table : `${done.text}\n\n${table}`,
    });
  });
};

/** `pawl keys rotate-master` */
export const addRotateMasterCommand = (parent: Command, terminal: Terminal): void => {
  localCommand(
    parent
      .command("rotate-master")
      .description(
        "Seal with a new master key on every node, and reseal the signing keys; works on the storage while nodes run, and resumes after an interruption",
      )
      .option("--status", "only show the keys, and when each may be removed")
      .option("--add", "only add a new key at the end of the key file, to be copied to every node first")
      .option("--to <id>", "the key to seal with, when several are new or to switch back", keyId)
      .option("--remove <id>", "retire a key for good; refused while anything needs it", keyId)
      .option("--end-sessions", "with --remove: even while sessions need it; their users have to log in again")
      .action((options: RotateMasterOptions) => rotateMaster(options, terminal)),
    ["pawl keys rotate-master --add", "first: a new key, in the key file"],
    ["pawl keys rotate-master", "once every node has that file"],
    ["pawl keys rotate-master --status", "may the old one go?"],
    ["pawl keys rotate-master --remove 17", "last"],
  );
};
