import { StorageError } from "./errors.js";
import { MemoryStorage } from "./memory/memory-storage.js";
import type { OpenStorage, Storage, StorageOptions } from "./storage.js";

/**
 * Opens the storage that a URL names: `sqlite:./sessions.db`, `memory:`, `postgres://…`, `mysql://…`, `redis://…`.
 * The adapter is loaded on demand. The schema is not touched: call `migrate()`.
 * @throws StorageError `invalid_url`, `adapter_missing` (the message names the package to install), or what the adapter throws.
 * @example
 * const storage = await openStorage("sqlite:./pawl.db");
 * await storage.migrate();
 */
export const openStorage: OpenStorage = async (url: string, options: StorageOptions = {}): Promise<Storage> => {
  const scheme = /^([a-z]+):/.exec(url)?.[1] ?? "";
  if (scheme === "memory") return new MemoryStorage(options);
  const adapter = await loadAdapter(scheme);
  if (adapter !== undefined) return (adapter as { readonly openStorage: OpenStorage }).openStorage(url, options);
  throw new StorageError(
    "invalid_url",
    `storage must be a URL such as sqlite:./pawl.db or memory:, not one of scheme "${scheme}"`,
  );
};

/**
 * Imports the adapter by its literal name, which bundlers and tracers can follow. The `try` tells them as well that it may
 * be missing.
 */
// oxlint-disable no-restricted-imports -- the one place that may: nothing is loaded but on demand
const loadAdapter = async (scheme: string): Promise<unknown> => {
  try {
    switch (scheme) {
      case "sqlite":
        return await import("@pawl/storage-sqlite");
      case "postgres":
      case "postgresql":
        return await import("@pawl/storage-postgres");
      case "mysql":
      case "mariadb":
        return await import("@pawl/storage-mysql");
      case "redis":
      case "rediss":
        return await import("@pawl/storage-redis");
      default:
        return undefined;
    }
  } catch (cause) {
    const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw cause;
    const name = /'([^']+)'/.exec(String(message))?.[1] ?? "a package";
    const remedy = name.startsWith("@pawl/") ? `run npm install ${name}` : "install its adapter again";
    throw new StorageError("adapter_missing", `storage "${scheme}:" needs ${name}, which is missing: ${remedy}`, {
      cause,
    });
  }
};
