// kill -9 under load: of core nodes, and of the databases they share. What was acknowledged has to be there afterwards.
import { createRandom } from "../random.mjs";
import { startNodes } from "./core-nodes.mjs";
import { openStore } from "./stores.mjs";
import { startVisitors } from "./visitors.mjs";

/**
 * @typedef {import("./stores.mjs").StoreName} StoreName
 * @typedef {import("./stores.mjs").ServedStore} ServedStore
 * @typedef {{ store: ServedStore, nodes: import("./core-nodes.mjs").Nodes, random: import("../random.mjs").Random }} Scene
 */

/**
 * Runs visitors through nodes on a storage while `strike` strikes so many times, then checks everything.
 * @type {(strike: (scene: Scene) => Promise<void>) => (name: StoreName) => import("../proofs.mjs").Run}
 */
const underLoad = (strike) => (name) => async (count, seed, progress) => {
  const random = createRandom(seed);
  const store = await openStore(name);
  const nodes = await startNodes(store.url, { skewed: name !== "sqlite" });
  try {
    const visitors = startVisitors(nodes, { random });
    for (let round = 0; round < count; round += 1) {
      await visitors.acknowledged(20 + random.below(100));
      await strike({ store, nodes, random });
      await visitors.acknowledged(20);
      progress(round);
    }
    await visitors.finish();
    const { alarms, loggedOut, refusedTokens, acknowledged } = visitors.count;
    const { lost, revived, checked } = await visitors.check();
    return {
      count,
      failures: alarms + loggedOut + refusedTokens + lost + revived,
      note:
        `${acknowledged} writes acknowledged by 3 nodes${name === "sqlite" ? "" : " with clocks right, 5 min ahead and 5 min behind"}, ` +
        `${checked} sessions checked: ${lost + loggedOut} lost, ${revived} ended ones alive, ${alarms} false alarms, ${refusedTokens} access tokens refused`,
    };
  } finally {
    await nodes.stop();
    await store.close();
  }
};

/** kill -9 of a core node at a random moment; it is started again while the others serve. */
export const nodeCrashes = underLoad(async ({ nodes, random }) => nodes.restart(random.below(nodes.urls().length)));

/** kill -9 of the database with all its processes; it is started again, the nodes are not. */
export const serverCrashes = underLoad(async ({ store, nodes }) => {
  await store.kill();
  await store.start();
  if (!nodes.areAlive()) throw new Error("a node ended with its database");
});
