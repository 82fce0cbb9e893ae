import type { SessionEngine } from "@pawl/engine";
import { PUBLIC_TENANT, type TenantId } from "@pawl/storage";
import { InputError } from "../cdi-input.js";

/** The original's text for an application or a tenant that is not there. */
export const noSuchTenant = (appId: string, tenantId: string): InputError =>
  new InputError(
    "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination " +
      `not found: (, ${appId}, ${tenantId})`,
  );

/** @throws InputError when the tenant was not made. */
export const assertTenant = async ({ tenants }: SessionEngine, tenantId: TenantId): Promise<void> => {
  if (tenantId !== PUBLIC_TENANT && (await tenants.get(tenantId)) === undefined) throw noSuchTenant("public", tenantId);
};
