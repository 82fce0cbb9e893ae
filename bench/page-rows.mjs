import { median, quotient } from "./contest.mjs";
import { timeAtMost } from "./goals.mjs";

const PAGE_SDK = "Chromium, fetch with @pawl/web";
const PAGE_BARE = "Chromium, fetch alone, the same header";

/** @type {import("./rows.mjs").Row} */
const browserFetch = {
  name: "browser-fetch",
  title: "an authenticated fetch of a page, one at a time; the CPU is the server's, the rate is the page's",
  ours: PAGE_SDK,
  contenders: () => [
    { name: PAGE_SDK, module: "browser", opener: "authenticatedFetch", settings: { sdk: true } },
    { name: PAGE_BARE, module: "browser", opener: "authenticatedFetch", settings: { sdk: false } },
  ],
  judge: (score) => {
    const micros = (/** @type {{ perSecond: number }} */ { perSecond }) => 1e6 / perSecond;
    const [ours, bare] = [score(PAGE_SDK), score(PAGE_BARE)];
    const added = median(ours.rounds.map((round, i) => micros(round) - micros(bare.rounds[i] ?? round)));
    return { ratio: quotient(ours, bare, "perSecond"), goals: [timeAtMost("adds", added, 1000)] };
  },
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const pageRows = [browserFetch];
