import type { EndReason, Millis } from "@pawl/storage";
import type { ReferenceRow, SessionRow } from "@pawl/storage/adapter";

/** What the session limit looks at. */
export type UserSessionRow = ReferenceRow &
  Pick<SessionRow, "issued_at" | "created_at" | "expires_at" | "idle_expires_at">;

/** What the sweep looks at. */
export type SweepRow = ReferenceRow & Pick<SessionRow, "expires_at" | "idle_expires_at" | "ended_at">;

/** A row of `revocations`. */
export interface NumberedRow extends ReferenceRow {
  readonly number: number;
  readonly at: Millis;
  readonly reason: EndReason;
  /** The server's own time. */
  readonly written_at: number;
}
