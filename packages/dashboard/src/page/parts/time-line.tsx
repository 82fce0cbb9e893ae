import type { ComponentChildren, JSX } from "preact";
import { exactTime, spanText, timeText } from "../format.js";
import { Time } from "./basics.js";

export interface Moment {
  readonly key: string;
  readonly at: number;
  /** Its mark: a login or an end, a use or rotation, an alarm, anything else. */
  readonly kind: "begin" | "end" | "use" | "alarm" | "other";
  readonly title: string;
  readonly detail?: ComponentChildren;
}

const marks: Readonly<Record<Moment["kind"], string>> = {
  begin: "M-6-6h12v12h-12z",
  end: "M-6-6L6 6M-6 6L6-6",
  use: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
  alarm: "M0-8L8 6H-8z",
  other: "M0-6L6 0L0 6L-6 0z",
};

/** Where a time lies between two others, in percent of the width, away from the edges. */
const placeOf = (at: number, from: number, to: number): string => `${3 + (94 * (at - from)) / Math.max(1, to - from)}%`;

/** What happened, drawn to scale, and below it one after the other. */
export const TimeLine = ({ moments }: { readonly moments: readonly Moment[] }): JSX.Element => {
  const from = moments[0]?.at ?? 0;
  const to = moments.at(-1)?.at ?? 0;
  return (
    <>
      {moments.length > 1 && (
        <svg
          class="time-line"
          height="64"
          role="img"
          aria-label={`${moments.length} moments within ${spanText(to - from)}`}
        >
          <line x1="3%" x2="97%" y1="28" y2="28" />
          {moments.map(({ key, at, kind, title }) => (
            <svg key={key} x={placeOf(at, from, to)} y={kind === "alarm" ? 14 : 28} overflow="visible">
              <path class={kind} d={marks[kind]}>
                <title>{`${title}: ${exactTime(at)}`}</title>
              </path>
            </svg>
          ))}
          <text x="1%" y="58">
            {timeText(from)}
          </text>
          <text x="99%" y="58" text-anchor="end">
            {timeText(to)}
          </text>
        </svg>
      )}
      <ol class="moments">
        {moments.map(({ key, at, kind, title, detail }) => (
          <li key={key} class={kind}>
            <svg class="mark" width="20" height="20" viewBox="-10 -10 20 20" aria-hidden="true">
              <path class={kind} d={marks[kind]} />
            </svg>
            <div>
              <b>{title}</b> <Time at={at} />
              {detail}
            </div>
          </li>
        ))}
      </ol>
    </>
  );
};
