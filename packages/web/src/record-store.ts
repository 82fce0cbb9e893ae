import type { SharedSession } from "./shared-session.js";
import { STORAGE_DEADLINE } from "./timing.js";

/** Where the record of a session is kept. */
export interface RecordStore {
  /**
   * Reads the record and, unless `change` gives none, replaces it, in one step across all tabs and workers.
   * @returns what stands there now; undefined when nothing does. @throws where the browser keeps nothing.
   */
  update(change: (kept: SharedSession | undefined) => SharedSession | undefined): Promise<SharedSession | undefined>;
}

/**
 * IndexedDB: unlike `localStorage` it is there in workers, and a transaction sees what another process has just written.
 * The database is opened for each step, which are few, so that no page keeps another from deleting or from being cached.
 */
export const indexedDbStore = (key: string): RecordStore => ({
  update: (change) =>
    new Promise((resolve, reject) => {
      setTimeout(reject, STORAGE_DEADLINE);
      const opening = indexedDB.open("pawl", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("session");
      opening.onerror = reject;
      opening.onsuccess = () => {
        const database = opening.result;
        const transaction = database.transaction("session", "readwrite");
        // Closed once the transaction is done.
        database.close();
        const store = transaction.objectStore("session");
        const reading = store.get(key) as IDBRequest<SharedSession | undefined>;
        let next: SharedSession | undefined;
        reading.onsuccess = () => {
          next = change(reading.result);
          if (next) store.put(next, key);
        };
        transaction.oncomplete = () => resolve(next ?? reading.result);
        transaction.onabort = reject;
      };
    }),
});
