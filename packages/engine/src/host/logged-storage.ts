import { type FeedStart, type Millis, millis, type SessionReference, type Storage, StorageError } from "@pawl/storage";
import type { LoggedRevocation, RevocationLog } from "./revocation-log.js";
import { handleOf } from "../session-handle.js";
import type { SessionHandle } from "../session.js";

/** Entries of the feed may stand a little out of the order of their times. */
const OVERLAP = 60_000;

/** What failed calls may have ended without a line in the log. */
interface Unlogged {
  /** The last failure: the server may still do the work of a call that was given up. */
  at: Millis;
  from: FeedStart;
  /** Handles written to the log since, or waiting to be. */
  readonly known: Set<SessionHandle>;
}

/**
 * The same storage, which acknowledges the end of a session only once it is in the log as well. A call whose line cannot
 * be written fails although the session has ended; the caller's next attempt writes it. What a call that failed in the
 * store has ended is read from the feed before the next end is acknowledged.
 */
export const loggedStorage = (storage: Storage, log: RevocationLog): Storage => {
  let unlogged: Unlogged | undefined;

  /** Awaits a call that may end sessions, and remembers when it failed. */
  const noteFailure = async <Result>(call: Promise<Result>): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof StorageError && error.code === "invalid_record") throw error;
      const at = storage.now();
      unlogged ??= { at, from: { at: startOf(at) }, known: new Set() };
      unlogged.at = at;
      throw error;
    }
  };

  /** Logs what failed calls have ended. */
  const logMissed = async (): Promise<void> => {
    const missed = unlogged;
    if (missed === undefined) return;
    const isLast = storage.now() > missed.at + OVERLAP;
    missed.from = await copyFeed({ storage, log, known: missed.known }, missed.from);
    if (isLast && unlogged === missed) unlogged = undefined;
  };

  const note = async (
    ended: readonly SessionReference[],
    end: Pick<LoggedRevocation, "at" | "reason">,
  ): Promise<void> => {
    // The feed may have been quicker: then its line is waiting to be written, and `append` waits for all that are.
    const lines = ended
      .map((session) => ({ handle: handleOf(session), ...end }))
      .filter(({ handle }) => unlogged?.known.has(handle) !== true);
    for (const { handle } of lines) unlogged?.known.add(handle);
    await log.append(lines);
    await logMissed();
  };

  const logged: Pick<Storage, "createSession" | "applyRotation" | "revokeSessions" | "eraseUser" | "revocationsSince"> =
    {
      async createSession(record, limits) {
        const ended = await noteFailure(storage.createSession(record, limits));
        if (ended.length > 0) await note(ended, { at: storage.now(), reason: "session_limit" });
        return ended;
      },
      async applyRotation(expected, change) {
        const result = await noteFailure(storage.applyRotation(expected, change));
        if (change.kind === "end" && result.kind === "applied")
          await note(result.ended, { at: result.now, reason: change.reason });
        return result;
      },
      async revokeSessions(selector, cause, limit) {
        const ended = await noteFailure(storage.revokeSessions(selector, cause, limit));
        // Also when there are none: an earlier attempt may have ended them and failed to write it.
        await note(ended, { at: storage.now(), reason: cause.reason });
        return ended;
      },
      async eraseUser(user, limit) {
        const erased = await noteFailure(storage.eraseUser(user, limit));
        await note(erased.ended, { at: storage.now(), reason: "erased" });
        return erased;
      },
      /** Every process follows the feed, so the log catches up even when nothing else ends. */
      async revocationsSince(from) {
        await logMissed().catch(() => undefined);
        return storage.revocationsSince(from);
      },
    };
  const bound = new Map<PropertyKey, unknown>(Object.entries(logged));
  return new Proxy(storage, {
    get(target, name) {
      if (!bound.has(name)) {
        const member: unknown = Reflect.get(target, name);
        bound.set(name, typeof member === "function" ? (member.bind(target) as unknown) : member);
      }
      return bound.get(name);
    },
  });
};

/**
 * Writes what the feed holds beyond the end of the log: a killed process may have ended sessions without logging them, and
 * a repeated call finds them no longer live.
 */
export const catchUpLog = async (storage: Storage, log: RevocationLog): Promise<void> => {
  const known = new Set(log.tail.map(({ handle }) => handle));
  const last = log.tail.reduce((latest, { at }) => Math.max(latest, at), 0);
  await copyFeed({ storage, log, known }, { at: startOf(last) });
};

/** Writes what the feed holds from a position on and the log does not. @returns the position after it. */
const copyFeed = async (
  {
    storage,
    log,
    known,
  }: { readonly storage: Storage; readonly log: RevocationLog; readonly known: Set<SessionHandle> },
  from: FeedStart,
): Promise<FeedStart> => {
  const page = await storage.revocationsSince(from);
  if (page.kind !== "page") return { at: startOf(storage.now()) };
  const missing = page.items
    .map(({ at, reason, ...session }) => ({ handle: handleOf(session), at, reason }))
    .filter(({ handle }) => !known.has(handle));
  for (const { handle } of missing) known.add(handle);
  await log.append(missing);
  const next = { cursor: page.cursor };
  return page.more ? copyFeed({ storage, log, known }, next) : next;
};

const startOf = (last: number): Millis => millis(Math.max(0, last - OVERLAP));
