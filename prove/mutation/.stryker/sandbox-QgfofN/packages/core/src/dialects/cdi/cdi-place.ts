import { PUBLIC_TENANT, type TenantId } from "@pawl/storage";

/** Whose a request is, by what stands before the path of an operation. */
export interface CdiPlace {
  /** Absent: the default application. */
  readonly appId?: string;
  readonly tenantId: TenantId;
  /** Whether the path names the tenant. */
  readonly namesTenant: boolean;
}

/** Where a path without a prefix is: the default application and tenant. */
export const DEFAULT_PLACE: CdiPlace = { tenantId: PUBLIC_TENANT, namesTenant: false };

/** No tenant is called as the first segment of a path. Operations begin at these, so that a tenant can be told from them. */
const PREFIXED =
  /^(?:\/appid-([a-z0-9-]*))?(?:\/(?!(?:appid-[^/]*|recipe|config|users|hello)\/)([a-z0-9-]+))?(\/(?:recipe|user|ee|apiversion|telemetry|\.well-known)(?:\/.*?)?)\/?$/;

/**
 * Takes application and tenant off a path: `[/appid-<app>][/<tenant>]<path>[/]`, whatever its case.
 * @returns undefined for a path that cannot be an operation's.
 */
export const splitPlace = (path: string): { readonly path: string; readonly place: CdiPlace } | undefined => {
  const match = PREFIXED.exec(path.toLowerCase());
  const [, appId, tenantId, rest] = match ?? [];
  if (rest === undefined) return undefined;
  return {
    path: rest,
    place: {
      ...(appId === undefined || appId === "public" ? {} : { appId }),
      tenantId: (tenantId ?? PUBLIC_TENANT) as TenantId,
      namesTenant: tenantId !== undefined,
    },
  };
};
