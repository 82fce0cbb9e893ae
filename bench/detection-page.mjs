// `node bench/detection-page.mjs [games] [seed]`: plays the games, and writes what came of them into the documentation.
import { writeFileSync } from "node:fs";
import { docs, replaceMarked } from "./marked-page.mjs";
import { draw, ink } from "./plot.mjs";
import { play, rules } from "../prove/detection.mjs";
import { networks } from "../prove/detection/honest.mjs";
import { strategies } from "../prove/detection/strategies.mjs";
import { DAYS, NEVER } from "../prove/detection/theft.mjs";
import { victims } from "../prove/detection/victims.mjs";

/** @typedef {import("../prove/detection.mjs").Cell} Cell */

const PAGE = "reference/detection.md";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const names = rules.map(({ name }) => name);
const ours = names.filter((name) => name.startsWith("Pawl"));

const durationText = (/** @type {number} */ time) => {
  if (time === NEVER) return "never";
  if (time < HOUR) return `${Math.round(time / MINUTE)} min`;
  return time < 2 * DAY ? `${(time / HOUR).toFixed(1)} h` : `${(time / DAY).toFixed(1)} d`;
};
const table = (/** @type {readonly string[]} */ head, /** @type {readonly (readonly string[])[]} */ rows) =>
  [head, head.map((_, column) => (column === 0 ? "---" : "--:")), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");

const [, , games = "100000", seed = "1"] = process.argv;
const { count, failures, thefts, honest } = await play(Number(games), Number(seed), (done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} games`);
});
if (failures > 0) throw new Error(`${failures} games did not end as they must: npm run prove -- detection`);
const cellOf = (/** @type {Partial<Cell>} */ wanted) => {
  const found = thefts.find((cell) =>
    Object.entries(wanted).every(([key, value]) => cell[/** @type {keyof Cell} */ (key)] === value),
  );
  if (found === undefined) throw new Error(`nobody played ${JSON.stringify(wanted)}`);
  return found;
};

/** @param {(cell: Cell) => string} tell */
const theftTable = (tell) =>
  victims
    .map(({ name: victim }) => {
      const rows = strategies.map(({ name: strategy }) => [
        strategy,
        ...names.map((rule) => tell(cellOf({ rule, victim, strategy }))),
      ]);
      return `**A ${victim} victim**\n\n${table(["The thief", ...names], rows)}`;
    })
    .join("\n\n");
const times = theftTable(({ time: [half, most], disturbed, games: played }) => {
  const lost = disturbed === 0 ? "" : `; victim out ${((100 * disturbed) / played).toFixed(0)} %`;
  return `${durationText(half)}, ${durationText(most)}${lost}`;
});
const requests = theftTable(({ requests: [half, most] }) => `${half}, ${most}`);
const honestTable = table(
  ["Network", "User", ...names],
  networks.flatMap(({ name: network }) =>
    victims.map(({ name: victim }) => [
      network,
      victim,
      ...names.map((rule) => {
        const found = honest.find((cell) => cell.network === network && cell.victim === victim && cell.rule === rule);
        return found === undefined ? "" : `${((100 * found.loggedOut) / found.lives).toFixed(1)} %`;
      }),
    ]),
  ),
);

const text = `${count.toLocaleString("en")} games, \`node bench/detection-page.mjs ${games} ${seed}\`.

### From the theft to the end of it

Half of the thieves, and 95 % of them, within:

${times}

![From the theft to the end of it, by strategy, victim and rule](detection.svg)

### Requests that the thief got answered

Half of the thieves at most, and 95 % of them:

${requests}

### Honest users logged out within ${DAYS} days

${honestTable}`;
replaceMarked(PAGE, "games", text);

/** Where what never ends is drawn. */
const FAR = 60 * DAY;
const placed = (/** @type {number} */ time) => (time === NEVER ? FAR : Math.max(time, MINUTE));
const values = thefts.map(({ rule, victim, strategy, time: [half, most] }) => ({
  rule,
  victim,
  strategy,
  half: placed(half),
  most: placed(most),
}));
const y = {
  field: "strategy",
  type: "nominal",
  sort: strategies.map(({ name }) => name),
  title: null,
  axis: { labelLimit: 300 },
};
const offset = { field: "rule", sort: names };
const colour = {
  field: "rule",
  type: "nominal",
  sort: names,
  title: null,
  scale: { domain: names, range: [ink.ours, "#1a7f37", "#cf222e", "#9a6700", ink.plain] },
  legend: { orient: "top", columns: ours.length + 1, labelLimit: 260 },
};
const ticks = [MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, FAR];
const labels = ticks
  .map((at) => `datum.value == ${at} ? "${at === FAR ? "never" : durationText(at).replace(".0", "")}"`)
  .join(" : ");
const x = {
  type: "quantitative",
  scale: { type: "log", domain: [MINUTE, FAR] },
  axis: { values: ticks, labelExpr: `${labels} : ""`, title: null },
};
const plot = await draw({
  data: { values },
  resolve: { axis: { x: "independent" } },
  facet: {
    row: {
      field: "victim",
      type: "nominal",
      sort: victims.map(({ name }) => name),
      title: null,
      header: { labelExpr: "'a ' + datum.value + ' victim'", labelColor: ink.text },
    },
  },
  spec: {
    width: 520,
    height: { step: 7 },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 1.5 },
        encoding: { y, yOffset: offset, x: { ...x, field: "half" }, x2: { field: "most" }, color: colour },
      },
      {
        mark: { type: "point", filled: true, size: 28 },
        encoding: { y, yOffset: offset, x: { ...x, field: "half" }, color: colour },
      },
    ],
  },
});
writeFileSync(docs("reference/detection.svg"), plot);
console.log(`${count} games; docs/${PAGE} is written`);
