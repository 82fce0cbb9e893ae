import { adminEvent } from "@pawl/engine";
import type { Storage, TenantId, UserId } from "@pawl/storage";
import type { CallerInformation } from "./access-control.js";

/** What an administrator did. */
interface Act {
  readonly act: string;
  readonly [fact: string]: unknown;
}

export interface AuditedAct {
  readonly what: Act;
  readonly owner?: { readonly tenantId?: TenantId | undefined; readonly userId?: UserId | undefined } | undefined;
}

/** Writes down what an administrator did, and who it was. */
export const audit = (
  storage: Pick<Storage, "now" | "appendEvents">,
  { what, owner }: AuditedAct,
  by: CallerInformation,
): Promise<void> => storage.appendEvents([adminEvent(storage.now(), { ...what, by }, owner)]);
