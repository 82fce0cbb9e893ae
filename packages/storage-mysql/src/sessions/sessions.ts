import {
  afterChange,
  afterEnd,
  afterFastForward,
  afterUse,
  type ApplyResult,
  type ExpectedRow,
  isExpected,
  isLive,
  type LiveSession,
  type RotationChange,
  type SessionChange,
  type SessionChangeResult,
  type SessionId,
  type SessionRecord,
  type UseNote,
  type UsePolicy,
} from "@pawl/storage";
import { liveSessionOf, type LiveRow, recordOf, type ReferenceRow, type SessionRow } from "@pawl/storage/adapter";
import { type Answer, rowsOf } from "../connection/connection.js";
import type { Database } from "../connection/database.js";
import { insertEvents } from "../events.js";
import { insertChange } from "../feeds.js";
import { end, onlyReference } from "./ending.js";
import * as statements from "./statements.js";

export const recordsById = (answers: readonly Answer[]): Map<SessionId, SessionRecord> => {
  const records = new Map<SessionId, SessionRecord>();
  for (const { rows } of answers)
    for (const row of rows as readonly SessionRow[]) {
      const record = recordOf(row);
      records.set(record.id, record);
    }
  return records;
};

/** Reads rows, live or not, in the order of the ids. */
export const getSessions = async (
  database: Database,
  ids: readonly SessionId[],
): Promise<readonly (SessionRecord | undefined)[]> => {
  const records = recordsById(await database.send(...statements.selectSessions(ids)));
  return ids.map((id) => records.get(id));
};

/** How sessions stand that are live, in the order of the ids. */
export const getLive = async (
  database: Database,
  ids: readonly SessionId[],
): Promise<readonly (LiveSession | undefined)[]> => {
  const answers = await database.send(...statements.selectLive(ids, database.time));
  const rows = answers.flatMap((answer) => rowsOf<ReferenceRow & LiveRow>(answer));
  const live = new Map(rows.map((row) => [row.id, liveSessionOf(row)]));
  return ids.map((id) => live.get(id));
};

export const applyRotation = async (
  database: Database,
  expected: ExpectedRow,
  change: RotationChange,
): Promise<ApplyResult> => {
  const { id } = expected;
  return database.transact<ApplyResult>(statements.lockSessions([id]), (answers, now) => {
    const row = recordsById(answers).get(id);
    if (row === undefined || !isLive(row, now) || row.current !== expected.current || row.next !== expected.next)
      return { writes: [], result: () => ({ kind: "conflict" }) };
    if (change.kind === "end") {
      const { reason, events } = change;
      const ended = [onlyReference(row)];
      const writes = end(database, { all: ended, cause: { reason }, now, events });
      const record = afterEnd(row, { at: now, reason });
      return { writes, result: () => ({ kind: "applied", record, ended, now }) };
    }
    const record = afterFastForward(row, change);
    return {
      writes: [...statements.updateRotations([record]), ...insertEvents(database, change.events)],
      result: () => ({ kind: "applied", record, ended: [], now }),
    };
  });
};

export const reportUses = async (
  database: Database,
  notes: readonly UseNote[],
  policy: UsePolicy,
): Promise<readonly (SessionRecord | undefined)[]> =>
  database.transact(statements.lockSessions(notes.map(({ id }) => id)), (answers, now) => {
    const records = recordsById(answers);
    const changed = new Map<SessionId, SessionRecord>();
    const result = notes.map((note) => {
      const row = records.get(note.id);
      if (row === undefined || !isLive(row, now)) return undefined;
      const noted = afterUse(row, note, { ...policy, now });
      if (noted !== row) changed.set(note.id, noted);
      records.set(note.id, noted);
      return noted;
    });
    return { writes: statements.updateRotations([...changed.values()]), result: () => result };
  });

export const changeSession = async (
  database: Database,
  id: SessionId,
  change: SessionChange,
): Promise<SessionChangeResult> =>
  database.transact<SessionChangeResult>(statements.lockSessions([id]), (answers, now) => {
    const row = recordsById(answers).get(id);
    if (row === undefined || !isLive(row, now)) return { writes: [], result: () => ({ kind: "absent" }) };
    if (!isExpected(row, change)) return { writes: [], result: () => ({ kind: "conflict", record: row, now }) };
    const record = afterChange(row, change);
    const writes = [
      statements.updateSession(record, change),
      ...insertEvents(database, change.events ?? []),
      ...(change.announced === true ? insertChange(record, now) : []),
    ];
    return { writes, result: () => ({ kind: "changed", record, now }) };
  });
