// References that lead nowhere: links and anchors of Markdown, paths in text, commands that do not exist, and names of pages
// that are not part of this repository.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";

/** Pages and sections outside this repository, by which nobody finds anything. */
const outside =
  /\bDESIGN(?:\.md)? \d|\b[Tt]he seed\b|\bC\.1\.\d|\b(?:HAZARDS|FAULTS|HOUSE|STYLE|ASKS)\b(?:\.md)?|\bAPI\.md\b|\.\.\/shared\b/gu;
/** A path of ours in running text or code. */
const path = /(?<![\w./@-])(?:packages|docs|prove|bench|e2e|examples|scripts)\/[\w.@/-]*[\w/]/gu;
const command = /\bnpm run (?:-s )?([\w:-]+)/gu;
const proof = /\bnpm run (?:-s )?prove -- ((?:[a-z][a-z0-9-]*\s?)+)/gu;
const link = /\]\((?!https?:|mailto:)([^)\s]*)\)/gu;

/** The anchor of a heading, as forges make it. */
const anchorOf = (/** @type {string} */ heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[`*]|\[|\]\([^)]*\)/gu, "")
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

const anchorsOf = (/** @type {string} */ text) => {
  const seen = new Map();
  return new Set(
    [...text.matchAll(/^#{1,6} (.*)$/gmu)].map(([, heading = ""]) => {
      const anchor = anchorOf(heading);
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
};

/** What is made while it runs, or stands for a name. */
const isExempt = (/** @type {string} */ name) =>
  /\/(?:dist|node_modules|results|tmp-[^/]*|artifacts|\.next|\.stryker)(?:\/|$)|\.\.\.|\/x(?:\.|$|\/)/u.test(name);

/**
 * @param {{ root: string, files: readonly string[], scripts: ReadonlySet<string>, proofs: readonly string[] }} tree
 * @returns {string[]} one line for each reference that leads nowhere.
 */
export const findBrokenReferences = ({ root, files, scripts, proofs }) => {
  /** @type {string[]} */
  const found = [];
  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    const lineOf = (/** @type {number} */ index) => text.slice(0, index).split("\n").length;
    const tell = (/** @type {number} */ index, /** @type {string} */ what) =>
      found.push(`${file}:${lineOf(index)}: ${what}`);
    for (const { 0: name, index } of text.matchAll(outside)) tell(index, `"${name}" is no page of this repository`);
    for (const { 0: name, index } of text.matchAll(path))
      if (!isExempt(name) && !existsSync(join(root, name)) && !existsSync(join(root, dirname(file), name)))
        tell(index, `${name} does not exist`);
    for (const { 1: name = "", index } of text.matchAll(command))
      if (!scripts.has(name)) tell(index, `there is no "npm run ${name}"`);
    for (const { 1: names = "", index } of text.matchAll(proof))
      for (const name of names.trim().split(/\s+/u))
        if (!proofs.some((known) => known === name || known.startsWith(`${name}-`)))
          tell(index, `there is no proof "${name}"`);
    if (!file.endsWith(".md")) continue;
    for (const { 1: target = "", index } of text.matchAll(link)) {
      const [name = "", anchor] = target.split("#");
      const linked = name === "" ? file : posix.join(dirname(file), decodeURI(name));
      if (!existsSync(join(root, linked))) tell(index, `the link ${target} leads nowhere`);
      else if (
        anchor !== undefined &&
        linked.endsWith(".md") &&
        !anchorsOf(readFileSync(join(root, linked), "utf8")).has(anchor)
      )
        tell(index, `the link ${target} names no heading`);
    }
  }
  return found;
};

/** Text files that git tracks; not what is generated, recorded or locked, nor what checks for these words itself. */
const trackedFiles = (/** @type {string} */ root) =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n")
    .filter((file) => /\.(?:md|ts|mts|mjs|js|json|yaml|yml|svelte|html|css)$|^\.ci\/run$/u.test(file))
    .filter(
      (file) =>
        !/package-lock\.json$|\/results\/|recorded\/.*\.md$|^scripts\/(?:references\.mjs|test\/references\.test\.ts)$/u.test(
          file,
        ),
    )
    .filter((file) => existsSync(join(root, file)) && statSync(join(root, file)).isFile());

/** The same of this repository. */
export const findHere = () => {
  const root = new URL("..", import.meta.url).pathname;
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const listed = execFileSync(process.execPath, ["prove/run.mjs", "--help"], { cwd: root, encoding: "utf8" });
  const proofs = [...listed.matchAll(/^ {2}([a-z0-9-]+) /gmu)].map(([, name = ""]) => name);
  return findBrokenReferences({ root, files: trackedFiles(root), scripts: new Set(Object.keys(scripts)), proofs });
};
