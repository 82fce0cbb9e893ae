import { PUBLIC_TENANT, type TenantId } from "@pawl/storage";

/** Application and tenant of a request, from the prefix of its path. */
export interface CdiPlace {
  /** Absent: the default application. */
  readonly appId?: string;
  readonly tenantId: TenantId;
  /** Whether the path names the tenant. */
  readonly namesTenant: boolean;
}

/** Where a path without a prefix is: the default application and tenant. */
export const DEFAULT_PLACE: CdiPlace = { tenantId: PUBLIC_TENANT, namesTenant: false };

/** No tenant has the name of an operation's first segment, so a prefix can be told from a path. */
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
