import type { AccessTokenForm } from "@pawl/engine";

/** What can be asked for in some version of the protocol; the paths stand in `cdi-operations.ts`. */
export type CdiOperationName =
  | "apiVersion"
  | "keySet"
  | "handshake"
  | "createSession"
  | "getSession"
  | "verifySession"
  | "refreshSession"
  | "regenerateSession"
  | "removeSessions"
  | "listSessions"
  | "getSessionData"
  | "updateSessionData"
  | "getPayload"
  | "updatePayload"
  | "createJwt"
  | "listKeys"
  | "telemetry"
  | "features"
  | "findUser"
  | "putTenant"
  | "getTenant"
  | "listTenants"
  | "removeTenant"
  | "putTenantV2"
  | "getTenantV2"
  | "listTenantsV2";

/** Whether a field of a request is read, and whether it may be absent. */
type Reading = "not_read" | "optional" | "required";

/** What a version of the CDI says and reads. */
export interface CdiVersion {
  readonly version: string;
  /** The form of the access tokens that create and refresh make. */
  readonly tokenForm: AccessTokenForm;
  /** Whether create, verify and handshake tell the public keys. */
  readonly publicKeys: boolean;
  /** Whether create and refresh answer with an id refresh token. */
  readonly idRefreshToken: boolean;
  /** Whether a path may begin with a tenant, and sessions name theirs. */
  readonly tenants: boolean;
  /** Whether sessions name the recipe user: here always the user. */
  readonly recipeUser: boolean;
  /** Whether what concerns the whole application is refused behind a tenant. */
  readonly appWideNeedsPublic: boolean;
  /** `checkDatabase` at verify. */
  readonly checkDatabase: Reading;
  /** `useDynamicSigningKey` at create. */
  readonly keyKindAtCreate: Reading;
  /** `useDynamicSigningKey` at refresh. */
  readonly keyKindAtRefresh: Reading;
  readonly operations: ReadonlySet<CdiOperationName>;
}

type Change = Partial<Omit<CdiVersion, "version" | "operations">> & {
  readonly adds?: readonly CdiOperationName[];
  readonly drops?: readonly CdiOperationName[];
};

const first: Omit<CdiVersion, "version"> = {
  tokenForm: "v2",
  publicKeys: true,
  idRefreshToken: true,
  tenants: false,
  recipeUser: false,
  appWideNeedsPublic: false,
  checkDatabase: "not_read",
  keyKindAtCreate: "not_read",
  keyKindAtRefresh: "not_read",
  operations: new Set([
    "apiVersion",
    "keySet",
    "handshake",
    "createSession",
    "getSession",
    "verifySession",
    "refreshSession",
    "regenerateSession",
    "removeSessions",
    "listSessions",
    "getSessionData",
    "updateSessionData",
    "getPayload",
    "updatePayload",
    "createJwt",
    "listKeys",
    "telemetry",
    "features",
  ]),
};

/** The one table of the versions served, oldest first: what each changes of the one before it. */
const changes: readonly (readonly [version: string, change: Change])[] = [
  ["2.9", {}],
  ["2.10", {}],
  ["2.11", {}],
  ["2.12", {}],
  ["2.13", {}],
  ["2.14", {}],
  ["2.15", {}],
  ["2.16", {}],
  ["2.17", {}],
  ["2.18", {}],
  ["2.19", {}],
  ["2.20", {}],
  [
    "2.21",
    {
      tokenForm: "v3",
      publicKeys: false,
      idRefreshToken: false,
      checkDatabase: "required",
      keyKindAtCreate: "optional",
      drops: ["handshake"],
    },
  ],
  [
    "3.0",
    {
      tokenForm: "v4",
      tenants: true,
      keyKindAtRefresh: "optional",
      adds: ["putTenant", "getTenant", "listTenants", "removeTenant"],
    },
  ],
  ["3.1", {}],
  ["4.0", { tokenForm: "v5", recipeUser: true, adds: ["findUser"] }],
  ["5.0", { appWideNeedsPublic: true, keyKindAtRefresh: "required" }],
  ["5.1", { adds: ["putTenantV2", "getTenantV2", "listTenantsV2"] }],
  ["5.2", {}],
  ["5.3", {}],
  ["5.4", {}],
];

const written = (): readonly CdiVersion[] => {
  let before = first;
  return changes.map(([version, { adds = [], drops = [], ...change }]) => {
    const operations = new Set([...before.operations, ...adds]);
    for (const name of drops) operations.delete(name);
    const next = { ...before, ...change, operations };
    before = next;
    return { version, ...next };
  });
};

/** Every version served, oldest first. */
export const cdiVersions: readonly CdiVersion[] = written();
