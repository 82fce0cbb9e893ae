import { PUBLIC_TENANT, type Storage, type TenantId } from "@pawl/storage";
import { readAllPages } from "../all-pages.js";
import { EngineError } from "../errors.js";
import { replaceFact } from "../fact.js";
import { isTenantId } from "../session-handle.js";
import { claimsText } from "./session-input.js";
import type { JsonObject, SessionHandle } from "../session.js";

/** A tenant that was made, or `public`, with what an application keeps about it. */
export interface Tenant {
  readonly tenantId: TenantId;
  readonly settings: JsonObject;
}

/**
 * The tenants of a store, for protocols in which one has to be made before it has sessions. `public` is always there.
 * Every node sees a change at once: nothing is remembered.
 */
export interface Tenants {
  /** @returns undefined when there is none. */
  get(tenantId: string): Promise<Tenant | undefined>;
  /** By name, `public` first. */
  list(): Promise<readonly Tenant[]>;
  /**
   * Makes a tenant, or changes the settings that are given; null takes one away.
   * @throws EngineError `invalid_input` for a name that could not stand in a path, `payload_too_large` above 32 KiB.
   */
  put(tenantId: string, settings: JsonObject): Promise<"created" | "updated">;
  /**
   * Removes a tenant and ends its sessions; one that is being created meanwhile ends too.
   * @returns whether there was one.
   * @throws EngineError `invalid_input` for `public`.
   */
  remove(tenantId: string): Promise<boolean>;
}

const PREFIX = "tenant:";
/** What stands for a tenant that is not there (any more): a fact can be replaced, not deleted. */
const NONE = "";
/** First segments of paths. */
const RESERVED: ReadonlySet<string> = new Set(["recipe", "config", "users", "hello", "v1"]);

export const createTenants = ({
  storage,
  endSessions,
}: {
  readonly storage: Pick<Storage, "claimMeta" | "replaceMeta" | "listMeta">;
  /** Ends all sessions of a tenant. */
  readonly endSessions: (tenantId: TenantId) => Promise<readonly SessionHandle[]>;
}): Tenants => {
  const replaceTenant = (tenantId: TenantId, change: (before: string) => string): Promise<string> =>
    replaceFact(storage, PREFIX + tenantId, { initial: NONE, change });

  return {
    async get(tenantId) {
      if (!isTenantId(tenantId)) return undefined;
      const stored = await storage.claimMeta(PREFIX + tenantId);
      if (stored === undefined || stored === NONE)
        return tenantId === PUBLIC_TENANT ? { tenantId, settings: {} } : undefined;
      return { tenantId, settings: JSON.parse(stored) as JsonObject };
    },

    async list() {
      const tenants = new Map<string, Tenant>([[PUBLIC_TENANT, { tenantId: PUBLIC_TENANT, settings: {} }]]);
      for (const { name, value } of await readAllPages((page) => storage.listMeta(PREFIX, page))) {
        const tenantId = name.slice(PREFIX.length) as TenantId;
        if (value !== NONE) tenants.set(tenantId, { tenantId, settings: JSON.parse(value) as JsonObject });
      }
      return [...tenants.values()];
    },

    async put(tenantId, settings) {
      if (!isTenantId(tenantId) || tenantId.startsWith("appid-") || RESERVED.has(tenantId))
        throw new EngineError(
          "invalid_input",
          `a tenant is named by 1 to 64 of a-z, 0-9 and -, not beginning with appid-, and is none of ${[...RESERVED].join(", ")}`,
        );
      const before = await replaceTenant(tenantId, (stored) => {
        const known = stored === NONE ? {} : (JSON.parse(stored) as JsonObject);
        const kept = Object.entries({ ...known, ...settings }).filter(([, value]) => value !== null);
        return claimsText(Object.fromEntries(kept), new Set());
      });
      return before === NONE && tenantId !== PUBLIC_TENANT ? "created" : "updated";
    },

    async remove(tenantId) {
      if (tenantId === PUBLIC_TENANT) throw new EngineError("invalid_input", "the tenant public cannot be removed");
      if (!isTenantId(tenantId)) return false;
      const known = await storage.claimMeta(PREFIX + tenantId);
      if (known === undefined) return false;
      const before = await replaceTenant(tenantId, () => NONE);
      // Even when it was already gone: a node that removed it may have stopped here.
      await endSessions(tenantId);
      return before !== NONE;
    },
  };
};
