import {
  type Millis,
  NEVER,
  type OutboxKey,
  type OutboxRecord,
  type OutboxSettlement,
  type Page,
  type PageRequest,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { decodeOutboxPosition, outboxOf, outboxPage } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import * as statements from "./statements.js";
import type { Transaction } from "./transaction.js";

export const takeOutbox = ({ database, now }: Transaction, limit: number, until: Millis): readonly OutboxRecord[] => {
  const due = database.all(statements.selectDueOutbox, { now, limit });
  for (const { number } of due) database.run(statements.claimOutbox, { number, until });
  return due.map((row) => ({ ...outboxOf(row), dueAt: until }));
};

/** @returns false when there is no such entry. */
export const settleOutbox = (
  { database, now }: Transaction,
  entry: OutboxKey,
  settlement: OutboxSettlement,
): boolean => {
  const settled = settle(database, entry, settlement);
  // One that is revived waits as it was told; the one behind a head that is gone does not.
  const latest = settlement.kind === "postponed" ? NEVER : now;
  if (settled !== undefined) database.run(statements.settleHead, { queue: settled.queue, latest });
  return settled !== undefined;
};

const settle = (
  database: Database,
  { key, destination }: OutboxKey,
  settlement: OutboxSettlement,
): { readonly queue: string } | undefined => {
  const entry = { key, destination };
  if (settlement.kind === "delivered") return database.get(statements.deliverOutbox, entry);
  const { state } = settlement;
  if (settlement.kind === "dead") return database.get(statements.giveUpOutbox, { ...entry, state });
  return database.get(statements.postponeOutbox, { ...entry, state, dueAt: settlement.dueAt });
};

export const deleteOutboxOfUser = (
  { database, now }: Transaction,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
  limit: number,
): void => {
  const queues = database.all(statements.deleteOutboxOfUser, { ...user, limit }).map(({ queue }) => queue);
  for (const queue of new Set(queues)) database.run(statements.settleHead, { queue, latest: now });
};

export const listOutbox = (database: Database, dead: boolean, { limit, after }: PageRequest): Page<OutboxRecord> => {
  const position =
    after === undefined ? { at: Number.MIN_SAFE_INTEGER, key: "", destination: "" } : decodeOutboxPosition(after);
  const found = database.all(statements.listOutbox, { ...position, dead: dead ? 1 : 0, limit: limit + 1 });
  return outboxPage(found.map(outboxOf), limit);
};
