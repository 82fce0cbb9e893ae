import { type Millis, millis, type SessionReference, type Storage, StorageError } from "@pawl/storage";
import type { LoggedRevocation, RevocationLog } from "./revocation-log.js";
import { handleOf } from "../session-handle.js";
import type { SessionHandle } from "../session.js";

/** Entries of the feed may stand a little out of the order of their times. */
const OVERLAP = 60_000;

/** Where a reader of the feed goes on. */
type Position = Parameters<Storage["revocationsSince"]>[0];

/** Ends that a call which failed may have brought about without anybody here hearing of them. */
interface Unheard {
  /** The last failure: its work may be done a while later, by a server that does not know that nobody waits. */
  at: Millis;
  from: Position;
  /** Handles that stand in the log since, or wait in it to be written. */
  readonly known: Set<SessionHandle>;
}

/**
 * The same storage, which acknowledges the end of a session only when it stands in the log as well. A call whose line
 * could not be written fails, although the session has ended: it is unknown to the caller, whose next try writes it.
 * After a call that failed in the store nobody knows what it ended; the feed tells, before the next end is acknowledged.
 */
export const loggedStorage = (storage: Storage, log: RevocationLog): Storage => {
  let unheard: Unheard | undefined;

  /** A call that may end sessions. */
  const asked = async <Result>(call: Promise<Result>): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof StorageError && error.code === "invalid_record") throw error;
      const at = storage.now();
      unheard ??= { at, from: { at: startOf(at) }, known: new Set() };
      unheard.at = at;
      throw error;
    }
  };

  /** Writes what calls that failed have ended. */
  const hear = async (): Promise<void> => {
    const hearing = unheard;
    if (hearing === undefined) return;
    const isLast = storage.now() > hearing.at + OVERLAP;
    hearing.from = await copyFeed({ storage, log, known: hearing.known }, hearing.from);
    if (isLast && unheard === hearing) unheard = undefined;
  };

  const note = async (
    ended: readonly SessionReference[],
    end: Pick<LoggedRevocation, "at" | "reason">,
  ): Promise<void> => {
    // The feed may have been quicker: its line waits to be written, and `append` waits for all that do.
    const lines = ended
      .map((session) => ({ handle: handleOf(session), ...end }))
      .filter(({ handle }) => unheard?.known.has(handle) !== true);
    for (const { handle } of lines) unheard?.known.add(handle);
    await log.append(lines);
    await hear();
  };

  const logged: Pick<Storage, "createSession" | "applyRotation" | "revokeSessions" | "eraseUser" | "revocationsSince"> =
    {
      async createSession(record, limits) {
        const ended = await asked(storage.createSession(record, limits));
        if (ended.length > 0) await note(ended, { at: storage.now(), reason: "session_limit" });
        return ended;
      },
      async applyRotation(expected, change) {
        const result = await asked(storage.applyRotation(expected, change));
        if (change.kind === "end" && result.kind === "applied")
          await note(result.ended, { at: result.now, reason: change.reason });
        return result;
      },
      async revokeSessions(selector, cause) {
        const ended = await asked(storage.revokeSessions(selector, cause));
        // Also when there are none: a try before this one may have ended them, and could not write it.
        await note(ended, { at: storage.now(), reason: cause.reason });
        return ended;
      },
      async eraseUser(user) {
        const erased = await asked(storage.eraseUser(user));
        await note(erased.ended, { at: storage.now(), reason: "erased" });
        return erased;
      },
      /** Every process follows the feed: so the log catches up also where nothing is ended any more. */
      async revocationsSince(from) {
        await hear().catch(() => undefined);
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
 * Writes what the feed holds beyond the end of the log: a process that was killed may have ended sessions that nobody
 * was told of yet, and whoever asks again is told "not live".
 */
export const catchUpLog = async (storage: Storage, log: RevocationLog): Promise<void> => {
  const known = new Set(log.tail.map(({ handle }) => handle));
  const last = log.tail.reduce((latest, { at }) => Math.max(latest, at), 0);
  await copyFeed({ storage, log, known }, { at: startOf(last) });
};

/** Writes what the feed holds from a position on and is not known. @returns the position after it. */
const copyFeed = async (
  {
    storage,
    log,
    known,
  }: { readonly storage: Storage; readonly log: RevocationLog; readonly known: Set<SessionHandle> },
  from: Position,
): Promise<Position> => {
  const page = await storage.revocationsSince(from);
  if (page.kind !== "page") return { at: startOf(storage.now()) };
  const missing = page.revocations
    .map(({ at, reason, ...session }) => ({ handle: handleOf(session), at, reason }))
    .filter(({ handle }) => !known.has(handle));
  for (const { handle } of missing) known.add(handle);
  await log.append(missing);
  const next = { cursor: page.cursor };
  return page.more ? copyFeed({ storage, log, known }, next) : next;
};

const startOf = (last: number): Millis => millis(Math.max(0, last - OVERLAP));
