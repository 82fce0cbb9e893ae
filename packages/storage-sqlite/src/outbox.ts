import {
  type Millis,
  NEVER,
  type OutboxRecord,
  type OutboxSettlement,
  type Page,
  type PageRequest,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { decodeEventPosition, encodeEventPosition, outboxOf, pageOf } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";
import * as statements from "./statements.js";
import type { Transaction } from "./transaction.js";

export const takeOutbox = ({ database, now }: Transaction, limit: number, until: Millis): readonly OutboxRecord[] => {
  const due = database.all(statements.selectDueOutbox, { now, limit });
  for (const { number } of due) database.run(statements.claimOutbox, { number, until });
  return due.map((row) => ({ ...outboxOf(row), dueAt: until }));
};

/** @returns false when there is no entry of this event. */
export const settleOutbox = ({ database, now }: Transaction, key: string, settlement: OutboxSettlement): boolean => {
  const settled = settle(database, key, settlement);
  // One that is revived waits as it was told; the one behind a head that is gone does not.
  const latest = settlement.kind === "postponed" ? NEVER : now;
  if (settled !== undefined) database.run(statements.settleHead, { queue: settled.queue, latest });
  return settled !== undefined;
};

const settle = (
  database: Database,
  key: string,
  settlement: OutboxSettlement,
): { readonly queue: string } | undefined => {
  if (settlement.kind === "delivered") return database.get(statements.deliverOutbox, { key });
  const { state } = settlement;
  if (settlement.kind === "dead") return database.get(statements.giveUpOutbox, { key, state });
  return database.get(statements.postponeOutbox, { key, state, dueAt: settlement.dueAt });
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
  const { at, key } = after === undefined ? { at: Number.MIN_SAFE_INTEGER, key: "" } : decodeEventPosition(after);
  const found = database.all(statements.listOutbox, { dead: dead ? 1 : 0, at, key, limit: limit + 1 }).map(outboxOf);
  return pageOf(found, limit, ({ event }) => encodeEventPosition(event));
};
