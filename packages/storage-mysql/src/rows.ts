import type { EndReason, Millis } from "@pawl/storage";
import type { ReferenceRow, SessionRow } from "@pawl/storage/adapter";

/** What the session limit looks at. */
export type UserSessionRow = ReferenceRow &
  Pick<SessionRow, "issued_at" | "created_at" | "expires_at" | "idle_expires_at">;

/** What the sweep looks at. */
export type SweepRow = ReferenceRow & Pick<SessionRow, "expires_at" | "idle_expires_at" | "ended_at">;

/** A row of a feed. */
export interface LineRow extends ReferenceRow {
  readonly number: number;
  readonly at: Millis;
  /** The server's own time. */
  readonly written_at: number;
}

/** A row of `revocations`. */
export type RevokedRow = LineRow & { readonly reason: EndReason };

/** A row of `changes`. */
export type ChangedRow = LineRow & Pick<SessionRow, "payload_version">;
