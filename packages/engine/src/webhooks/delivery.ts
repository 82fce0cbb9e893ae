import type { EventRecord, Millis } from "@pawl/storage";

/** What is noted beside an entry of the outbox. */
export interface Attempts {
  readonly count: number;
  /** When the first was made. */
  readonly since?: Millis | undefined;
  /** Why the last one failed. */
  readonly failure?: string | undefined;
}

/** An event that is to be delivered to a webhook, or could not be. */
export interface Delivery {
  readonly event: EventRecord;
  /** The id of the webhook. */
  readonly webhook: string;
  /** Scheme, host and port of its URL; absent where no such webhook is configured. */
  readonly origin?: string | undefined;
  /** When it is tried next; of one that waits behind another of its session, when it happened. */
  readonly dueAt: Millis;
  readonly attempts: number;
  /** Why it has not got it. */
  readonly failure?: string | undefined;
}

/** Reads what is noted. */
export const attemptsOf = (state: string): Attempts => ({ count: 0, ...(JSON.parse(state) as Partial<Attempts>) });
