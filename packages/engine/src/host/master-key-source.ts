import { MemoryStorage, type Storage } from "@pawl/storage";
import { EngineError } from "../errors.js";
import { readMasterKeyFile } from "./master-key-file.js";
import { type MasterKey, parseMasterKeys } from "../keys/master-key.js";

/** How the master keys of a storage are given. */
export interface GivenMasterKeys {
  /** A storage URL, or an open storage. */
  readonly storage: string | Storage;
  /** Base64 of 32 bytes; several, separated by commas. */
  readonly masterKey?: string | undefined;
  /** A file of the same. Where neither is given, `sqlite:` storage has a key file of its own, `<database>.key`. */
  readonly masterKeyFile?: string | undefined;
}

/** Where master keys come from. */
export type MasterKeySource = {
  /** @throws EngineError `master_key_missing`, `master_key_invalid`. */
  read(this: void): Promise<readonly MasterKey[]>;
} & (
  | {
      readonly file: string;
      /** Whether it is the database's own, which the first start makes. */ readonly isOwnFile: boolean;
    }
  /** They do not stand in a file. */
  | { readonly file?: never; readonly isOwnFile?: never }
);

/**
 * Finds out where the master keys come from.
 * @returns undefined for storage in the memory of a process, which needs no key that outlives it.
 * @throws EngineError `invalid_input` when they are given twice, `master_key_missing` when they are not given.
 */
export const masterKeySource = ({
  storage,
  masterKey,
  masterKeyFile,
}: GivenMasterKeys): MasterKeySource | undefined => {
  const databaseFile = typeof storage === "string" ? sqliteFile(storage) : undefined;
  if (masterKey !== undefined && masterKeyFile !== undefined)
    throw new EngineError("invalid_input", "give a master key or a file of master keys, not both");
  if (masterKey !== undefined) return { read: async () => parseMasterKeys(masterKey) };
  if (masterKeyFile !== undefined)
    return { file: masterKeyFile, isOwnFile: false, read: () => readMasterKeyFile(masterKeyFile) };
  if (storage instanceof MemoryStorage || storage === "memory:" || databaseFile === ":memory:") return undefined;
  if (databaseFile === undefined)
    throw new EngineError(
      "master_key_missing",
      "this storage needs a master key, the same on every node that shares it; make one with:  openssl rand -base64 32",
    );
  const file = `${databaseFile}.key`;
  return { file, isOwnFile: true, read: () => readMasterKeyFile(file) };
};

/** The database file that a `sqlite:` URL names, as `@pawl/storage-sqlite` reads it. */
const sqliteFile = (url: string): string | undefined => /^sqlite:([^?]+)/su.exec(url)?.[1];
