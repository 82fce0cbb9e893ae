import type { Adoption, JsonObject } from "@pawl/node";

/** A cookie of a browser that is logged in with another system: name and value as they stand in a header. */
export type OldCookie = readonly [name: string, value: string];

/** Another system that keeps sessions, by its real library, and the `load` for it. */
export interface OldSystem {
  readonly adopt: Pick<Adoption<{ readonly role: string }, JsonObject>, "cookies" | "load">;
  login(userId: string): Promise<OldCookie>;
  /** The session of a cookie, as if its time were over. @returns the cookie of then. */
  expire(cookie: OldCookie): Promise<OldCookie>;
  /** Stops what keeps the sessions; absent where they are in the cookie alone. */
  readonly stop?: () => Promise<void>;
  close(): Promise<void>;
}
