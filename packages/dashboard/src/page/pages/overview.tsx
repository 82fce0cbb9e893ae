import type { RouteResponse } from "@pawl/protocol";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { countText, endReasons, reasonText } from "../format.js";
import { Answered, Time } from "../parts/basics.js";
import { Plot, type Series } from "../parts/plot.js";
import { useQuery } from "../query.js";
import { href } from "../route.js";

const HOUR = 3_600_000;
const ranges = {
  "24 hours": { step: "hour", steps: 24 },
  "7 days": { step: "hour", steps: 168 },
  "30 days": { step: "day", steps: 30 },
} as const;
type Range = keyof typeof ranges;

const ENDED = "ended.";
type Counts = RouteResponse<"listCounts">;

/** Values for each step: those in which nothing happened are not in the answer. */
const seriesOf = ({ counts }: Counts, times: readonly number[]) => {
  const places = new Map(times.map((at, index) => [at, index]));
  const values = new Map<string, number[]>();
  for (const { at, name, count } of counts) {
    const list = values.get(name) ?? times.map(() => 0);
    values.set(name, list);
    const place = places.get(at);
    if (place !== undefined) list[place] = count;
  }
  return (name: string): readonly number[] => values.get(name) ?? times.map(() => 0);
};

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** How many were live at the end of each step, reckoned back from how many are. */
const liveOver = (live: number, logins: readonly number[], ends: readonly (readonly number[])[]): readonly number[] => {
  let level = live;
  return logins
    .map((begun, index) => begun - sum(ends.map((values) => values[index] ?? 0)))
    .toReversed()
    .map((moved) => {
      const at = Math.max(0, level);
      level -= moved;
      return at;
    })
    .toReversed();
};

const Tile = ({
  label,
  value,
  to,
}: {
  readonly label: string;
  readonly value: string;
  readonly to?: string;
}): JSX.Element => (
  <div class="tile">
    <dt>{to === undefined ? label : <a href={to}>{label}</a>}</dt>
    <dd>{value}</dd>
  </div>
);

interface Steps {
  readonly step: "hour" | "day";
  readonly times: readonly number[];
}

const Drawn = ({ counts, steps }: { readonly counts: Counts; readonly steps: Steps }): JSX.Element => {
  const of = seriesOf(counts, steps.times);
  const one = (label: string, name: string, colour: number): Series => ({ label, colour, values: of(name) });
  // In one order, so that each has the same colour in every range.
  const ends = endReasons
    .map((reason, colour) => one(reasonText(reason), ENDED + reason, colour))
    .filter(({ values }) => sum(values) > 0);
  const ended = ends.map(({ values }) => values);
  const { live } = counts;
  const counted: readonly (readonly [string, readonly Series[]])[] = [
    ["Logins", [one("Logins", "login", 0)]],
    ["Refreshes", [one("Refreshes", "refresh", 1)]],
    ["Thefts", [one("Thefts", "theft", 3)]],
    ["Ends by reason", ends.length > 0 ? ends : [one("Ends", "ended.logout", 0)]],
    ["Step-up, acting, binding", [one("Step-ups", "step_up", 0), one("Acting", "acting", 2), one("Bound", "bound", 1)]],
  ];
  return (
    <>
      <dl class="tiles">
        <Tile
          label="Live sessions"
          value={live === undefined ? "being counted" : countText(live.count)}
          to={href("sessions")}
        />
        <Tile label="Logins" value={countText(sum(of("login")))} />
        <Tile label="Refreshes" value={countText(sum(of("refresh")))} />
        <Tile label="Ends" value={countText(sum(ended.map(sum)))} to={href("events", { type: "session_ended" })} />
        <Tile label="Thefts" value={countText(sum(of("theft")))} to={href("thefts")} />
      </dl>
      <div class="plots">
        {live !== undefined && (
          <Plot
            {...steps}
            title="Live sessions"
            kind="level"
            series={[{ label: "Live", colour: 0, values: liveOver(live.count, of("login"), ended) }]}
          />
        )}
        {counted.map(([title, series]) => (
          <Plot key={title} {...steps} title={title} kind="counts" series={series} />
        ))}
      </div>
      {live !== undefined && (
        <p class="quiet">
          Counted last: <Time at={live.countedAt} />. Logins and ends have moved the number since; the curve is reckoned
          back from it.
        </p>
      )}
    </>
  );
};

/** What happens, in numbers that are kept per hour. */
export const OverviewPage = (): JSX.Element => {
  const [range, setRange] = useState<Range>("24 hours");
  const { step, steps } = ranges[range];
  const length = step === "hour" ? HOUR : 24 * HOUR;
  const newest = Math.floor(Date.now() / length) * length;
  const times = Array.from({ length: steps }, (_, index) => newest - (steps - 1 - index) * length);
  const query = useQuery("listCounts", { query: { from: times[0] ?? newest, to: newest + length, step } });
  return (
    <>
      <fieldset class="choice">
        <legend>Time</legend>
        {(Object.keys(ranges) as Range[]).map((name) => (
          <label key={name}>
            <input type="radio" name="range" checked={name === range} onChange={() => setRange(name)} />
            {name}
          </label>
        ))}
      </fieldset>
      <Answered query={query}>{(counts) => <Drawn counts={counts} steps={{ step, times }} />}</Answered>
    </>
  );
};
