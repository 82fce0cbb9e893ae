import type { Millis, OutboxKey, OutboxRecord, OutboxSettlement, Page, PageRequest } from "@pawl/storage";
import { decodeOutboxPosition, outboxOf, outboxPage, type OutboxRow } from "@pawl/storage/adapter";
import { rowsOf } from "./connection/connection.js";
import type { Database } from "./connection/database.js";
import type { Sql } from "./connection/sql.js";
import * as statements from "./statements.js";

/** `queue` in hexadecimal. */
type QueuedRow = OutboxRow & { readonly queue: string };
type EntryRow = Pick<QueuedRow, "number" | "queue" | "dead">;
type NextRow = Pick<QueuedRow, "number" | "at">;

/** Claims queues that are due, with their heads. An erasure may have left a queue with nothing in it: that is forgotten. */
export const takeOutbox = async (
  database: Database,
  limit: number,
  until: Millis,
): Promise<readonly OutboxRecord[]> => {
  const taken: OutboxRecord[] = [];
  for (;;) {
    const { queues, heads } = await claim(database, limit - taken.length, until);
    taken.push(...heads.map(outboxOf));
    if (heads.length === queues.length) return taken;
    const held = new Set(heads.map(({ queue }) => queue));
    await giveBack(
      database,
      queues.filter((queue) => !held.has(queue)),
    );
  }
};

interface Claim {
  readonly queues: readonly string[];
  readonly heads: readonly QueuedRow[];
}

const claim = async (database: Database, limit: number, until: Millis): Promise<Claim> =>
  database.transact<Claim>([statements.lockDueQueues(database.time, limit)], ([due]) => {
    const queues = rowsOf<Pick<QueuedRow, "queue">>(due).map(({ queue }) => queue);
    if (queues.length === 0) return { writes: [], result: () => ({ queues, heads: [] }) };
    const places = new Map(queues.map((queue, place) => [queue, place]));
    const placeOf = ({ queue }: QueuedRow): number => places.get(queue) ?? 0;
    return {
      writes: [statements.moveQueues(queues, until), statements.selectHeads(queues, until)],
      result: ([, heads]) => ({
        queues,
        heads: rowsOf<QueuedRow>(heads).toSorted((left, right) => placeOf(left) - placeOf(right)),
      }),
    };
  });

/** Lets go of claimed queues in which there was nothing: those in which there still is nothing are gone. */
const giveBack = async (database: Database, queues: readonly string[]): Promise<void> =>
  database.transact([statements.lockQueues(queues), statements.selectHeldQueues(queues)], ([, found], now) => {
    const held = rowsOf<Pick<QueuedRow, "queue">>(found).map(({ queue }) => queue);
    const empty = queues.filter((queue) => !held.includes(queue));
    const writes = [
      ...(empty.length === 0 ? [] : [statements.deleteQueues(empty)]),
      ...(held.length === 0 ? [] : [statements.moveQueues(held, now)]),
    ];
    return { writes, result: () => undefined };
  });

/** @returns whether there was such an entry. */
export const settleOutbox = async (
  database: Database,
  named: OutboxKey,
  settlement: OutboxSettlement,
): Promise<boolean> =>
  database.transact(statements.lockOutboxEntry(named), ([, found, following], now) => {
    const [entry] = rowsOf<EntryRow>(found);
    if (entry === undefined) return { writes: [], result: () => false };
    const [next] = rowsOf<NextRow>(following);
    return { writes: settle(settlement, { entry, next, now }), result: () => true };
  });

const settle = (
  settlement: OutboxSettlement,
  at: { readonly entry: EntryRow; readonly next: NextRow | undefined; readonly now: Millis },
): readonly Sql[] => {
  const { number, queue } = at.entry;
  switch (settlement.kind) {
    case "delivered":
      return [statements.deleteOutboxEntry(number), ...leave(at)];
    case "dead":
      return [statements.updateOutboxEntry(number, { dead: true, state: settlement.state }), ...leave(at)];
    case "postponed": {
      const update = statements.updateOutboxEntry(number, { dead: false, state: settlement.state });
      const isHead = at.next === undefined || number < at.next.number;
      return isHead ? [update, statements.postponeQueue(queue, settlement.dueAt)] : [update];
    }
  }
};

/** When an entry is gone from its queue: the next is due if that one was the head; nothing is left of an empty queue. */
const leave = ({ entry, next, now }: Parameters<typeof settle>[1]): readonly Sql[] => {
  if (next === undefined) return [statements.deleteQueues([entry.queue])];
  const wasHead = entry.dead === 0 && entry.number < next.number;
  return wasHead ? [statements.moveQueues([entry.queue], next.at < now ? next.at : now)] : [];
};

export const listOutbox = async (
  database: Database,
  dead: boolean,
  { limit, after }: PageRequest,
): Promise<Page<OutboxRecord>> => {
  const position = after === undefined ? undefined : decodeOutboxPosition(after);
  const [answer] = await database.send(statements.listOutbox(dead, position, limit + 1));
  return outboxPage(rowsOf<OutboxRow>(answer).map(outboxOf), limit);
};
