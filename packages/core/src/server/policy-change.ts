import { hostname } from "node:os";
import { adminEvent, type Policy } from "@pawl/engine";
import type { Storage } from "@pawl/storage";

const FACT = "policy";

/**
 * Writes down that the rules of sessions are other ones than when a core was started last on this store. Nodes that are set
 * differently tell it at each of their starts.
 */
export const auditPolicy = async (
  storage: Pick<Storage, "now" | "claimMeta" | "replaceMeta" | "appendEvents">,
  policy: Policy,
): Promise<void> => {
  const now = JSON.stringify(policy);
  const before = await storage.claimMeta(FACT, now);
  // Where another node was faster, it has told.
  if (before === now || !(await storage.replaceMeta(FACT, before, now))) return;
  const old = JSON.parse(before) as Readonly<Record<string, unknown>>;
  const rules: Readonly<Record<string, unknown>> = { ...policy };
  const changed = [...new Set([...Object.keys(old), ...Object.keys(rules)])]
    .filter((rule) => JSON.stringify(old[rule]) !== JSON.stringify(rules[rule]))
    .map((rule) => [rule, { from: old[rule] ?? null, to: rules[rule] ?? null }]);
  if (changed.length === 0) return;
  const detail = { act: "policy_changed", changed: Object.fromEntries(changed) as object, by: { host: hostname() } };
  await storage.appendEvents([adminEvent(storage.now(), detail)]);
};
