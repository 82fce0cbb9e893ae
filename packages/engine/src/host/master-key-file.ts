import type { Stats } from "node:fs";
import { link, lstat, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, sep } from "node:path";
import type { Storage } from "@pawl/storage";
import { EngineError } from "../errors.js";
import { type MasterKey, parseMasterKeys } from "../keys/master-key.js";
import type { RandomSource } from "../random.js";
import { syncFolder } from "./sync-folder.js";

/** Reads a file of master keys. @throws EngineError `master_key_missing` when there is none, `master_key_invalid`. */
export const readMasterKeyFile = async (path: string): Promise<readonly MasterKey[]> => {
  const keys = await tryToRead(path);
  if (keys === undefined) throw new EngineError("master_key_missing", `the master key file ${path} does not exist`);
  return keys;
};

/**
 * A warning about a file of master keys that every user of the machine can read; undefined when there is none to give.
 * Windows keeps its permissions elsewhere than in the mode.
 */
export const masterKeyFileWarning = async (path: string): Promise<string | undefined> => {
  const mode = sep === "\\" ? 0 : (await stat(path)).mode & 0o777;
  return (mode & 0o004) === 0
    ? undefined
    : `every user of this machine can read the master key file ${path} (mode 0${mode.toString(8)}): take the permission away, e.g. chmod 600`;
};

/**
 * The master key that belongs to a database file: reads `path`, or makes it (mode 0600) while the database holds no
 * signing key. Of two processes that start at once one makes it and both use it.
 * @throws EngineError `master_key_missing` when the file is gone although keys were sealed with it.
 */
export const claimMasterKeyFile = async (
  path: string,
  using: { readonly storage: Pick<Storage, "getSigningKeys">; readonly random: RandomSource },
): Promise<readonly MasterKey[]> => {
  const found = await tryToRead(path);
  if (found !== undefined) return found;
  if ((await using.storage.getSigningKeys()).length === 0) await makeKeyFile(path, using.random);
  // The process that made the signing keys we just saw made the file first.
  const claimed = await tryToRead(path);
  if (claimed === undefined)
    throw new EngineError(
      "master_key_missing",
      `key file missing: ${path} is gone, and the database was made with the key in it; put it back`,
    );
  return claimed;
};

/**
 * Makes a new master key and puts it at the end of a key file, durably and whole or not at all.
 * @param using.taken ids that another key of the store has or had.
 * @returns the keys that then stand in the file, the new one last.
 */
export const addToMasterKeyFile = async (
  path: string,
  using: { readonly random: RandomSource; readonly taken: readonly number[] },
): Promise<readonly MasterKey[]> => {
  const present = await readMasterKeyFile(path);
  const taken = new Set([...using.taken, ...present.map(({ id }) => id)]);
  const made = (): MasterKey => {
    const [key] = parseMasterKeys(using.random.bytes(32).toString("base64"));
    return key === undefined || taken.has(key.id) ? made() : key;
  };
  const keys = [...present, made()];
  await replaceKeyFile(path, keys, using.random);
  return keys;
};

/** Takes a key out of a key file, durably and whole or not at all. @returns whether it stood there. */
export const removeFromMasterKeyFile = async (path: string, id: number, random: RandomSource): Promise<boolean> => {
  const present = await readMasterKeyFile(path);
  const kept = present.filter((key) => key.id !== id);
  if (kept.length === present.length) return false;
  await replaceKeyFile(path, kept, random);
  return true;
};

const tryToRead = async (path: string): Promise<readonly MasterKey[] | undefined> => {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw failure(`the master key file ${path} cannot be read (${codeOf(cause)})`, cause);
  }
  return parseMasterKeys(text);
};

/** Makes the file, unless there is one. */
const makeKeyFile = async (path: string, random: RandomSource): Promise<void> => {
  try {
    await writeKeyFile(path, { text: `${random.bytes(32).toString("base64")}\n`, random });
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return;
    throw failure(`the master key file ${path} cannot be made (${codeOf(cause)})`, cause);
  }
};

/** Keeps owner and mode. A link, as orchestrators mount secrets, is not replaced: what it shows is made elsewhere. */
const replaceKeyFile = async (path: string, keys: readonly MasterKey[], random: RandomSource): Promise<void> => {
  try {
    const present = await lstat(path);
    if (!present.isFile()) throw Object.assign(new Error("not a plain file"), { code: "it is no plain file" });
    await writeKeyFile(path, {
      text: keys.map(({ bytes }) => `${bytes.toString("base64")}\n`).join(""),
      random,
      present,
    });
  } catch (cause) {
    throw failure(
      `the master key file ${path} cannot be changed (${codeOf(cause)}): change it where it comes from`,
      cause,
    );
  }
};

/** Writes a file whole or not at all: beside, made durable, then put under its name, which is free or that of `present`. */
const writeKeyFile = async (
  path: string,
  { text, random, present }: { readonly text: string; readonly random: RandomSource; readonly present?: Stats },
): Promise<void> => {
  const draft = `${path}.${random.bytes(8).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      if (present !== undefined) {
        const own = await file.stat();
        if (own.uid !== present.uid || own.gid !== present.gid) await file.chown(present.uid, present.gid);
        await file.chmod(present.mode & 0o777);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await (present === undefined ? link : rename)(draft, path);
    await syncFolder(dirname(path));
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};

const failure = (message: string, cause: unknown): EngineError =>
  new EngineError("master_key_missing", message, { cause });

const codeOf = (cause: unknown): string => (cause as { readonly code?: string }).code ?? "unknown error";
