import { setImmediate } from "node:timers";

/** Lets what else is waiting have its turn of the event loop: a store in this process may answer without one. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
