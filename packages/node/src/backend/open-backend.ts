import type { CoreBackendOptions } from "./core/core-backend.js";
import type { EmbeddedBackendOptions } from "./embedded-backend.js";
import type { SessionBackend } from "./session-backend.js";

const isCore = (options: object): options is CoreBackendOptions =>
  (options as { readonly core?: unknown }).core !== undefined;

/**
 * Opens the engine in this process, or the client of a core. Each is loaded when it is needed: the client is no burden to
 * an application without a core.
 * @throws StorageError, EngineError; SessionError `UNKNOWN` when no core answers.
 */
export const openBackend = async (options: EmbeddedBackendOptions | CoreBackendOptions): Promise<SessionBackend> =>
  isCore(options)
    ? (await import("./core/core-backend.js")).openCoreBackend(options)
    : (await import("./embedded-backend.js")).openEmbeddedBackend(options);
