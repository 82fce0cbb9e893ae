import type { Millis } from "./identifiers.js";
import type { EventRecord, SessionRecord } from "./records.js";

/** What to change in a live session, besides its rotation. What is absent stays. */
export interface SessionChange {
  /** Nothing changes unless the row has these numbers. */
  readonly expected?:
    | {
        readonly factsVersion?: number | undefined;
        readonly payloadVersion?: number | undefined;
        readonly next?: number | undefined;
      }
    | undefined;
  /** Raises `payloadVersion`. */
  readonly payload?: string | undefined;
  readonly data?: string | undefined;
  /** Raises `factsVersion`. */
  readonly facts?: string | undefined;
  /** Binds the session to a key. */
  readonly bound?: string | undefined;
  /**
   * Tells verifiers that older access tokens do not hold any more: raises `payloadVersion`, and appends a line with the new
   * one to the feed of changes in the same transaction. Without it they hold until they expire.
   */
  readonly announced?: boolean | undefined;
  /** Appended in the same transaction; those that name another user right after it, where a store keeps users apart. */
  readonly events?: readonly EventRecord[] | undefined;
}

export type SessionChangeResult =
  /** `record`: the row after it. */
  | { readonly kind: "changed"; readonly record: SessionRecord; readonly now: Millis }
  /** The row is live but not the expected one: decide again. */
  | { readonly kind: "conflict"; readonly record: SessionRecord; readonly now: Millis }
  /** There is no such live session. */
  | { readonly kind: "absent" };

/** A live row after a change of it, which goes by its `expected`. */
export const afterChange = (row: SessionRecord, change: SessionChange): SessionRecord => {
  const { payload = row.payload, data = row.data, facts = row.facts, bound = row.bound } = change;
  const outdates = change.payload !== undefined || change.announced === true;
  return {
    ...row,
    payload,
    data,
    facts,
    bound,
    factsVersion: row.factsVersion + (change.facts === undefined ? 0 : 1),
    payloadVersion: row.payloadVersion + (outdates ? 1 : 0),
  };
};

/** Whether a row is the one that a change expects. */
export const isExpected = (row: SessionRecord, { expected = {} }: SessionChange): boolean =>
  (["factsVersion", "payloadVersion", "next"] as const).every(
    (name) => expected[name] === undefined || expected[name] === row[name],
  );
