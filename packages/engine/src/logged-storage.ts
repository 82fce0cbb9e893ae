import { type Millis, millis, type RevocationPage, type SessionReference, type Storage } from "@pawl/storage";
import type { LoggedRevocation, RevocationLog } from "./revocation-log.js";
import { handleOf } from "./session-handle.js";

/** Entries of the feed may stand a little out of the order of their times. */
const OVERLAP = 60_000;

/**
 * The same storage, which acknowledges the end of a session only when it stands in the log as well. A call whose line
 * could not be written fails, although the session has ended: it is unknown to the caller, whose next try writes it.
 */
export const loggedStorage = (storage: Storage, log: RevocationLog): Storage => {
  const note = async (
    ended: readonly SessionReference[],
    end: Pick<LoggedRevocation, "at" | "reason">,
  ): Promise<void> => log.append(ended.map((session) => ({ handle: handleOf(session), ...end })));

  const ending: Pick<Storage, "createSession" | "applyRotation" | "revokeSessions" | "eraseUser"> = {
    async createSession(record, limits) {
      const ended = await storage.createSession(record, limits);
      if (ended.length > 0) await note(ended, { at: storage.now(), reason: "session_limit" });
      return ended;
    },
    async applyRotation(expected, change) {
      const result = await storage.applyRotation(expected, change);
      if (change.kind === "end" && result.kind === "applied")
        await note(result.ended, { at: result.now, reason: change.reason });
      return result;
    },
    async revokeSessions(selector, cause) {
      const ended = await storage.revokeSessions(selector, cause);
      // Also when there are none: a try before this one may have ended them, and could not write it.
      await note(ended, { at: storage.now(), reason: cause.reason });
      return ended;
    },
    async eraseUser(user) {
      const erased = await storage.eraseUser(user);
      await note(erased.ended, { at: storage.now(), reason: "erased" });
      return erased;
    },
  };
  const bound = new Map<PropertyKey, unknown>(Object.entries(ending));
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
  let from: Parameters<Storage["revocationsSince"]>[0] = { at: startOf(last) };
  for (;;) {
    const page: RevocationPage = await storage.revocationsSince(from);
    if (page.kind !== "page") return;
    const missing = page.revocations
      .map(({ at, reason, ...session }) => ({ handle: handleOf(session), at, reason }))
      .filter(({ handle }) => !known.has(handle));
    await log.append(missing);
    if (!page.more) return;
    from = { cursor: page.cursor };
  }
};

const startOf = (last: number): Millis => millis(Math.max(0, last - OVERLAP));
