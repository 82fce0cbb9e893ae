import {
  afterUse,
  decideRotation,
  type ApplyResult,
  type ExpectedRow,
  type RotationAttempt,
  type RotationChange,
  type RotationResult,
  type SessionId,
  type SessionRecord,
  type UseNote,
  type UsePolicy,
} from "@pawl/storage";
import { recordOf, referenceOf } from "@pawl/storage/adapter";
import type { Statement, Transaction, Value } from "../connection/database.js";
import { eventArrays } from "../events.js";
import { arraysOf, bucketColumn, byBucketAndId, type TimedRow } from "./session-row.js";
import { type Context, readSessions } from "./sessions.js";
import * as statements from "./rotation-statements.js";

const attemptColumns: readonly ((attempt: RotationAttempt) => string | number | null)[] = [
  ({ id }) => bucketColumn(id),
  ({ id }) => id,
  ({ seq }) => seq,
  ({ iat }) => iat,
  ({ secretHash }) => secretHash,
  ({ window }) => window,
  ({ lifetimes }) => lifetimes.refreshValidity,
  ({ lifetimes }) => lifetimes.absoluteTimeout ?? null,
  ({ lifetimes }) => lifetimes.idleTimeout ?? null,
  ({ keyKind }) => keyKind ?? null,
  ({ proof }) => proof ?? null,
];

const mints = (...judged: Parameters<typeof decideRotation>): boolean => decideRotation(...judged).kind === "mint";

/**
 * Rotates several sessions. A statement changes a row once, so of several attempts at one session the first is made and the
 * others are judged by what that left: they find it fresh, and only one that would mint again is sent again.
 */
export const rotateAll = async (
  context: Context,
  attempts: readonly RotationAttempt[],
): Promise<readonly RotationResult[]> => {
  const results: RotationResult[] = [];
  let waiting = attempts.map((attempt, index) => ({ attempt, index }));
  while (waiting.length > 0) {
    const firsts = new Map<SessionId, (typeof waiting)[number]>();
    for (const entry of waiting) if (!firsts.has(entry.attempt.id)) firsts.set(entry.attempt.id, entry);
    const answers = await rotateDistinct(
      context,
      [...firsts.values()].map(({ attempt }) => attempt),
    );
    waiting = waiting.filter((entry) => {
      const answer = answers.get(entry.attempt.id) ?? { minted: false, now: context.now() };
      const isFirst = firsts.get(entry.attempt.id) === entry;
      if (!isFirst && answer.record !== undefined && mints(answer.record, entry.attempt, answer.now)) return true;
      results[entry.index] = isFirst ? answer : { ...answer, minted: false };
      return false;
    });
  }
  return results;
};

const rotateDistinct = async (
  context: Context,
  attempts: readonly RotationAttempt[],
): Promise<ReadonlyMap<SessionId, RotationResult>> => {
  const { database, time } = context;
  const [only] = attempts;
  const rows =
    attempts.length === 1 && only !== undefined
      ? await database.query(statements.rotateSession, [time, ...attemptColumns.map((column) => column(only))])
      : await database.query(statements.rotateSessions, [
          time,
          ...arraysOf(attempts.toSorted(byBucketAndId), attemptColumns),
        ]);
  const results = new Map<SessionId, RotationResult>(
    rows.map((row) => [row.id, { minted: row.minted, record: recordOf(row), now: row.now }]),
  );
  // A row that should have minted was changed by another call meanwhile: what came back is the row before that.
  const stale = attempts.filter((attempt) => {
    const { minted, record, now } = results.get(attempt.id) ?? { minted: true };
    return !minted && record !== undefined && mints(record, attempt, now);
  });
  if (stale.length > 0) {
    const fresh = await readSessions(
      context,
      stale.map(({ id }) => id),
    );
    for (const [index, { id }] of stale.entries())
      results.set(id, { minted: false, now: context.now(), ...fresh[index] });
  }
  return results;
};

export const applyRotation = async (
  { database, time }: Context,
  { id, current, next }: ExpectedRow,
  change: RotationChange,
): Promise<ApplyResult> => {
  const [statement, values] = statementOf(change);
  const rows = await database.query(statement, [time, bucketColumn(id), id, current, next, ...values]);
  const row = rows.find((each) => each.id === id);
  if (row === undefined) return { kind: "conflict" };
  return {
    kind: "applied",
    record: recordOf(row),
    ended: change.kind === "end" ? rows.map(referenceOf) : [],
    now: row.now,
  };
};

const statementOf = (change: RotationChange): readonly [Statement<TimedRow>, readonly Value[]] => {
  switch (change.kind) {
    case "fast_forward":
      return [
        statements.applyFastForward,
        [change.seq, change.current, change.issuedAt, ...eventArrays(change.events)],
      ];
    case "end":
      return [statements.applyEnd, [change.reason, ...eventArrays(change.events)]];
  }
};

/** Notes uses in rounds in which no session occurs twice: nearly always one. */
export const reportUses = async (
  context: Context,
  notes: readonly UseNote[],
  policy: UsePolicy,
): Promise<readonly (SessionRecord | undefined)[]> => {
  const rounds: { readonly note: UseNote; readonly index: number }[][] = [];
  const counts = new Map<SessionId, number>();
  for (const [index, note] of notes.entries()) {
    const round = counts.get(note.id) ?? 0;
    counts.set(note.id, round + 1);
    (rounds[round] ??= []).push({ note, index });
  }
  const results: (SessionRecord | undefined)[] = notes.map(() => undefined);
  const report = async (within: Transaction): Promise<void> => {
    for (const round of rounds) {
      const found = await noteDistinct(context, within, { notes: round.map(({ note }) => note), policy });
      for (const { note, index } of round) results[index] = found.get(note.id);
    }
  };
  await (rounds.length > 1 ? context.database.transaction(report) : report(context.database));
  return results;
};

const noteDistinct = async (
  context: Context,
  within: Transaction,
  { notes, policy }: { readonly notes: readonly UseNote[]; readonly policy: UsePolicy },
): Promise<ReadonlyMap<SessionId, SessionRecord>> => {
  const ordered = notes.toSorted(byBucketAndId);
  const rows = await within.query(statements.noteUses, [
    context.time,
    ...arraysOf<UseNote>(ordered, [({ id }) => bucketColumn(id), ({ id }) => id, ({ seq }) => seq, ({ iat }) => iat]),
    policy.window,
    policy.idleTimeout ?? null,
    policy.activityInterval,
  ]);
  const found = new Map(rows.map((row) => [row.id, row]));
  // As in a rotation: a row that should have changed was changed by another call.
  const isStale = (row: (typeof rows)[number], note: UseNote): boolean => {
    const record = recordOf(row);
    return !row.noted && afterUse(record, note, { ...policy, now: row.now }) !== record;
  };
  const stale = notes.filter((note) => {
    const row = found.get(note.id);
    return row !== undefined && isStale(row, note);
  });
  const records = new Map(rows.map((row) => [row.id, recordOf(row)]));
  if (stale.length > 0) {
    const fresh = await readSessions(
      context,
      stale.map(({ id }) => id),
      within,
    );
    for (const [index, { id }] of stale.entries()) {
      const { record } = fresh[index] ?? {};
      if (record === undefined) records.delete(id);
      else records.set(id, record);
    }
  }
  return records;
};
