import type { JsonObject, JsonValue, Tenant } from "@pawl/engine";
import { PUBLIC_TENANT, type TenantId } from "@pawl/storage";
import { audit } from "../../server/audit.js";
import type { UnknownObject } from "../../server/json-object.js";
import {
  InputError,
  optionalBooleanField,
  optionalObjectField,
  optionalStringsField,
  readFields,
  stringField,
} from "../cdi-input.js";
import { jsonReply, textReply } from "../cdi-reply.js";
import type { CdiCall, CdiHandler, CdiHandlers, CdiOptions } from "./cdi-call.js";

/** A tenant as it is answered. */
type TenantAnswer = (tenant: Tenant) => object;

/** Settings of login recipes, which this core keeps and never reads. */
const flags = ["emailPasswordEnabled", "thirdPartyEnabled", "passwordlessEnabled"] as const;
const factors = ["firstFactors", "requiredSecondaryFactors"] as const;

const readSettings = (fields: UnknownObject): JsonObject => {
  const settings: Record<string, JsonValue> = {};
  for (const name of flags) {
    const value = optionalBooleanField(fields, name);
    if (value !== undefined) settings[name] = value;
  }
  for (const name of factors) {
    const value = fields[name] === null ? null : optionalStringsField(fields, name);
    if (value !== undefined) settings[name] = value;
  }
  const coreConfig = optionalObjectField(fields, "coreConfig") ?? {};
  if (Object.values(coreConfig).some((value) => value !== null))
    throw new InputError("coreConfig is not supported: every tenant has the configuration of the core");
  return settings;
};

/** From CDI 5.1 on. */
const tenantV2: TenantAnswer = ({ tenantId, settings }) => ({
  tenantId,
  thirdParty: { providers: [] },
  firstFactors: settings["firstFactors"],
  requiredSecondaryFactors: settings["requiredSecondaryFactors"],
  coreConfig: {},
});

/** Before: which login recipes a tenant has; the default tenant has all unless told otherwise. */
const tenantV1: TenantAnswer = (tenant) => {
  const enabled = (name: (typeof flags)[number]) => tenant.settings[name] ?? tenant.tenantId === PUBLIC_TENANT;
  return {
    ...tenantV2(tenant),
    emailPassword: { enabled: enabled("emailPasswordEnabled") },
    thirdParty: { enabled: enabled("thirdPartyEnabled"), providers: [] },
    passwordless: { enabled: enabled("passwordlessEnabled") },
  };
};

/** Making, listing and removing tenants. */
export const createTenantHandlers = ({ engine: { tenants, storage } }: CdiOptions) => {
  /** Names of tenants have no case. */
  const tenantIdField = (fields: UnknownObject): string => stringField(fields, "tenantId").trim().toLowerCase();

  const note = (act: "tenant_created" | "tenant_removed", tenantId: string, by: CdiCall["by"]): Promise<void> =>
    audit(storage, { what: { act }, owner: { tenantId: tenantId as TenantId } }, by());

  const put: CdiHandler = async ({ body, by }) => {
    const fields = readFields(body);
    const tenantId = tenantIdField(fields);
    const done = await tenants.put(tenantId, readSettings(fields));
    if (done === "created") await note("tenant_created", tenantId, by);
    return jsonReply({ status: "OK", createdNew: done === "created" });
  };
  const get =
    (answer: TenantAnswer): CdiHandler =>
    async ({ tenantId }) => {
      const tenant = await tenants.get(tenantId);
      return jsonReply(
        tenant === undefined ? { status: "TENANT_NOT_FOUND_ERROR" } : { status: "OK", ...answer(tenant) },
      );
    };
  const list =
    (answer: TenantAnswer): CdiHandler =>
    async () =>
      jsonReply({ status: "OK", tenants: (await tenants.list()).map(answer) });

  return {
    putTenant: put,
    putTenantV2: put,
    getTenant: get(tenantV1),
    getTenantV2: get(tenantV2),
    listTenants: list(tenantV1),
    listTenantsV2: list(tenantV2),
    async removeTenant({ body, by }) {
      const tenantId = tenantIdField(readFields(body));
      if (tenantId === PUBLIC_TENANT) return textReply("Cannot delete public tenant, use app deletion instead", 403);
      const didExist = await tenants.remove(tenantId);
      if (didExist) await note("tenant_removed", tenantId, by);
      return jsonReply({ status: "OK", didExist });
    },
  } satisfies Partial<CdiHandlers>;
};
