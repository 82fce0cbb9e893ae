import { StorageError } from "./errors.js";
import type { Millis } from "./identifiers.js";
import {
  checkCount,
  checkDestination,
  checkEvent,
  checkLimit,
  checkPage,
  checkSelector,
  checkSession,
  checkSigningKey,
  checkText,
} from "./storable-text.js";
import type { PageRequest, SessionSelector, Storage } from "./storage.js";

/** The methods that fail once the storage is closed, and that `close` waits for. */
type Call = Exclude<keyof Storage, "now" | "watchFeeds" | "close">;

type Check<Name extends Call> = (...parameters: Parameters<Storage[Name]>) => void;

const checkNothing = (): void => undefined;

const checkId = (id: string): void => checkText("id", id);

const checkSweep = (_before: Millis, limit: number): void => checkLimit(limit);

const checkListing = (selector: SessionSelector, page: PageRequest): void => {
  checkPage(page);
  checkSelector(selector);
};

/** Checks texts that are looked for or written under these names. */
const checkTexts = (texts: Readonly<Record<string, string | undefined>>): void => {
  for (const [name, text] of Object.entries(texts)) checkText(name, text);
};

/** What each method of a storage refuses before any work is done. */
const checks: { readonly [Name in Call]: Check<Name> } = {
  createSession: (record, limits) => {
    checkSession(record);
    if (limits !== undefined) checkLimit(limits.maxPerUser);
  },
  getSession: checkId,
  rotate: ({ id, secretHash, proof }) => {
    checkText("id", id);
    checkText("secretHash", secretHash);
    checkText("proof", proof);
  },
  applyRotation: ({ id }, change) => {
    checkText("id", id);
    if ("events" in change) change.events.forEach(checkEvent);
  },
  reportUses: (notes) => {
    for (const { id } of notes) checkText("id", id);
  },
  revokeSessions: (selector, { detail }, limit) => {
    checkText("detail", detail);
    checkSelector(selector);
    if (limit !== undefined) checkLimit(limit);
  },
  eraseUser: (user, limit) => {
    checkSelector(user);
    if (limit !== undefined) checkLimit(limit);
  },
  importSessions: (records) => records.forEach(checkSession),
  listSessions: checkListing,
  listSessionReferences: checkListing,
  listSessionHistory: checkListing,
  changeSession: (id, { payload, data, facts, bound, events }) => {
    checkTexts({ id, payload, data, facts, bound });
    events?.forEach(checkEvent);
  },
  liveOf: (ids) => ids.forEach(checkId),
  deleteExpired: checkSweep,
  getSigningKeys: checkNothing,
  addSigningKey: (record, ifNewestIs) => {
    checkSigningKey(record);
    checkText("ifNewestIs", ifNewestIs);
  },
  deleteSigningKeys: (kids) => {
    for (const kid of kids) checkText("kid", kid);
  },
  resealSigningKey: (kid, from, to) => checkTexts({ kid, from, to }),
  claimMeta: (name: string, value?: string) => checkTexts({ name, value }),
  replaceMeta: (name, from, to) => checkTexts({ name, from, to }),
  listMeta: (prefix, page) => {
    checkText("prefix", prefix);
    checkPage(page);
  },
  revocationsSince: checkNothing,
  deleteRevocations: checkSweep,
  changesSince: checkNothing,
  deleteChanges: checkSweep,
  appendEvents: (events) => events.forEach(checkEvent),
  listEvents: checkListing,
  deleteEvents: checkSweep,
  takeOutbox: checkLimit,
  settleOutbox: ({ key, destination }, settlement) => {
    checkDestination(destination);
    checkTexts({ key, ...("state" in settlement ? { state: settlement.state } : {}) });
  },
  listOutbox: (_selector, page) => checkPage(page),
  deleteDeadOutbox: checkSweep,
  addCounts: (counts) => counts.forEach(checkCount),
  listCounts: (_selector, page) => checkPage(page),
  deleteCounts: checkSweep,
  migrate: checkNothing,
  ping: checkNothing,
};

/** A method of any storage. No method takes more than three parameters, so that a call allocates no list of them. */
type Method = (first: unknown, second: unknown, third: unknown) => Promise<unknown>;

/**
 * What every storage does alike, around one that need not: refuses texts that not every store keeps and sizes of a page
 * that are none, fails with `closed` after `close`, and lets go of the store only when the calls before that are done.
 * `storage` sees no call afterwards, and is closed once.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- the in-memory storage extends it; its methods are made in a loop
export const CheckedStorage = class {
  constructor(storage: Storage) {
    /** Only counted: a set of calls costs more than some calls do, and outgrown tables of it live until a full collection. */
    let running = 0;
    let closed: Promise<void> | undefined;
    let whenIdle: () => void = () => undefined;
    const refuseWhenClosed = (): void => {
      if (closed !== undefined) throw new StorageError("closed", "the storage was closed");
    };
    const done = (): void => {
      running -= 1;
      if (running === 0) whenIdle();
    };
    const close = async (): Promise<void> => {
      if (running > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
      await storage.close();
    };
    const checked = (name: Call): Method => {
      const check = checks[name] as (...parameters: Parameters<Method>) => void;
      const method = storage[name].bind(storage) as unknown as Method;
      // Not async: the caller is given the promise of the storage, without a turn in between.
      return (first, second, third) => {
        try {
          refuseWhenClosed();
          check(first, second, third);
          const result = method(first, second, third);
          running += 1;
          result.then(done, done);
          return result;
        } catch (error) {
          return Promise.reject(error);
        }
      };
    };
    Object.assign(this, Object.fromEntries((Object.keys(checks) as Call[]).map((name) => [name, checked(name)])), {
      now: () => storage.now(),
      watchFeeds: (wake: () => void) => {
        refuseWhenClosed();
        // A function of its own, so that one that watches twice is two listeners and stopping one leaves the other.
        return storage.watchFeeds(() => {
          if (closed === undefined) wake();
        });
      },
      close: () => (closed ??= close()),
    } satisfies Omit<Storage, Call>);
  }
} as new (storage: Storage) => Storage;
