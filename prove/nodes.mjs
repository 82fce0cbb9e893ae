// Proofs about many nodes and the real databases they share.
import { nodeCrashes, serverCrashes } from "./nodes/crashes.mjs";
import { servedStoreNames, storeNames } from "./nodes/stores.mjs";

/** As `proofs` in `run.mjs`. */
export const nodeProofs = [
  ...storeNames.map((name) => ({
    name: `node-crashes-${name}`,
    run: nodeCrashes(name),
    size: 100,
    short: 2,
    what: `kill -9 of core nodes under load on ${name}; a failure is something acknowledged that is lost, or a false alarm`,
  })),
  ...servedStoreNames.map((name) => ({
    name: `server-crashes-${name}`,
    run: serverCrashes(name),
    size: 20,
    short: 1,
    what: `kill -9 of ${name} under load; a failure is something acknowledged that is lost, or a false alarm`,
  })),
];
