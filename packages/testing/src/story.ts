/**
 * - `login`: after the login nobody is logged in
 * - `logged-out`: somebody is logged out whose session has not ended
 * - `false-alarm`: a session ends as stolen that nobody has stolen
 * - `outage`: while the storage is down somebody is logged out
 * - `lost-cookie`: an answer lacks a cookie of the session that it created or refreshed
 * - `refused-cookie`: browsers do not take a cookie of the session
 * - `cacheable`: caches that people share may keep an answer of one
 * - `mixed-up`: somebody gets what is another one's
 * - `stale-page`: after the logout a browser still shows the page, from its cache
 * - `outlived`: what has ended or expired is still let in
 * - `kept-session`: a login goes on with the session that the browser had
 * - `cross-origin`: a page of another origin logs in or out
 * - `thief`: a thief is not caught
 */
export type FailureKind =
  | "login"
  | "logged-out"
  | "false-alarm"
  | "outage"
  | "lost-cookie"
  | "refused-cookie"
  | "cacheable"
  | "mixed-up"
  | "stale-page"
  | "outlived"
  | "kept-session"
  | "cross-origin"
  | "thief";

/** What went wrong first of its kind. */
export interface Found {
  readonly kind: FailureKind;
  readonly message: string;
  /** How many moments there had been by then. */
  readonly moment: number;
}

const DAY = 86_400_000;

/** What happens, line by line, and what is wrong with it. */
export class Story {
  readonly lines: string[] = [];
  readonly found: Found[] = [];
  moment = 0;
  readonly #start: number;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
  }

  tell(what: string): void {
    const passed = this.#now() - this.#start;
    const time = new Date(passed).toISOString().slice(11, 19);
    this.lines.push(`day ${Math.floor(passed / DAY) + 1} ${time}  ${what}`);
  }

  has(kind: FailureKind): boolean {
    return this.found.some((other) => other.kind === kind);
  }

  /** Only the first of a kind counts. */
  blame(kind: FailureKind, message: string): void {
    this.tell(`!! ${kind}: ${message}`);
    if (!this.has(kind)) this.found.push({ kind, message, moment: this.moment });
  }
}
