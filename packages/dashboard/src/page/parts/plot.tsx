import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { countText } from "../format.js";

export interface Series {
  readonly label: string;
  /** One of the colours `--c0` to `--c9`. */
  readonly colour: number;
  /** One value for each time. */
  readonly values: readonly number[];
}

interface PlotProps {
  readonly title: string;
  /** Beginnings of steps, ms. */
  readonly times: readonly number[];
  readonly step: "hour" | "day";
  readonly series: readonly Series[];
  /** What the numbers of a step are: so many within it, or at its end. */
  readonly kind: "counts" | "level";
}

const HEIGHT = 190;
/** Steps of the vertical axis: whole numbers, 1, 2, 5, 10 and so on. */
const incrs = Array.from({ length: 27 }, (_, at) => (at % 3 === 2 ? 5 : (at % 3) + 1) * 10 ** Math.floor(at / 3));
const dark = matchMedia("(prefers-color-scheme: dark)");

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Numbers over time: drawn, told in a sentence to whoever does not see it, and as a table for whoever asks. */
export const Plot = ({ title, times, step, series, kind }: PlotProps): JSX.Element => {
  const frame = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState<number>();
  const [isOpen, setOpen] = useState(false);
  const summed = ({ values }: Series): number => (kind === "counts" ? total(values) : (values.at(-1) ?? 0));
  const told = series.map((one) => `${one.label} ${countText(summed(one))}`).join(", ");
  const clock = new Intl.DateTimeFormat(
    undefined,
    step === "day" ? { dateStyle: "medium", timeZone: "UTC" } : { dateStyle: "medium", timeStyle: "short" },
  );
  const key = JSON.stringify([times, series]);

  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      // A canvas knows no variables: what they stand for now is read from elements that use them.
      const { color, borderTopColor, font } = getComputedStyle(element);
      const axis = { stroke: color, grid: { stroke: borderTopColor, width: 1 }, ticks: { show: false }, font };
      const swatches = element.parentElement?.querySelectorAll(".swatch") ?? [];
      const strokes = [...swatches].map((swatch) => getComputedStyle(swatch).backgroundColor);
      plot = new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          legend: { show: false },
          cursor: { drag: { x: false, y: false }, points: { show: false } },
          ...(step === "day" ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") } : {}),
          scales: { y: { range: (_, __, max) => [0, Math.max(1, max) * 1.1] } },
          axes: [
            { ...axis, space: 70 },
            { ...axis, size: 54, incrs },
          ],
          series: [{}, ...strokes.map((stroke) => ({ stroke, width: 2, points: { show: times.length < 3 } }))],
          hooks: { setCursor: [({ cursor }) => setHovered(cursor.idx ?? undefined)] },
        },
        [times.map((at) => at / 1000), ...series.map(({ values }) => [...values])],
        element,
      );
    };
    draw();
    const resized = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    dark.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      plot?.destroy();
    };
  }, [key]);

  const index = hovered !== undefined && hovered < times.length ? hovered : undefined;
  return (
    <section class="plot">
      <h2>{title}</h2>
      <ul class="legend">
        {series.map((one) => (
          <li key={one.label}>
            <span class="swatch" style={{ background: `var(--c${one.colour})` }} />
            {one.label} <b>{countText(index === undefined ? summed(one) : (one.values[index] ?? 0))}</b>
          </li>
        ))}
        <li class="quiet">{index === undefined ? "" : clock.format(times[index])}</li>
      </ul>
      <div ref={frame} class="frame" role="img" aria-label={`${title}: ${told}`} />
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>As a table</summary>
        {isOpen && (
          <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
            <table>
              <thead>
                <tr>
                  <th scope="col">From</th>
                  {series.map(({ label }) => (
                    <th scope="col" key={label}>
                      {label}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {times.map((at, row) => (
                  <tr key={at}>
                    <th scope="row">{clock.format(at)}</th>
                    {series.map(({ label, values }) => (
                      <td key={label}>{countText(values[row] ?? 0)}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </details>
    </section>
  );
};
