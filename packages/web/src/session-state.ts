import { eventsBetween, type WebSessionEvent } from "./events.js";
import { indexedDbStore } from "./record-store.js";
import { NOTHING_KNOWN, type SharedSession } from "./shared-session.js";

type Listener = (event: WebSessionEvent) => void;

/** What this page or worker knows of the session, shared with other tabs. */
export interface SessionState {
  readonly record: SharedSession;
  /** Resolves when the stored record has been read. */
  readonly ready: Promise<void>;
  /** Reads what other tabs may have changed. */
  read(): Promise<SharedSession>;
  /** Changes the record in one step; `change` is given the newest one and gives none to leave it. */
  update(change: (newest: SharedSession) => SharedSession | undefined): Promise<SharedSession>;
  tell(event: WebSessionEvent): void;
  /** @returns stop. */
  listen(listener: Listener): () => void;
}

/** @returns undefined where the browser has none, or denies it. */
const openChannel = (key: string): BroadcastChannel | undefined => {
  try {
    return new BroadcastChannel(key);
  } catch {
    return undefined;
  }
};

/**
 * The state named `key`. A shared one is stored in the browser and announced to the other tabs; where the browser blocks
 * storage, each page knows only what it has seen itself.
 */
export const openState = (
  key: string,
  { shared, signal }: { readonly shared: boolean; readonly signal: AbortSignal },
): SessionState => {
  const store = shared ? indexedDbStore(key) : undefined;
  const channel = shared ? openChannel(key) : undefined;
  const listeners = new Set<Listener>();
  let record = NOTHING_KNOWN;
  let isReady = false;

  const tell = (event: WebSessionEvent): void => {
    // Later, and separately: no listener runs while a turn is held, and one that throws does not stop the others.
    for (const listener of listeners) queueMicrotask(() => listener(event));
  };

  const adopt = (newer: SharedSession | undefined): SharedSession => {
    if (!newer || newer.generation <= record.generation) return record;
    const before = record;
    record = newer;
    // The stored record of an earlier page is not an event.
    if (isReady) for (const event of eventsBetween(before, newer)) tell(event);
    return record;
  };

  /** The newer of the stored record and the known one: the stored one may have been wiped, or never been written. */
  const newest = (kept: SharedSession | undefined): SharedSession =>
    kept && kept.generation >= record.generation ? kept : record;

  const update: SessionState["update"] = async (change) => {
    let next: SharedSession | undefined;
    try {
      next = store ? await store.update((kept) => change(newest(kept))) : change(record);
    } catch {
      next = change(record);
    }
    const before = record;
    adopt(next);
    if (record !== before) channel?.postMessage(record);
    return record;
  };

  const read = (): Promise<SharedSession> => update(() => undefined);

  if (channel) channel.onmessage = ({ data }) => void adopt(data as SharedSession);
  const onPageShow = ({ persisted }: PageTransitionEvent): void => {
    // Back from the back/forward cache: this page has missed what was announced meanwhile.
    if (persisted) void read();
  };
  globalThis.addEventListener?.("pageshow", onPageShow, { signal });
  signal.addEventListener("abort", () => channel?.close());

  return {
    get record() {
      return record;
    },
    ready: read().then(() => void (isReady = true)),
    read,
    update,
    tell,
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
