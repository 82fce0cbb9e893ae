import type { RandomSource, SessionEngine } from "@pawl/engine";
import type { TenantId } from "@pawl/storage";
import type { CallerInformation } from "../../server/access-control.js";
import type { CoreConfig } from "../../config/core-config.js";
import type { CoreReply } from "../../server/dialect.js";
import type { CdiOperationName } from "./cdi-operations.js";
import type { CdiVersion } from "./cdi-versions.js";

/** A request to one operation: who asks in which version, and for which tenant. */
export interface CdiCall {
  readonly version: CdiVersion;
  /** The default tenant where the path names none. */
  readonly tenantId: TenantId;
  readonly query: string;
  readonly body: string;
  /** Who asks, for the audit trail. */
  readonly by: () => CallerInformation;
}

export type CdiHandler = (call: CdiCall) => CoreReply | Promise<CoreReply>;

export type CdiHandlers = Readonly<Record<CdiOperationName, CdiHandler>>;

export interface CdiOptions {
  readonly engine: SessionEngine;
  readonly config: Pick<CoreConfig, "keyKind" | "cdiSigningAlgorithm" | "cdiVerifyKnows">;
  readonly random: RandomSource;
}
