import { createHash } from "node:crypto";
import type { CoreBackendOptions } from "./core/core-backend.js";
import type { EmbeddedBackendOptions } from "./embedded-backend.js";
import { openBackend } from "./open-backend.js";
import type { SessionBackend } from "./session-backend.js";

/** A backend and how many use it. */
interface Shared {
  readonly backend: Promise<SessionBackend>;
  users: number;
}

const REGISTRY = Symbol.for("@pawl/node backends");

/** Outlives the modules, which a development server evaluates again. */
const registry = (): Map<string, Shared> => {
  const host = globalThis as { [REGISTRY]?: Map<string, Shared> };
  return (host[REGISTRY] ??= new Map());
};

/**
 * Opens a backend. During development (`NODE_ENV` is `development`) a backend that was opened with the same options is
 * taken over, for a module that was changed is evaluated again, and nobody closes what it had opened. It closes with its
 * last user. A store in memory, an open store and a backend with a clock of its own are never shared.
 * @throws as `openBackend`.
 */
export const openSharedBackend = async (
  options: EmbeddedBackendOptions | CoreBackendOptions,
): Promise<SessionBackend> => {
  const key = keyOf(options);
  if (key === undefined) return openBackend(options);
  const backends = registry();
  const shared = backends.get(key) ?? { backend: openBackend(options), users: 0 };
  backends.set(key, shared);
  const forget = (): void => void (backends.get(key) === shared && backends.delete(key));
  shared.users += 1;
  const backend = await shared.backend.catch((error: unknown) => {
    forget();
    throw error;
  });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    shared.users -= 1;
    if (shared.users > 0) return;
    forget();
    await backend.close();
  };
  // Not a copy: a backend's settings change.
  return Object.create(backend, { close: { value: close } }) as SessionBackend;
};

type Options = Partial<EmbeddedBackendOptions & CoreBackendOptions>;

/** Options that a backend is opened with; others may stand beside them. */
const NAMES = [
  "storage",
  "policy",
  "masterKey",
  "masterKeyFile",
  "revocationLog",
  "identityProviders",
  "webhooks",
  "core",
  "apiKey",
  "tryTimeout",
  "callTimeout",
  "whenFeedIsCut",
  "feedCutAfter",
] as const satisfies readonly (keyof Options)[];

/** What tells backends apart; undefined for one of its caller's own. */
const keyOf = (options: Options): string | undefined => {
  const { storage, core, clock } = options;
  if (process.env["NODE_ENV"] !== "development" || clock !== undefined) return undefined;
  if (core === undefined && (typeof storage !== "string" || storage.includes("memory:"))) return undefined;
  const values = NAMES.map((name) => options[name]);
  // Hashed, for there are secrets among them.
  return createHash("sha256")
    .update(JSON.stringify([process.cwd(), process.env["PAWL_MASTER_KEY"], ...values]))
    .digest("base64url");
};
