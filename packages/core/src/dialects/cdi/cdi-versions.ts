import type { AccessTokenForm } from "@pawl/engine";
import { type CdiOperation, type CdiOperationName, cdiOperations } from "./cdi-operations.js";

/** Whether a field of a request is read, and whether it may be absent. */
type Reading = "not_read" | "optional" | "required";

/** What a version of the CDI reads and answers. */
export interface CdiVersion {
  readonly version: string;
  /** The form of the access tokens that create and refresh make. */
  readonly tokenForm: AccessTokenForm;
  /** Whether create, verify and handshake include the public keys. */
  readonly publicKeys: boolean;
  /** Whether create and refresh answer with an id refresh token. */
  readonly idRefreshToken: boolean;
  /** Whether a path may begin with a tenant, and sessions name theirs. */
  readonly tenants: boolean;
  /** Whether sessions name the recipe user: here always the user. */
  readonly recipeUser: boolean;
  /** Whether operations on the whole application are refused under a tenant's path. */
  readonly appWideNeedsPublic: boolean;
  /** `checkDatabase` at verify. */
  readonly checkDatabase: Reading;
  /** `useDynamicSigningKey` at create. */
  readonly keyKindAtCreate: Reading;
  /** `useDynamicSigningKey` at refresh. */
  readonly keyKindAtRefresh: Reading;
  readonly operations: ReadonlySet<CdiOperationName>;
}

const first: Omit<CdiVersion, "version" | "operations"> = {
  tokenForm: "v2",
  publicKeys: true,
  idRefreshToken: true,
  tenants: false,
  recipeUser: false,
  appWideNeedsPublic: false,
  checkDatabase: "not_read",
  keyKindAtCreate: "not_read",
  keyKindAtRefresh: "not_read",
};

/** The one table of the versions served, oldest first: what each changes of the one before it. */
const changes: readonly (readonly [version: string, change: Partial<typeof first>])[] = [
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
    },
  ],
  [
    "3.0",
    {
      tokenForm: "v4",
      tenants: true,
      keyKindAtRefresh: "optional",
    },
  ],
  ["3.1", {}],
  ["4.0", { tokenForm: "v5", recipeUser: true }],
  ["5.0", { appWideNeedsPublic: true, keyKindAtRefresh: "required" }],
  ["5.1", {}],
  ["5.2", {}],
  ["5.3", {}],
  ["5.4", {}],
];

const place = (version: string): number => changes.findIndex(([name]) => name === version);

const operationsAt = (at: number): ReadonlySet<CdiOperationName> =>
  new Set(
    (Object.entries(cdiOperations) as [CdiOperationName, CdiOperation][])
      .filter(([, { since = "2.9", until }]) => at >= place(since) && (until === undefined || at < place(until)))
      .map(([name]) => name),
  );

/** Every version served, oldest first. */
export const cdiVersions: readonly CdiVersion[] = changes.map(([version], at) => ({
  ...changes.slice(0, at + 1).reduce((rules, [, change]) => ({ ...rules, ...change }), first),
  version,
  operations: operationsAt(at),
}));
