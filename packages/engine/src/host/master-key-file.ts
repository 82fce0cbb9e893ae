import { link, lstat, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, sep } from "node:path";
import type { Storage } from "@pawl/storage";
import { EngineError } from "../errors.js";
import { type MasterKey, parseMasterKeys } from "../keys/master-key.js";
import type { RandomSource } from "../random.js";

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
  // Whoever made the keys that were just seen made the file before.
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
    throw new EngineError("master_key_missing", `the master key file ${path} cannot be read (${codeOf(cause)})`, {
      cause,
    });
  }
  return parseMasterKeys(text);
};

/** Makes the file whole or not at all: written beside, made durable, then linked to its name unless that is taken. */
const makeKeyFile = async (path: string, random: RandomSource): Promise<void> => {
  const draft = `${path}.${random.bytes(8).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(`${random.bytes(32).toString("base64")}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return;
    throw new EngineError("master_key_missing", `the master key file ${path} cannot be made (${codeOf(cause)})`, {
      cause,
    });
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};

/** Keeps owner and mode. A link, as orchestrators mount secrets, is not replaced: what it shows is made elsewhere. */
const replaceKeyFile = async (path: string, keys: readonly MasterKey[], random: RandomSource): Promise<void> => {
  const draft = `${path}.${random.bytes(8).toString("hex")}`;
  try {
    const present = await lstat(path);
    if (!present.isFile()) throw Object.assign(new Error("not a plain file"), { code: "it is no plain file" });
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(keys.map(({ bytes }) => `${bytes.toString("base64")}\n`).join(""));
      const own = await file.stat();
      if (own.uid !== present.uid || own.gid !== present.gid) await file.chown(present.uid, present.gid);
      await file.chmod(present.mode & 0o777);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    throw new EngineError(
      "master_key_missing",
      `the master key file ${path} cannot be changed (${codeOf(cause)}): change it where it comes from`,
      { cause },
    );
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};

/** A name is durable once its directory is; where a directory cannot be opened (Windows), the system sees to it. */
const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, "r").catch(() => undefined);
  try {
    await directory?.sync();
  } finally {
    await directory?.close();
  }
};

const codeOf = (cause: unknown): string => (cause as { readonly code?: string }).code ?? "unknown error";
