import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import type { Changed, JsonObject, Revoked, SessionInformation } from "@pawl/engine";
import { inTime } from "../application-hook.js";
import type { SessionBackend } from "../backend/session-backend.js";
import { guardPayload, type Misfit } from "../sessions/schema.js";
import { type Binding, type BindOptions, Bindings, type ChangedSession } from "./binding.js";
import { Endings } from "./endings.js";
import type { SocketEnd } from "./socket-end.js";
import { kindOf } from "./socket-kinds.js";

/** Sessions of which one call asks how they stand. */
const BATCH = 500;
/** Sessions that are read at once. */
const READS_AT_ONCE = 8;
/** Between two rounds, s: each looks at every socket. */
const PAUSE = 5;
/** Rounds are never further apart, s: a clock may be set, and a machine sleep. */
const LONGEST_PAUSE = 60;
/** How long a socket may stay after a change that cannot be read, s. */
const CHANGE_LIMIT = 30;
const ANSWER_WITHIN = 10_000;

/** What is needed of a session, by a request or a token, to bind a socket to it. */
export interface BindableSession {
  readonly userId: string;
  readonly handle: string;
  readonly payloadVersion: number;
  readonly actor?: object | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface WatchOptions {
  readonly backend: SessionBackend;
  readonly readPayload: (stored: JsonObject) => object | Promise<object | Misfit>;
  /** Ms. */
  readonly maxUnknown: number;
  readonly endings?: Endings;
  /** How long an application may take to say whether a socket may stay, ms. */
  readonly answerWithin?: number;
}

/** A session as it is now. */
interface Standing {
  readonly session: ChangedSession<object>;
  readonly actingFor: string | undefined;
  /** Ms. */
  readonly actingUntil: number;
}

/** That a session has changed since its application heard of it. */
interface Outdated {
  /** Seconds as `askAt`. */
  readonly since: number;
  /** The number of its last change. */
  readonly heard: number;
}

/**
 * Keeps sockets open as long as their sessions live. Ends and changes are heard from the backend; and once per access token
 * lifetime, and when a session would end by itself, it is asked how they stand, many at a time, which is no use of a session.
 */
export class Watch {
  readonly #backend: SessionBackend;
  readonly #readPayload: WatchOptions["readPayload"];
  readonly #maxUnknown: number;
  readonly #endings: Endings;
  readonly #answerWithin: number;
  readonly #bindings = new Bindings();
  readonly #beganAt: number;
  readonly #stops: readonly (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #nextRound = Number.POSITIVE_INFINITY;
  /** Where it is known that what the application knows of a session does not hold any more. */
  readonly #outdatedBindings = new WeakMap<Binding, Outdated>();
  /** Changes that were heard of so far. */
  #heard = 0;
  /** What applications are asked about now, each with what it is to be told next. */
  readonly #telling = new WeakMap<Binding, { next: ChangedSession<object> | undefined }>();
  readonly #onGone: (this: object) => void;
  /** Sessions that are to be asked for as soon as this turn of the event loop is over. */
  #urgent = new Set<string>();
  #isClosed = false;

  constructor({
    backend,
    readPayload,
    maxUnknown,
    endings = new Endings(),
    answerWithin = ANSWER_WITHIN,
  }: WatchOptions) {
    this.#backend = backend;
    this.#readPayload = readPayload;
    this.#maxUnknown = Math.ceil(maxUnknown / 1000);
    this.#endings = endings;
    this.#answerWithin = answerWithin;
    this.#beganAt = backend.now();
    const bindings = this.#bindings;
    this.#onGone = function onGone(this: object) {
      bindings.deleteSocket(this);
    };
    this.#stops = [
      backend.subscribe((revoked) => this.#hearEnd(revoked)),
      backend.subscribeToChanges((changed) => this.#hearChange(changed)),
    ];
  }

  /** @throws TypeError for what is no socket. */
  bind(socket: object, session: BindableSession, { onChange, onEnd }: BindOptions<object> = {}): void {
    const { userId, handle, actor, payloadVersion, issuedAt, expiresAt } = session;
    const kind = kindOf(socket);
    if (kind.isClosed(socket)) return;
    const actingFor = actor === undefined ? undefined : userId;
    const askAt = this.#secondsOf(expiresAt);
    const binding: Binding = { handle, socket, onChange, onEnd, payloadVersion, actingFor, askAt };
    if (this.#bindings.add(binding)) kind.onClose(socket, this.#onGone);
    const told = { handle, payloadVersion, issuedAt } as Parameters<SessionBackend["isOvertaken"]>[0];
    if (this.#backend.isOvertaken(told)) this.#outdated(binding);
    else this.#askLater(askAt);
  }

  /** Asks how those sessions stand of which too little is known. */
  round(): Promise<void> {
    return (this.#running ??= this.#round().finally(() => (this.#running = undefined)));
  }

  async #round(): Promise<void> {
    const now = this.#now;
    const due = new Set<string>();
    for (const { handle, askAt } of this.#bindings) if (askAt <= now) due.add(handle);
    await this.#askAll([...due]);
    let next = Number.POSITIVE_INFINITY;
    for (const binding of this.#bindings) {
      if (this.#endAt(binding) <= this.#now) this.#end(binding, { code: 4503, reason: "unknown" });
      else next = Math.min(next, binding.askAt);
    }
    this.#nextRound = Number.POSITIVE_INFINITY;
    if (next < Number.POSITIVE_INFINITY) this.#askLater(next);
  }

  /** Closes all sockets: nobody would close them when their sessions end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    clearTimeout(this.#timer);
    for (const binding of this.#bindings) this.#end(binding, { code: 1001, reason: "closing" });
    await this.#endings.settled();
  }

  #secondsOf(time: number): number {
    return Math.ceil((time - this.#beganAt) / 1000);
  }

  get #now(): number {
    return Math.floor((this.#backend.now() - this.#beganAt) / 1000);
  }

  #hearEnd({ handle, reason }: Revoked): void {
    if (reason !== undefined) this.#endSession(handle, reason);
    else if (this.#bindings.of(handle).length > 0) void this.#endOf(handle);
  }

  #hearChange({ handle, payloadVersion }: Changed): void {
    for (const binding of this.#bindings.of(handle))
      if (binding.payloadVersion < payloadVersion) this.#outdated(binding);
  }

  /** What the application knows of a session does not hold any more. */
  #outdated(binding: Binding): void {
    const now = this.#now;
    const { since } = this.#outdatedBindings.get(binding) ?? { since: now };
    this.#outdatedBindings.set(binding, { since, heard: (this.#heard += 1) });
    binding.askAt = Math.min(binding.askAt, now);
    this.#askLater(binding.askAt);
    this.#urgent.add(binding.handle);
    if (this.#urgent.size > 1) return;
    setImmediate(() => {
      const handles = [...this.#urgent];
      this.#urgent = new Set();
      void this.#askAll(handles);
    });
  }

  /** When a socket is closed unless it is known before how its session stands. */
  #endAt(binding: Binding): number {
    const since = this.#outdatedBindings.get(binding)?.since;
    return Math.min(
      binding.askAt + this.#maxUnknown,
      since === undefined ? Number.POSITIVE_INFINITY : since + CHANGE_LIMIT,
    );
  }

  #askLater(at: number): void {
    if (this.#isClosed || at >= this.#nextRound) return;
    this.#nextRound = at;
    clearTimeout(this.#timer);
    const pause = Math.min(Math.max(at - this.#now, PAUSE), LONGEST_PAUSE);
    this.#timer = setTimeout(() => void this.round(), pause * 1000).unref();
  }

  /** What cannot be asked stays as it is, and is asked again in the next round. */
  async #askAll(handles: readonly string[]): Promise<void> {
    try {
      for (let at = 0; at < handles.length && !this.#isClosed; at += BATCH) {
        await this.#ask(handles.slice(at, at + BATCH));
        // A store in this process answers without letting anybody else in.
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    } catch {
      // The store or the core does not answer, as requests are told too.
    }
  }

  async #ask(handles: readonly string[]): Promise<void> {
    const heard = this.#heard;
    const standings = await this.#backend.liveOf(handles);
    const dead: string[] = [];
    const changed: [string, number][] = [];
    for (const [index, handle] of handles.entries()) {
      const standing = standings[index];
      const bindings = this.#bindings.of(handle);
      const isSame = ({ payloadVersion, actingFor }: Binding): boolean =>
        payloadVersion === standing?.payloadVersion && actingFor === undefined;
      if (standing === undefined) dead.push(handle);
      else if (bindings.every(isSame)) this.#stands(bindings, { until: standing.liveUntil, heard });
      else changed.push([handle, standing.liveUntil]);
    }
    await Promise.all([
      someAtOnce(dead, (handle) => this.#endOf(handle)),
      someAtOnce(changed, ([handle, liveUntil]) => this.#read(handle, liveUntil)),
    ]);
  }

  /**
   * Nothing has to be asked before the session may have ended by itself, or one access token lifetime is over; unless another
   * change was heard of since this was asked.
   */
  #stands(bindings: readonly Binding[], { until, heard }: { readonly until: number; readonly heard: number }): void {
    const { settings } = this.#backend;
    const askAt = this.#secondsOf(Math.min(until, this.#backend.now() + settings.accessTokenValidity));
    for (const binding of bindings) {
      const outdated = this.#outdatedBindings.get(binding);
      if (outdated !== undefined && outdated.heard > heard) continue;
      binding.askAt = askAt;
      this.#outdatedBindings.delete(binding);
    }
  }

  /** Ends the sockets of a session that is not live, with the reason where it is known. */
  async #endOf(handle: string): Promise<void> {
    const explained = await this.#backend.explain(handle).catch(() => undefined);
    this.#endSession(handle, explained?.reason ?? "ended");
  }

  async #read(handle: string, liveUntil: number): Promise<void> {
    const heard = this.#heard;
    const standing = await this.#standingOf(handle);
    if (standing === undefined) return this.#endOf(handle);
    const { session, actingFor, actingUntil } = standing;
    const bindings = this.#bindings.of(handle);
    this.#stands(bindings, { until: Math.min(liveUntil, actingUntil), heard });
    for (const binding of bindings) {
      // What was read before somebody else read a later one.
      if (session.payloadVersion === binding.payloadVersion && actingFor === binding.actingFor) continue;
      binding.payloadVersion = session.payloadVersion;
      binding.actingFor = actingFor;
      this.#tell(binding, session);
    }
  }

  async #standingOf(handle: string): Promise<Standing | undefined> {
    const own = await this.#backend.get(handle);
    if (own === undefined) return undefined;
    if (own.acting === undefined)
      return { session: await this.#sessionOf(own), actingFor: undefined, actingUntil: Number.POSITIVE_INFINITY };
    const { userId, until } = own.acting;
    const other = await this.#backend.get(handle, { as: userId });
    // It has ended in between, or the session has.
    if (other === undefined) return this.#standingOf(handle);
    const speaks = { ...other, userId, actor: { userId: own.userId } };
    return { session: await this.#sessionOf(speaks), actingFor: userId, actingUntil: until };
  }

  async #sessionOf(read: SessionInformation & Pick<ChangedSession<object>, "actor">): Promise<ChangedSession<object>> {
    const { userId, handle, tenantId, payloadVersion, auth, actor } = read;
    const payload = await this.#readPayload(read.payload);
    return guardPayload({ userId, handle, tenantId, payload, payloadVersion, auth, actor });
  }

  #tell(binding: Binding, session: ChangedSession<object>): void {
    if (binding.onChange === undefined) return this.#end(binding, { code: 4403, reason: "changed" });
    const telling = this.#telling.get(binding);
    if (telling === undefined) void this.#tellAll(binding, session);
    else telling.next = session;
  }

  /** One after the other: an answer about an earlier state must not come after that about a later one. */
  async #tellAll(binding: Binding, first: ChangedSession<object>): Promise<void> {
    const telling: { next: ChangedSession<object> | undefined } = { next: first };
    this.#telling.set(binding, telling);
    try {
      for (let session = telling.next; session !== undefined; session = telling.next) {
        telling.next = undefined;
        const told = session;
        await inTime(async () => binding.onChange?.(told), { name: "onChange", within: this.#answerWithin });
      }
    } catch (cause) {
      this.#end(binding, { code: 4403, reason: "changed", cause });
    } finally {
      this.#telling.delete(binding);
    }
  }

  #endSession(handle: string, reason: Extract<SocketEnd, { code: 4401 }>["reason"]): void {
    for (const binding of this.#bindings.of(handle)) this.#end(binding, { code: 4401, reason });
  }

  /** Once: who is closed already was, or has gone by itself. */
  #end(binding: Binding, end: SocketEnd): void {
    if (this.#bindings.delete(binding)) this.#endings.end(binding, end);
  }
}

const someAtOnce = async <Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> => {
  const left = items.values();
  const works = Array.from({ length: Math.min(READS_AT_ONCE, items.length) }, async () => {
    // One that cannot be read is asked for again in the next round, and stands in the way of no other.
    for (const item of left) await work(item).catch(() => undefined);
  });
  await Promise.all(works);
};
