/** How wide a cell may become before it is cut. */
const MAX_WIDTH = 48;

/**
 * Text of others made harmless for a terminal: control characters and those that turn the direction of writing are
 * shown as escapes (a user agent may hold any of them).
 */
const visible = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

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

/** Lines of aligned columns, two blanks apart, under their headings. `key` names the column that is never cut. */
export const formatTable = (
  headings: readonly string[],
  rows: readonly (readonly (string | undefined)[])[],
): string => {
  const cells = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? visible(cell ?? "") : cut(visible(cell ?? "")))),
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
