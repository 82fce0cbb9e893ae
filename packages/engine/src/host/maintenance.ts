import { clearTimeout, setTimeout } from "node:timers";
import { type Millis, millis } from "@pawl/storage";
import type { SessionEngine } from "../session-engine.js";

/** Calls a function once after a delay. Returns cancel. */
export type Schedule = (run: () => void, delay: Millis) => () => void;

/** Timers that do not keep the process alive. */
export const timers: Schedule = (run, delay) => {
  const timer = setTimeout(run, delay).unref();
  return () => clearTimeout(timer);
};

export interface MaintenanceOptions {
  readonly engine: Pick<
    SessionEngine,
    "maintainMasterKeys" | "maintainSigningKeys" | "maintainCounts" | "sweep" | "revocations"
  >;
  /** Timers that do not keep the process alive unless given. */
  readonly schedule?: Schedule | undefined;
  /** From the end of one round to the start of the next: 20 s unless given; a new signing key is published for 60 s. */
  readonly every?: Millis | undefined;
  /** Called with what went wrong in a round; the next round tries again. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Repeats what has to be done from time to time: reloading master keys, rotating signing keys, catching up on revocations
 * after a broken connection, deleting what has expired. Decides nothing.
 * @returns stop, which resolves when no round is running any more.
 */
export const startMaintenance = (options: MaintenanceOptions): (() => Promise<void>) => {
  const { engine, schedule = timers, every = millis(20_000), onError = () => undefined } = options;
  const tasks = [
    () => engine.maintainMasterKeys(),
    () => engine.maintainSigningKeys(),
    () => engine.revocations.catchUp(),
    () => engine.sweep(),
    () => engine.maintainCounts(),
  ];
  let stopped = false;
  let round: Promise<void> = Promise.resolve();
  let cancel: () => void;

  const runRound = async (): Promise<void> => {
    for (const task of tasks) {
      if (stopped) return;
      // A task that fails must not stop the others.
      await task().catch(onError);
    }
    if (!stopped) plan();
  };
  const plan = (): void => {
    cancel = schedule(() => {
      round = runRound();
    }, every);
  };
  plan();

  return async () => {
    stopped = true;
    cancel();
    await round;
  };
};
