/** Path and scope of an operation. */
export interface CdiOperation {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  /**
   * `tenant`: it concerns the tenant before the path, which has to exist; `named_tenant`: the same, and the handler finds
   * out; otherwise it concerns the application.
   */
  readonly scope?: "tenant" | "named_tenant";
  /** Needs no API key. */
  readonly open?: boolean;
  /** Answers the same in every version, also for one that is not served. */
  readonly anyVersion?: boolean;
  /** The first version that has it; 2.9 unless given. */
  readonly since?: string;
  /** The first version without it. */
  readonly until?: string;
}

/** Every operation of the CDI from 2.9 on. */
export const cdiOperations = {
  apiVersion: { method: "GET", path: "/apiversion", anyVersion: true },
  keySet: { method: "GET", path: "/.well-known/jwks.json", open: true, anyVersion: true },
  handshake: { method: "POST", path: "/recipe/handshake", until: "2.21" },
  createSession: { method: "POST", path: "/recipe/session", scope: "named_tenant" },
  getSession: { method: "GET", path: "/recipe/session" },
  verifySession: { method: "POST", path: "/recipe/session/verify" },
  refreshSession: { method: "POST", path: "/recipe/session/refresh" },
  regenerateSession: { method: "POST", path: "/recipe/session/regenerate" },
  removeSessions: { method: "POST", path: "/recipe/session/remove", scope: "tenant" },
  listSessions: { method: "GET", path: "/recipe/session/user", scope: "tenant" },
  getSessionData: { method: "GET", path: "/recipe/session/data" },
  updateSessionData: { method: "PUT", path: "/recipe/session/data" },
  getPayload: { method: "GET", path: "/recipe/jwt/data" },
  updatePayload: { method: "PUT", path: "/recipe/jwt/data" },
  createJwt: { method: "POST", path: "/recipe/jwt" },
  listKeys: { method: "GET", path: "/recipe/jwt/jwks" },
  telemetry: { method: "GET", path: "/telemetry" },
  features: { method: "GET", path: "/ee/featureflag" },
  findUser: { method: "GET", path: "/user/id", since: "4.0" },
  putTenant: { method: "PUT", path: "/recipe/multitenancy/tenant", since: "3.0" },
  getTenant: { method: "GET", path: "/recipe/multitenancy/tenant", scope: "named_tenant", since: "3.0" },
  listTenants: { method: "GET", path: "/recipe/multitenancy/tenant/list", since: "3.0" },
  removeTenant: { method: "POST", path: "/recipe/multitenancy/tenant/remove", since: "3.0" },
  putTenantV2: { method: "PUT", path: "/recipe/multitenancy/tenant/v2", since: "5.1" },
  getTenantV2: { method: "GET", path: "/recipe/multitenancy/tenant/v2", scope: "named_tenant", since: "5.1" },
  listTenantsV2: { method: "GET", path: "/recipe/multitenancy/tenant/list/v2", since: "5.1" },
} satisfies Readonly<Record<string, CdiOperation>>;

export type CdiOperationName = keyof typeof cdiOperations;
