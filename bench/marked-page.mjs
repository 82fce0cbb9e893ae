import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The path of a file of the documentation. */
export const docs = (/** @type {string} */ name) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

/**
 * Puts text between two marks of a page of the documentation.
 * @param {string} name
 * @param {string} mark
 * @param {string} text
 * @throws {Error} where the page has lost its marks
 */
export const replaceMarked = (name, mark, text) => {
  const [begin, end] = [`<!-- ${mark}: begin -->`, `<!-- ${mark}: end -->`];
  const [before, rest] = readFileSync(docs(name), "utf8").split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/${name} has lost its marks: ${begin} … ${end}`);
  writeFileSync(docs(name), `${before}${begin}\n\n${text}\n\n${end}${after}`);
};
