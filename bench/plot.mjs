import * as vega from "vega";
import { compile } from "vega-lite";

/** Colours of a plot on light paper, and what takes their place where the reader's system is dark. */
export const ink = { paper: "#ffffff", text: "#1f2328", faint: "#d0d7de", plain: "#8b949e", ours: "#0969da" };
const darkInk = { paper: "#0d1117", text: "#e6edf3", faint: "#30363d", plain: "#6e7681", ours: "#58a6ff" };

const darkRules = Object.entries(ink)
  .flatMap(([name, colour]) =>
    ["fill", "stroke"].map(
      (property) => `[${property}="${colour}"]{${property}:${darkInk[/** @type {keyof typeof ink} */ (name)]}}`,
    ),
  )
  .join("");

// Without a canvas widths are guessed, and vega guesses them half as wide again as letters are.
/** @type {any} */ (vega).textMetrics.width = (/** @type {{ fontSize?: number }} */ item, /** @type {string} */ text) =>
  0.58 * (item.fontSize ?? 11) * text.length;

const config = {
  background: ink.paper,
  axis: {
    labelFontSize: 11,

    labelColor: ink.text,
    titleColor: ink.text,
    gridColor: ink.faint,
    domainColor: ink.faint,
    tickColor: ink.faint,
  },
  legend: { labelColor: ink.text, titleColor: ink.text },
  title: { color: ink.text, subtitleColor: ink.text },
  text: { color: ink.text },
  view: { stroke: "transparent" },
};

/**
 * Draws a plot as SVG that can be read on light and on dark pages: it brings its own paper, dark where the reader's system is.
 * @param {object} specification of vega-lite
 * @returns {Promise<string>}
 */
export const draw = async (specification) => {
  const { spec } = compile(/** @type {any} */ (specification), { config });
  const svg = await new vega.View(vega.parse(spec), { renderer: "none" }).toSVG();
  return `${svg.replace(">", `><style>@media (prefers-color-scheme: dark){${darkRules}}</style>`)}\n`;
};
