import {
  afterMint,
  decideRotation,
  type RotationAttempt,
  type RotationResult,
  type SessionId,
  StorageError,
} from "@pawl/storage";
import { type Database, patienceOf } from "../connection/database.js";
import { recordsById } from "./sessions.js";
import * as statements from "./statements.js";

/**
 * `Storage.rotate` for many attempts in one trip. The server locks the rows and tells them with its time, then mints where
 * the guard matches, and commits. From the same rows and the same time the contract's own functions tell here which were
 * minted and what they became, so nothing has to be read again.
 */
export const rotateAll = async (
  database: Database,
  attempts: readonly RotationAttempt[],
): Promise<readonly RotationResult[]> => {
  /** The first attempt on each session, by its place: the statement makes one change to a row. */
  const firsts = new Map<SessionId, number>();
  for (const [index, { id }] of attempts.entries()) if (!firsts.has(id)) firsts.set(id, index);
  const tried = attempts
    .filter(({ id }, index) => firsts.get(id) === index)
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const locks = statements.lockSessions(firsts.keys());
  const { answers, now } = await database.transactAtOnce(
    [...locks, statements.rotateSessions(tried)],
    patienceOf(attempts),
  );
  const records = recordsById(answers.slice(0, -1));
  let minted = 0;
  const results = attempts.map((attempt, index): RotationResult | undefined => {
    const row = records.get(attempt.id);
    if (row === undefined) return { minted: false, now };
    if (decideRotation(row, attempt, now).kind !== "mint") return { minted: false, record: row, now };
    if (firsts.get(attempt.id) !== index) return undefined;
    const record = afterMint(row, { ...attempt, now });
    records.set(attempt.id, record);
    minted += 1;
    return { minted: true, record, now };
  });
  if (answers.at(-1)?.affected !== minted)
    throw new StorageError("unavailable", "the server and this process disagree about a refresh: ask again");
  // A further attempt that mints after the first one did needs a statement of its own.
  const rest = attempts.filter((_, index) => results[index] === undefined);
  const later = rest.length === 0 ? [] : [...(await rotateAll(database, rest))];
  return results.map((result) => result ?? later.shift()!);
};
