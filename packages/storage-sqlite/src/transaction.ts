import type { EventType, Millis } from "@pawl/storage";
import type { Database } from "./connection/database.js";

/** What a write is done with. */
export interface Transaction {
  /** Inside a transaction. */
  readonly database: Database;
  /** The time of that transaction. */
  readonly now: Millis;
  /** The types of events that go to the outbox too. */
  readonly outbox: ReadonlySet<EventType>;
}
