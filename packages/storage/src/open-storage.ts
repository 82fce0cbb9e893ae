import { StorageError } from "./errors.js";
import { MemoryStorage } from "./memory/memory-storage.js";
import type { OpenStorage, Storage, StorageOptions } from "./storage.js";

/** Which package answers for which URL scheme. Each exports `openStorage(url, options)`. */
const adapters = new Map([
  ["sqlite", "@pawl/storage-sqlite"],
  ["postgres", "@pawl/storage-postgres"],
  ["postgresql", "@pawl/storage-postgres"],
  ["mysql", "@pawl/storage-mysql"],
  ["mariadb", "@pawl/storage-mysql"],
  ["redis", "@pawl/storage-redis"],
  ["rediss", "@pawl/storage-redis"],
]);

/**
 * Opens the storage that a URL names: `sqlite:./sessions.db`, `memory:`, `postgres://…`, `mysql://…`, `redis://…`.
 * The adapter is loaded on demand. The schema is not touched: call `migrate()`.
 * @throws StorageError `invalid_url`, `adapter_missing` (the message names the package to install), or what the adapter throws.
 */
export const openStorage: OpenStorage = async (url: string, options: StorageOptions = {}): Promise<Storage> => {
  const scheme = /^([a-z]+):/.exec(url)?.[1];
  if (scheme === "memory") return new MemoryStorage(options);
  const adapter = scheme === undefined ? undefined : adapters.get(scheme);
  if (adapter === undefined)
    throw new StorageError(
      "invalid_url",
      `storage must be a URL such as sqlite:./pawl.db or memory:, not one of scheme "${scheme ?? ""}"`,
    );
  let loaded: { readonly openStorage: OpenStorage };
  try {
    loaded = (await import(adapter)) as { readonly openStorage: OpenStorage };
  } catch (cause) {
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
    if (code !== "ERR_MODULE_NOT_FOUND") throw cause;
    // Node names the package that is missing in quotes, and the one that wanted it without.
    const remedy = String(message).includes(`'${adapter}'`)
      ? `needs the package ${adapter}: run npm install ${adapter}`
      : `needs something that the package ${adapter} lacks: install it again`;
    throw new StorageError("adapter_missing", `storage "${scheme}:" ${remedy}`, { cause });
  }
  return loaded.openStorage(url, options);
};
