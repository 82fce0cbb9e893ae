import { performance } from "node:perf_hooks";
import { SpanKind } from "@opentelemetry/api";
import type { Storage } from "@pawl/storage";
import { failSpan, failureName, type Telemetry } from "./telemetry.js";

/** What takes time in a store. */
type Call = Exclude<keyof Storage, "now" | "watchFeeds" | "close">;

type Method<Name extends Call> = (...parameters: Parameters<Storage[Name]>) => ReturnType<Storage[Name]>;

/** No method takes more than three parameters, so that a call allocates no list of them. */
type AnyMethod = (first: unknown, second: unknown, third: unknown) => Promise<unknown>;

type CountEnds<Name extends Call> = (
  telemetry: Telemetry,
  result: Awaited<ReturnType<Storage[Name]>>,
  first: Parameters<Storage[Name]>[0],
  second: Parameters<Storage[Name]>[1],
) => void;

const countNothing = (): void => undefined;

/** How each call counts the sessions that it has ended. */
const calls: { readonly [Name in Call]: CountEnds<Name> } = {
  createSession: (telemetry, ended) => countEnds(telemetry, "session_limit", ended.length),
  getSession: countNothing,
  rotate: countNothing,
  applyRotation(telemetry, result, _expected, change) {
    if (change.kind === "end" && result.kind === "applied") countEnds(telemetry, change.reason, result.ended.length);
  },
  reportUses: countNothing,
  revokeSessions: (telemetry, ended, _selector, { reason }) => countEnds(telemetry, reason, ended.length),
  eraseUser: (telemetry, { ended }) => countEnds(telemetry, "erased", ended.length),
  importSessions: countNothing,
  listSessions: countNothing,
  listSessionReferences: countNothing,
  listSessionHistory: countNothing,
  changeSession: countNothing,
  liveOf: countNothing,
  deleteExpired: countNothing,
  getSigningKeys: countNothing,
  addSigningKey: countNothing,
  deleteSigningKeys: countNothing,
  resealSigningKey: countNothing,
  claimMeta: countNothing,
  replaceMeta: countNothing,
  listMeta: countNothing,
  revocationsSince: countNothing,
  deleteRevocations: countNothing,
  changesSince: countNothing,
  deleteChanges: countNothing,
  appendEvents: countNothing,
  listEvents: countNothing,
  deleteEvents: countNothing,
  takeOutbox: countNothing,
  settleOutbox: countNothing,
  listOutbox: countNothing,
  deleteDeadOutbox: countNothing,
  addCounts: countNothing,
  listCounts: countNothing,
  deleteCounts: countNothing,
  migrate: countNothing,
  ping: countNothing,
};

/** The calls of a storage that are timed: the values of a label. */
export const storageCalls = Object.keys(calls) as readonly Call[];

const countEnds = (telemetry: Telemetry, reason: string, count: number): void => {
  if (count > 0) telemetry.count("pawl.ends", reason, count);
};

/** The same storage, each call of which is timed and a span, and the ends of sessions counted where they are committed. */
export const measuredStorage = (storage: Storage, telemetry: Telemetry): Storage => {
  const measured = <Name extends Call>(name: Name): Method<Name> => {
    const method = storage[name].bind(storage) as unknown as AnyMethod;
    const countEndsOf = calls[name] as (telemetry: Telemetry, ...rest: unknown[]) => void;
    const start = { name: `storage ${name}`, kind: SpanKind.CLIENT, attributes: { "db.operation.name": name } };
    const timed: AnyMethod = (first, second, third) => {
      const startedAt = performance.now();
      const span = telemetry.startSpan(start);
      const result = method(first, second, third);
      const done = (outcome: string): void => {
        telemetry.record("pawl.storage.call.duration", (performance.now() - startedAt) / 1000, name, outcome);
        span.end();
      };
      // Beside the promise that the caller gets, which is the storage's own, without a turn in between.
      result.then(
        (value) => {
          countEndsOf(telemetry, value, first, second);
          done("ok");
        },
        (error: unknown) => {
          failSpan(span, error);
          done(failureName(error));
        },
      );
      return result;
    };
    return timed as unknown as Method<Name>;
  };
  const timed = Object.fromEntries(storageCalls.map((name) => [name, measured(name)])) as unknown as Pick<
    Storage,
    Call
  >;
  return {
    ...timed,
    // Tells of them as it goes, and returns how many rows it has deleted.
    deleteExpired: (before, limit, onEnded) =>
      timed.deleteExpired(before, limit, (ended) => {
        for (const { reason } of ended) countEnds(telemetry, reason, 1);
        onEnded?.(ended);
      }),
    now: () => storage.now(),
    watchFeeds: (wake) => storage.watchFeeds(wake),
    close: () => storage.close(),
  };
};
