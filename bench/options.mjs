import { parseArgs } from "node:util";

const usage = (
  /** @type {readonly { name: string, title: string }[]} */ rows,
) => `Usage: npm run bench -- [name…] [options]

Measures Pawl beside its peers: each contender in a process of its own, in short slices in a shuffled order, medians
over the rounds. CPU per operation is what to compare; operations per second depend on who else uses the machine.
All rows take about forty minutes on two cores that nobody else uses, with --short about two.

Rows (all unless named):
${rows.map(({ name, title }) => `  ${name.padEnd(24)}${title}`).join("\n")}

Options:
  --json         one JSON object on standard output and nothing else (progress goes to standard error)
  --short        fewer and shorter rounds and smaller stores: for a first look and for CI
  --compare      afterwards, what moved in the rows measured against the last committed result
  --write-docs   put tables and plots of bench/results/latest.json into docs; measures nothing
  --profile DIR  write a CPU profile of each contender into DIR (figures then include the profiler)
  -h, --help     this text

What a run that is neither short nor profiled measures is kept in bench/results/latest.json, where rows that were not
named stay as they were measured last.
`;

/** A command line that is not understood. */
export class UsageError extends Error {
  /** @override */
  name = "UsageError";
}

/**
 * @param {string[]} parameters
 * @param {readonly { name: string, title: string }[]} rows
 * @returns {{ help: string } | { names: string[], json: boolean, short: boolean, compare: boolean, writeDocs: boolean, profile?: string }}
 * @throws {UsageError}
 */
export const readOptions = (parameters, rows) => {
  let read;
  try {
    read = parseArgs({
      args: parameters,
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        short: { type: "boolean", default: false },
        compare: { type: "boolean", default: false },
        "write-docs": { type: "boolean", default: false },
        profile: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${/** @type {Error} */ (error).message.split(". ")[0]}; see  npm run bench -- --help`);
  }
  const { values, positionals } = read;
  if (values.help) return { help: usage(rows) };
  const known = rows.map(({ name }) => name);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`there is no benchmark named ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  return {
    names: positionals.length > 0 ? known.filter((name) => positionals.includes(name)) : known,
    json: values.json,
    short: values.short,
    compare: values.compare,
    writeDocs: values["write-docs"],
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  };
};
