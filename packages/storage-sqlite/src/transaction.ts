import type { Millis } from "@pawl/storage";
import type { OutboxTypes } from "@pawl/storage/adapter";
import type { Database } from "./connection/database.js";

/** What a write is done with. */
export interface Transaction {
  /** Inside a transaction. */
  readonly database: Database;
  /** The time of that transaction. */
  readonly now: Millis;
  readonly outbox: OutboxTypes;
}
