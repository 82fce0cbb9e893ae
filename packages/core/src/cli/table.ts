import { visible } from "./terminal.js";

/** How wide a cell may become before it is cut. */
const MAX_WIDTH = 48;

const segmenter = new Intl.Segmenter();
const characters = (text: string): readonly string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);
const width = (text: string): number => characters(text).length;

const cut = (text: string): string =>
  width(text) > MAX_WIDTH
    ? `${characters(text)
        .slice(0, MAX_WIDTH - 1)
        .join("")}…`
    : text;

const pad = (text: string, to: number): string => text + " ".repeat(to - width(text));

/** Lines of aligned columns, two blanks apart, under their headings. The first column is never cut, and with `cut: false` none is. */
export const formatTable = (
  headings: readonly string[],
  rows: readonly (readonly (string | undefined)[])[],
  { cut: isCut = true }: { readonly cut?: boolean } = {},
): string => {
  const cells = rows.map((row) =>
    row.map((cell, column) => (column === 0 || !isCut ? visible(cell ?? "") : cut(visible(cell ?? "")))),
  );
  const widths = headings.map((heading, column) =>
    Math.max(width(heading), ...cells.map((row) => width(row[column] ?? ""))),
  );
  return [headings, ...cells]
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

/** Lines of names and values; those without a value are left out. */
export const formatFacts = (facts: readonly (readonly [string, string | undefined])[]): string => {
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const widest = Math.max(0, ...known.map(([name]) => width(name)));
  return known.map(([name, value]) => `${pad(name, widest)}  ${visible(value)}`).join("\n");
};

/** A time as people and programs read it: ISO 8601 in UTC, to the second. */
export const formatTime = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
