// The same rules without a thief: one browser with two tabs, a network that loses answers, and who is logged out by it.
import { DAY } from "./victims.mjs";
import { DAYS } from "./theft.mjs";

const START = 1_800_000_000_000;

/**
 * `lost`: of a hundred answers to a refresh, so many never arrive; `together`: of a hundred refreshes, so many are asked for by
 * both tabs.
 * @typedef {{ name: string, lost: number, together: number }} Network
 * @type {readonly Network[]}
 */
export const networks = [
  { name: "good", lost: 0.1, together: 2 },
  { name: "poor", lost: 2, together: 20 },
];

/**
 * @param {Omit<Parameters<typeof import("./theft.mjs").steal>[0], "strategy"> & { network: Network }} game
 * @returns {Promise<{ refreshes: number, isLoggedOut: boolean }>}
 */
export const live = async ({ server, clock, victim, network, random }) => {
  clock.time = START;
  let jar = await server.logIn();
  let refreshes = 0;
  let isLoggedOut = false;

  /** The answer to a refresh arrives, or not; where it does, the page repeats the request that had failed. */
  const arrive = async (/** @type {import("./rules.mjs").Exchange} */ exchange) => {
    refreshes += 1;
    if (exchange.kind !== "refreshed") isLoggedOut = true;
    else if (!random.chance(network.lost / 100)) {
      jar = exchange.tokens;
      isLoggedOut ||= (await server.use(jar.access)) === "ended";
    }
  };
  const refreshTogether = async () => {
    const { refresh } = jar;
    const first = await server.refresh(refresh, true);
    // The other tab's question is under way: it is answered before the first answer has arrived, or after.
    const isLate = random.chance(0.5);
    const second = isLate ? undefined : await server.refresh(refresh, true);
    clock.time += 100;
    await arrive(first);
    clock.time += random.below(1000);
    await arrive(second ?? (await server.refresh(refresh, true)));
  };

  for (let at = START; at < START + DAYS * DAY && !isLoggedOut; at = victim.next(at, random)) {
    clock.time = Math.max(clock.time, at);
    const found = await server.use(jar.access);
    if (found === "ended") isLoggedOut = true;
    if (found !== "expired") continue;
    if (random.chance(network.together / 100)) await refreshTogether();
    else await arrive(await server.refresh(jar.refresh, true));
  }
  return { refreshes, isLoggedOut };
};
