import type { EventRecord, Millis, OutboxRecord } from "@pawl/storage";

/** What is noted beside an entry of the outbox. */
export interface Attempts {
  readonly count: number;
  /** When the first was made. */
  readonly since?: Millis | undefined;
  /** By id of webhook: those that have it. */
  readonly done?: readonly string[] | undefined;
  /** By id of webhook: why it has not. */
  readonly failures?: Readonly<Record<string, string>> | undefined;
}

/** An event that is to be delivered, or could not be. */
export interface Delivery {
  readonly event: EventRecord;
  /** When it is tried next; of one that waits behind another of its session, when it was put there. */
  readonly dueAt: Millis;
  readonly attempts: number;
  readonly failures: Readonly<Record<string, string>>;
}

/** Reads what is noted. */
export const attemptsOf = (state: string): Attempts => ({ count: 0, ...(JSON.parse(state) as Partial<Attempts>) });

/** How an entry of the outbox stands. */
export const deliveryOf = ({ event, dueAt, state }: OutboxRecord): Delivery => {
  const { count, failures = {} } = attemptsOf(state);
  return { event, dueAt, attempts: count, failures };
};
