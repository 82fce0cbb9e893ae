import {
  mintsSuccessor,
  mintSuccessor,
  type RotationAttempt,
  type RotationResult,
  type SessionId,
  StorageError,
} from "@pawl/storage";
import type { Database } from "./database.js";
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
  const firsts = new Map<SessionId, RotationAttempt>();
  for (const attempt of attempts) if (!firsts.has(attempt.id)) firsts.set(attempt.id, attempt);
  const inOrder = [...firsts.values()].toSorted((left, right) => (left.id < right.id ? -1 : 1));
  const locks = statements.lockSessions(firsts.keys());
  const { answers, now } = await database.transactAtOnce([...locks, statements.rotateSessions(inOrder)]);
  const records = recordsById(answers.slice(0, -1));
  const results = new Map<RotationAttempt, RotationResult>();
  /** Further attempts of one session that would mint after the first one did: they need a statement of their own. */
  const again: RotationAttempt[] = [];
  let minted = 0;
  for (const attempt of attempts) {
    const row = records.get(attempt.id);
    if (row === undefined) results.set(attempt, { minted: false, now });
    else if (!mintsSuccessor(row, attempt, now)) results.set(attempt, { minted: false, record: row, now });
    else if (firsts.get(attempt.id) === attempt) {
      const record = mintSuccessor(row, { ...attempt, now });
      records.set(attempt.id, record);
      results.set(attempt, { minted: true, record, now });
      minted += 1;
    } else again.push(attempt);
  }
  if (answers.at(-1)?.affected !== minted)
    throw new StorageError(
      "unavailable",
      "the server and this process disagree about a rotation: read and decide again",
    );
  const rest = again.length === 0 ? [] : await rotateAll(database, again);
  for (const [index, attempt] of again.entries()) results.set(attempt, rest[index]!);
  return attempts.map((attempt) => results.get(attempt)!);
};
