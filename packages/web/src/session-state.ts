import { eventsBetween, type WebSessionEvent } from "./events.js";
import { indexedDbStore, type RecordStore } from "./record-store.js";
import { NOTHING_KNOWN, type SharedSession } from "./shared-session.js";
import { NOT_READ_YET, snapshotOf, type WebSnapshot } from "./snapshot.js";

type Listener = (event?: WebSessionEvent) => void;

/** What this page or worker knows of the session, shared with other tabs. */
export interface SessionState {
  readonly record: SharedSession;
  /** The same as long as nothing changes that a page shows. */
  readonly snapshot: WebSnapshot;
  /** Resolves when the stored record has been read. */
  readonly ready: Promise<void>;
  /** Reads what other tabs may have changed. */
  read(): Promise<SharedSession>;
  /** Changes the record in one step; `change` is given the newest one and gives none to leave it. */
  update(change: (newest: SharedSession) => SharedSession | undefined): Promise<SharedSession>;
  tell(event: WebSessionEvent): void;
  /** Calls the listener with each event, and without one when the stored record has been read. @returns stop. */
  readonly listen: (listener: Listener) => () => void;
}

/**
 * The state named `key`. A shared one is stored in the browser and announced to the other tabs; where the browser blocks
 * storage, each page knows only what it has seen itself.
 */
export const openState = (
  key: string,
  { persist, signal }: { readonly persist: RecordStore | boolean; readonly signal: AbortSignal },
): SessionState => {
  let store = persist;
  const listeners = new Set<Listener>();
  let channel: BroadcastChannel | undefined;
  let record = NOTHING_KNOWN;
  let snapshot: WebSnapshot = NOT_READ_YET;

  const tell: Listener = (event) => {
    // Later, and separately: no listener runs while a turn is held, and one that throws does not stop the others.
    for (const listener of listeners) queueMicrotask(() => listener(event));
  };

  /** Makes the snapshot that of the record. @returns the one before. */
  const show = (): WebSnapshot => {
    const was = snapshot;
    const now = snapshotOf(record);
    if (JSON.stringify(now) !== JSON.stringify(was)) snapshot = now;
    return was;
  };

  const adopt = (newer: SharedSession | undefined): SharedSession => {
    if (newer && newer.generation > record.generation) {
      record = newer;
      // The stored record of an earlier page is not an event.
      if (snapshot !== NOT_READ_YET) for (const event of eventsBetween(show(), snapshot)) tell(event);
    }
    return record;
  };

  const update: SessionState["update"] = async (change) => {
    let next: SharedSession | undefined;
    try {
      // The newer one: what is stored may have been wiped, or never been written.
      next = await (store as RecordStore).update((kept) =>
        change(kept && kept.generation >= record.generation ? kept : record),
      );
    } catch {
      // There is no store, or the browser blocks it.
      next = change(record);
    }
    const before = record;
    if (adopt(next) !== before) channel?.postMessage(record);
    return record;
  };

  const read = (): Promise<SharedSession> => update(() => undefined);

  if (persist === true) {
    store = indexedDbStore(key);
    try {
      channel = new BroadcastChannel(key);
      channel.onmessage = ({ data }) => adopt(data as SharedSession);
    } catch {
      // The browser has none, or denies it.
    }
  }
  // Back from the back/forward cache: this page has missed what was announced meanwhile.
  // oxlint-disable-next-line typescript/no-misused-promises -- nobody waits for it
  globalThis.addEventListener?.("pageshow", ({ persisted }) => persisted && read(), { signal });
  signal.addEventListener("abort", () => channel?.close());

  return {
    get record() {
      return record;
    },
    get snapshot() {
      return snapshot;
    },
    ready: read().then(() => {
      show();
      tell();
    }),
    read,
    update,
    tell,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
