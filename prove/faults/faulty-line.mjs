// The line from an engine to its storage and its revocation log: counts the calls of one operation, and goes wrong at one.
import { StorageError } from "@pawl/storage";

const unavailable = () => new StorageError("unavailable", "the line broke");
const reset = () => Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
const timeout = () => new DOMException("the operation was aborted due to timeout", "TimeoutError");
const never = () => new Promise(() => undefined);

/** @typedef {() => Promise<any>} Call */

/**
 * What can go wrong with one call, and whether its work is done then.
 * @typedef {object} Fault
 * @property {"no" | "yes" | "late"} work late: done by somebody else after the caller was told of the failure
 * @property {(call: Call, refuse: (error: Error) => Promise<any>) => Promise<any>} strike gets the call, and what fails without it
 * @property {true} [lasts]
 * @property {"after the retry"} [lands]
 * @property {true} [hangs] nobody is told; for whoever gives up by himself
 * @property {true} [dies] the process ends there; what comes next runs in a new one
 */

/** @type {Fault} */
export const refused = { work: "no", strike: (_call, refuse) => refuse(reset()) };
/** @type {Fault} */
export const answerLost = { work: "yes", strike: (call) => call().then(() => Promise.reject(unavailable())) };

/** @type {Record<string, Fault>} */
export const faultKinds = {
  "refused, then healthy": refused,
  "refused until the operation is over": { work: "no", lasts: true, strike: (_call, refuse) => refuse(unavailable()) },
  "done, the answer lost": answerLost,
  "given up, done before the retry": { work: "late", strike: () => Promise.reject(timeout()) },
  "given up, done after the retry": { work: "late", lands: "after the retry", strike: () => Promise.reject(timeout()) },
  "no answer at all": { work: "late", lands: "after the retry", hangs: true, strike: never },
  "the process ends before": { work: "no", dies: true, strike: never },
  "the process ends after": { work: "yes", dies: true, strike: (call) => call().then(never) },
};

/** What runs beside an operation, in the background. */
const BACKGROUND = /engine\/dist\/(revocation\/(?:feeds|followed-feed)|sessions\/sweep)\.js/;

/** The place in the engine's code that makes the present call, such as `refresh.js:58`; undefined in the background. */
const callerOf = () => {
  const { stack = "" } = new Error("here");
  if (BACKGROUND.test(stack)) return undefined;
  return /engine\/dist\/(?:[\w-]+\/)*([\w-]+\.js:\d+)/.exec(stack)?.[1] ?? "elsewhere";
};

/** A line on which nothing goes wrong until it is watched. */
export const createFaultyLine = () => {
  /**
   * @typedef {object} Watch
   * @property {Fault | undefined} fault
   * @property {number} at
   * @property {readonly string[]} besides
   * @property {(() => unknown) | undefined} onDone
   * @property {() => void} die
   * @property {string[]} points
   * @property {number} underWay
   * @property {Call} [landing]
   */
  /** @type {Watch | undefined} */
  let watch;

  const pass = async (
    /** @type {string} */ method,
    /** @type {Call} */ call,
    /** @type {(error: Error) => Promise<any>} */ refuse = (error) => Promise.reject(error),
  ) => {
    const watched = watch;
    if (watched === undefined || watched.besides.includes(method)) return call();
    const caller = callerOf();
    if (caller === undefined) return call();
    const point = `${caller} ${method}`;
    watched.points.push(point);
    watched.underWay += 1;
    try {
      const at = watched.points.length;
      const { fault } = watched;
      const isStruck = fault !== undefined && (at === watched.at || (at > watched.at && fault.lasts === true));
      if (isStruck && at === watched.at) {
        if (fault.work === "late") watched.landing = call;
        if (fault.dies === true) {
          if (fault.work === "yes") await call();
          watched.die();
          return await never();
        }
      }
      const result = await (isStruck ? fault.strike(call, refuse) : call());
      await watched.onDone?.();
      return result;
    } finally {
      watched.underWay -= 1;
    }
  };

  return {
    /** The same storage at the other end of the line. */
    storage: (/** @type {import("@pawl/storage").Storage} */ real) =>
      new Proxy(real, {
        get(target, method) {
          const member = Reflect.get(target, method);
          if (typeof member !== "function") return member;
          if (method === "now" || method === "watchFeeds" || method === "close") return member.bind(target);
          return (/** @type {unknown[]} */ ...args) =>
            pass(String(method), async () => Reflect.apply(member, target, args));
        },
      }),
    log: (/** @type {import("./stage.mjs").Log} */ real) => ({
      ...real,
      append: (/** @type {import("./stage.mjs").Lines} */ lines) =>
        pass(
          "append",
          () => real.append(lines),
          (error) => (lines.length === 0 ? Promise.reject(error) : real.appendToFullDisk(lines)),
        ),
    }),
    /**
     * Watches one operation, with a fault at its call number `at`, or none. Calls of methods `besides` are not its own.
     * @param {() => Promise<any>} operation
     * @param {{ fault?: Fault, at?: number, besides?: readonly string[], onDone?: () => unknown }} [options]
     * @returns how it ended, the points it passed, and the call that is still to land.
     */
    async watch(operation, { fault, at = 0, besides = [], onDone } = {}) {
      /** @type {Watch} */
      const own = { fault, at, besides, onDone, points: [], underWay: 0, die: () => undefined };
      watch = own;
      /** @type {{ kind: "answered" | "failed" | "died", value?: any, error?: Error }} */
      const outcome = await new Promise((resolve) => {
        own.die = () => resolve({ kind: "died" });
        operation().then(
          (value) => resolve({ kind: "answered", value }),
          (error) => resolve({ kind: "failed", error }),
        );
      });
      watch = undefined;
      return { ...outcome, points: own.points, underWay: own.underWay, landing: own.landing };
    },
  };
};
