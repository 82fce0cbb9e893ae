import { svg } from "./element.js";
import { type HeldToken, type Holder, type Lineage, stateOf } from "./lineage.js";

const column = 104;
const left = 62;
const radius = 21;
const lanes: Readonly<Record<Holder, number>> = { you: 72, thief: 204 };
const height = 284;

const captions = { newest: "newest", accepted: "still accepted", spent: "dead" } as const;

/** Draws a lineage as two lanes of tokens, growing to the right. `drawn` remembers what was there, so that only news move. */
export class LineageDrawing {
  readonly #place: HTMLElement;
  #drawn = new Set<string>();

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  draw(lineage: Lineage | undefined): void {
    if (lineage === undefined) {
      this.#place.replaceChildren();
      this.#drawn.clear();
      return;
    }
    const first = Math.min(...lineage.tokens.map((token) => token.seq));
    const x = (seq: number): number => left + (seq - first) * column;
    const columns = lineage.newest - first + (lineage.end === undefined ? 1 : 2);
    const width = Math.max(this.#place.clientWidth, left + columns * column);
    const picture = svg(
      "svg",
      { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": describe(lineage) },
      arrowHead("arrow-you", "you"),
      arrowHead("arrow-thief", "thief"),
      ...Object.values(lanes).map((y) => svg("line", { class: "lane", x1: 0, x2: width, y1: y, y2: y })),
      ...(first > 0 ? [svg("text", { class: "earlier", x: 14, y: lanes.you + 4 }, "…")] : []),
      ...lineage.tokens.map((token) => edge(token, x)).filter((line) => line !== undefined),
      ...lineage.tokens.map((token) => this.#node(token, { lineage, x })),
      ...(lineage.end === undefined ? [] : end(lineage, x(lineage.newest + 1))),
    );
    this.#place.replaceChildren(picture);
    this.#place.scrollTo({ left: width, behavior: "smooth" });
  }

  #node(token: HeldToken, at: { readonly lineage: Lineage; readonly x: (seq: number) => number }): SVGElement {
    const state = token.delivery === "lost" ? "lost" : stateOf(at.lineage, token.seq);
    const key = `${token.holder} ${token.seq} ${token.delivery}`;
    const fresh = this.#drawn.has(key) ? "" : " fresh";
    this.#drawn.add(key);
    const under = [
      token.isWorthless
        ? "lacks the key"
        : state === "lost"
          ? "answer lost"
          : state !== "spent" && at.lineage.end
            ? "ended"
            : captions[state],
      ...(token.delivery === "asked_again" ? ["lost once, repeated"] : []),
    ];
    const group = svg(
      "g",
      {
        class: `token ${token.holder} ${state}${fresh}`,
        transform: `translate(${at.x(token.seq)} ${lanes[token.holder]})`,
        "data-holder": token.holder,
        "data-seq": token.seq,
        "data-state": state,
        "data-delivery": token.delivery,
      },
      svg("title", {}, titleOf(token, state)),
      svg("g", { class: "pop" }, svg("circle", { r: radius }), svg("text", { class: "seq", y: 5 }, String(token.seq))),
      svg("text", { class: "mark", y: -radius - 9 }, token.fingerprint?.slice(0, 6) ?? ""),
      ...under.map((text, line) => svg("text", { class: "caption", y: radius + 16 + line * 13 }, text)),
    );
    return group;
  }
}

const edge = (token: HeldToken, x: (seq: number) => number): SVGElement | undefined => {
  if (token.from === undefined) return undefined;
  const from = { x: x(token.from.seq), y: lanes[token.from.holder] };
  const to = { x: x(token.seq), y: lanes[token.holder] };
  const captionLines = token.from.delivery === "asked_again" ? 2 : 1;
  if (token.how === "copied")
    return svg("path", {
      class: "edge thief copy",
      d: `M ${from.x} ${from.y + radius + 12 + captionLines * 14} V ${to.y - radius - 24}`,
      "marker-end": "url(#arrow-thief)",
    });
  return svg("path", {
    class: `edge ${token.holder}${token.delivery === "lost" ? " lost" : ""}`,
    d: `M ${from.x + radius + 3} ${from.y} L ${to.x - radius - 9} ${to.y}`,
    "marker-end": `url(#arrow-${token.holder})`,
  });
};

const end = (lineage: Lineage, at: number): readonly SVGElement[] => {
  const { end } = lineage;
  if (end === undefined) return [];
  const wall = svg("line", { class: `wall ${end.kind}`, x1: at, x2: at, y1: 26, y2: height - 44 });
  if (end.kind === "ended") return [wall, svg("text", { class: "wall-label", x: at, y: 16 }, end.label)];
  const first = Math.min(...lineage.tokens.map((token) => token.seq));
  const y = lanes[end.by];
  const start = left + (end.seq - first) * column + radius + 3;
  return [
    wall,
    svg("path", { class: "edge shown", d: `M ${start} ${y} L ${at - 26} ${y}`, "marker-end": "url(#arrow-thief)" }),
    svg(
      "g",
      { class: "alarm", transform: `translate(${at} ${y})`, "data-alarm": end.by },
      svg("title", {}, `Theft: token ${end.seq} was shown again`),
      svg("circle", { class: "pulse", r: 20 }),
      svg("circle", { r: 20 }),
      svg("path", { d: "M 0 -10 V 2 M 0 8 V 8.5" }),
    ),
    svg("text", { class: "wall-label theft", x: at, y: 16 }, "theft"),
  ];
};

const arrowHead = (id: string, className: string): SVGElement =>
  svg(
    "marker",
    { id, viewBox: "0 0 8 8", refX: 5, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
    svg("path", { class: `head ${className}`, d: "M 0 0.5 L 7 4 L 0 7.5 Z" }),
  );

const titleOf = (token: HeldToken, state: string): string =>
  `Refresh token ${token.seq}, ${token.holder === "you" ? "your browser" : "the thief's copy"}: ${state}`;

const describe = (lineage: Lineage): string => {
  const yours = lineage.tokens.filter((token) => token.holder === "you").map((token) => token.seq);
  const thief = lineage.tokens.filter((token) => token.holder === "thief").map((token) => token.seq);
  const stolen = thief.length === 0 ? "" : ` The thief holds ${thief.join(", ")}.`;
  const ended = lineage.end?.kind === "theft" ? " Theft was noticed and the session ended." : "";
  return `Refresh tokens of your browser: ${yours.join(", ")}.${stolen}${ended}`;
};
