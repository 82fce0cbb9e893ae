import type { Millis, OutboxKey, OutboxRecord, OutboxSettlement, Page, PageRequest } from "@pawl/storage";
import { decodeOutboxPosition, outboxOf, outboxPage } from "@pawl/storage/adapter";
import type { Database, Statement, Value } from "./connection/database.js";
import type { Context } from "./sessions/sessions.js";
import * as statements from "./statements.js";

/**
 * Claims queues that are due, then reads their heads: in a statement of its own, which also sees what was settled while the
 * first one waited. An erasure may have left a queue with nothing in it: that is forgotten.
 */
export const takeOutbox = async (
  { database, time }: Context,
  limit: number,
  until: Millis,
): Promise<readonly OutboxRecord[]> => {
  const taken: OutboxRecord[] = [];
  for (;;) {
    const claimed = await database.query(statements.claimQueues, [time, limit - taken.length, until]);
    if (claimed.length === 0) return taken;
    const queues = claimed.map(({ queue }) => queue);
    const heads = await database.query(statements.selectHeads, [queues, until]);
    taken.push(...heads.map(outboxOf));
    if (heads.length === queues.length) return taken;
    const held = new Set(heads.map(({ queue }) => queue));
    await giveBack(
      { database, time },
      queues.filter((queue) => !held.has(queue)),
    );
  }
};

/** Lets go of claimed queues in which there was nothing: those in which there still is nothing are gone. */
const giveBack = ({ database, time }: Omit<Context, "now">, queues: readonly string[]): Promise<unknown> =>
  database.transaction(({ query }) =>
    Promise.all([query(statements.lockNamedQueues, [queues]), query(statements.giveBackQueues, [time, queues])]),
  );

/** @returns whether there was such an entry. */
export const settleOutbox = (
  { database, time }: Context,
  { key, destination }: OutboxKey,
  settlement: OutboxSettlement,
): Promise<boolean> =>
  database.transaction(async ({ query }) => {
    const [statement, values] = settlingOf(settlement);
    // The second statement sees all that is in the queue, because nothing is put into it after the first.
    const [, found] = await Promise.all([
      query(statements.lockQueueOf, [key, destination]),
      query(statement, [time, key, destination, ...values]),
    ]);
    return found.length > 0;
  });

const settlingOf = (settlement: OutboxSettlement): readonly [Statement, readonly Value[]] => {
  switch (settlement.kind) {
    case "delivered":
      return [statements.deleteOutboxEntry, []];
    case "postponed":
      return [statements.postponeOutboxEntry, [settlement.state, settlement.dueAt]];
    case "dead":
      return [statements.layOutboxEntryAside, [settlement.state]];
  }
};

export const listOutbox = async (
  database: Database,
  dead: boolean,
  { limit, after }: PageRequest,
): Promise<Page<OutboxRecord>> => {
  const { at, key, destination } =
    after === undefined ? { at: null, key: null, destination: null } : decodeOutboxPosition(after);
  const rows = await database.query(statements.listOutbox, [dead, at, key, destination, limit + 1]);
  return outboxPage(rows.map(outboxOf), limit);
};
