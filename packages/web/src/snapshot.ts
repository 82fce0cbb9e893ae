import { readFrontToken } from "./front-token.js";
import type { SharedSession, WebEndReason } from "./shared-session.js";

interface SnapshotOfSession<Payload extends object> {
  readonly status: "valid";
  readonly userId: string;
  readonly handle: string;
  /** What the application put into the session, as of the last answer. */
  readonly payload: Payload;
  readonly reason?: undefined;
}

interface SnapshotOfNobody<Status> {
  readonly status: Status;
  readonly userId?: undefined;
  readonly handle?: undefined;
  readonly payload?: undefined;
  /** Why the last session of this browser ended; undefined where there was none. */
  readonly reason?: WebEndReason | undefined;
}

/**
 * What is known of the session at one moment: the same object as long as nothing in it changes. `unknown`: what this
 * browser has stored is not read yet, or this is no browser.
 */
export type WebSnapshot<Payload extends object = Readonly<Record<string, unknown>>> =
  | SnapshotOfSession<Payload>
  | SnapshotOfNobody<"ended">
  | SnapshotOfNobody<"unknown">;

export const NOT_READ_YET: SnapshotOfNobody<"unknown"> = { status: "unknown" };

export const snapshotOf = ({ front, reason }: SharedSession): WebSnapshot => {
  if (!front) return { status: "ended", reason };
  const { lifetime: _lifetime, ...told } = readFrontToken(front);
  return { status: "valid", ...told };
};
