import { EngineError } from "@pawl/engine";
import { PUBLIC_TENANT } from "@pawl/storage";
import type { CoreReply, CoreRequest, Dialect, Found } from "../../server/dialect.js";
import { callerOf } from "../../server/access-control.js";
import { InputError, queryParameter } from "../cdi-input.js";
import { jsonReply, textRefusal, textReply, unknownVersionReply } from "../cdi-reply.js";
import type { CdiHandlers, CdiOptions } from "./cdi-call.js";
import { type CdiOperation, type CdiOperationName, cdiOperations } from "./cdi-operations.js";
import { type CdiPlace, DEFAULT_PLACE, splitPlace } from "./cdi-place.js";
import { type CdiVersion, cdiVersions } from "./cdi-versions.js";
import { createKeyHandlers } from "./key-handlers.js";
import { assertTenant, noSuchTenant } from "./known-tenant.js";
import { createSessionHandlers } from "./session-handlers.js";
import { createTenantHandlers } from "./tenant-handlers.js";
import { withoutHead } from "../../server/request-target.js";

/** The operations of a path, by method. */
type Methods = ReadonlyMap<string, { readonly name: CdiOperationName } & CdiOperation>;

/** Versions below this one sign with RS256 alone. */
const FIRST_WITH_CHOICE = "2.21";

/**
 * CDI 2.9 and later, as SDKs since 2022 speak it. It only translates: `cdi-versions.ts` lists the versions,
 * `cdi-operations.ts` the operations, and `docs/reference/compatibility.md` the differences from the original.
 *
 * The order of checks is the original's: address and API key (the server), version, application, tenant, method, input.
 */
export const createCdiDialect = (options: CdiOptions): Dialect => {
  const { engine, config } = options;
  const served = cdiVersions.slice(
    config.cdiSigningAlgorithm === "RS256" ? 0 : cdiVersions.findIndex(({ version }) => version === FIRST_WITH_CHOICE),
  );
  const oldest = served[0] as CdiVersion;
  const latest = served.at(-1) as CdiVersion;
  const byName = new Map(served.map((version) => [version.version, version]));

  const handlers: CdiHandlers = {
    ...createSessionHandlers(options),
    ...createKeyHandlers(options),
    ...createTenantHandlers(options),
    apiVersion: () => jsonReply({ versions: served.map(({ version }) => version) }),
    telemetry: () => jsonReply({ exists: false }),
    features: () => jsonReply({ features: [], usageStats: {}, status: "OK" }),
    findUser: ({ query }) => {
      queryParameter(query, "userId");
      return jsonReply({ status: "UNKNOWN_USER_ID_ERROR" });
    },
  };

  /** The version asked for, or why it is refused. */
  const versionOf = ({ headers }: CoreRequest): CdiVersion | CoreReply => {
    const requested = headers["cdi-version"];
    if (requested === undefined) return latest;
    const known = typeof requested === "string" ? byName.get(requested) : undefined;
    if (known !== undefined) return known;
    if (cdiVersions.some(({ version }) => version === requested))
      return textReply(
        `cdi-version ${requested as string} is lower than the minimum allowed version ${oldest.version}`,
        400,
      );
    return unknownVersionReply(requested);
  };

  const serve = async (methods: Methods, place: CdiPlace, request: CoreRequest): Promise<CoreReply> => {
    const requested = versionOf(request);
    const operation = methods.get(request.method);
    const version =
      "status" in requested && operation?.anyVersion === true && isWellFormed(request) ? latest : requested;
    if ("status" in version) return version;
    if (place.appId !== undefined) return textReply(noSuchTenant(place.appId, place.tenantId).message, 400);
    if (place.namesTenant && !version.tenants) return textRefusal("not_found", {});
    if (operation === undefined || !version.operations.has(operation.name)) return otherMethod(methods, version);
    const { tenantId } = place;
    try {
      if (tenantId !== PUBLIC_TENANT && operation.scope === undefined && version.appWideNeedsPublic)
        return textReply("Only public tenantId can call this app specific API", 403);
      if (operation.scope !== "named_tenant") await assertTenant(engine, tenantId);
      return await handlers[operation.name]({
        version,
        tenantId,
        query: request.query,
        body: request.body,
        by: () => callerOf(request),
      });
    } catch (error) {
      if (error instanceof InputError) return textReply(error.message, 400);
      if (!(error instanceof EngineError)) throw error;
      if (error.code === "protected_claim") return textReply("The user payload contains protected field", 400);
      if (error.code === "tenant_unknown") return textReply(noSuchTenant("public", tenantId).message, 400);
      throw error;
    }
  };

  const paths = new Map<string, Map<string, { readonly name: CdiOperationName } & CdiOperation>>();
  for (const [name, operation] of Object.entries(cdiOperations) as [CdiOperationName, CdiOperation][]) {
    const methods = paths.get(operation.path) ?? new Map();
    paths.set(operation.path, methods.set(operation.method, { name, ...operation }));
  }

  return {
    find(method, target): Found | undefined {
      const { path, place } = paths.has(target) ? { path: target, place: DEFAULT_PLACE } : (splitPlace(target) ?? {});
      const methods = paths.get(path ?? "");
      if (methods === undefined || place === undefined) return undefined;
      const name = methods.get(withoutHead(method))?.name ?? path;
      const open = [...methods.values()].every((operation) => operation.open === true);
      return {
        operation: {
          name: `cdi ${name}`,
          access: open ? "open" : "full",
          handle: (request) => serve(methods, place, request),
        },
      };
    },
    owns: () => false,
    refuse: textRefusal,
  };
};

/** Whether the header holds a version at all: operations that answer in any version still refuse anything else. */
const isWellFormed = ({ headers }: CoreRequest): boolean => /^\d{1,5}\.\d{1,5}$/.test(String(headers["cdi-version"]));

/** Refuses a method that a path does not take in a version, or the path when it takes none. */
const otherMethod = (methods: Methods, { operations }: CdiVersion): CoreReply => {
  const offered = [...methods.values()].filter(({ name }) => operations.has(name)).map(({ method }) => method);
  if (offered.length === 0) return textRefusal("not_found", {});
  return { ...textRefusal("method_not_allowed", {}), headers: ["Allow", offered.join(", ")] };
};
