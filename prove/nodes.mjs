// Proofs about many nodes and the real databases they share.
import { nodeCrashes, serverCrashes } from "./nodes/crashes.mjs";
import { postgresFailovers, redisFailovers } from "./nodes/failovers.mjs";
import { feedLag } from "./nodes/feed-lag.mjs";
import { outage } from "./nodes/outages.mjs";
import { servedStoreNames, singleStoreNames, storeNames } from "./nodes/stores.mjs";

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const nodeProofs = [
  ...storeNames.map((name) => ({
    name: `node-crashes-${name}`,
    run: nodeCrashes(name),
    size: 100,
    short: 1,
    what: `kill -9 of core nodes under load on ${name}; a failure is something acknowledged that is lost, or a false alarm`,
  })),
  ...servedStoreNames.map((name) => ({
    name: `server-crashes-${name}`,
    run: serverCrashes(name),
    size: 20,
    short: 1,
    what: `kill -9 of ${name} under load; a failure is something acknowledged that is lost, or a false alarm`,
  })),
  // A cluster that lacks a master serves the others' sessions: `failover-redis-cluster` is about that.
  ...singleStoreNames.map((name) => ({
    name: `outage-${name}`,
    run: outage(name),
    size: 30,
    short: 2,
    what: `${name} is away for so many seconds; a failure is an answer other than 503 with Retry-After, or a cleared cookie`,
  })),
  ...storeNames.map((name) => ({
    name: `feed-lag-${name}`,
    run: feedLag(name),
    size: 500,
    short: 15,
    isTimed: true,
    what: `time from a revocation or a change on ${name} until other processes refuse the tokens of before; a failure is one that does not within 20 s`,
  })),
  {
    name: "failover-postgres",
    run: postgresFailovers,
    size: 20,
    short: 1,
    what: "a failure is a false alarm or a logout",
  },
  { name: "failover-redis-cluster", run: redisFailovers, size: 20, short: 1, what: "a failure is a false alarm" },
];
