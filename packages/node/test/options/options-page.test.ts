import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { OptionTable } from "../../src/options/option.js";
import { conditionTable } from "../../src/options/conditions.js";
import { optionTables } from "../../src/options/options.js";

const source = ["options", "backend-options", "conditions"]
  .map((name) => readFileSync(new URL(`../../src/options/${name}.ts`, import.meta.url), "utf8"))
  .join("\n");
const PAGE = "../../../../docs/reference/node.md";

/** What an editor shows of an option: the comment above it. */
const descriptionOf = (name: string): string =>
  new RegExp(`/\\*\\* ([^\\n]*) \\*/\\n  ${name}: `).exec(source)?.[1] ?? "";

const cell = (text: string): string => text.replaceAll("|", "\\|");

const table = (options: OptionTable, without: OptionTable = {}): string =>
  [
    "| Option | | Accepts | Default |",
    "|---|---|---|---|",
    ...Object.entries(options)
      .filter(([name]) => !Object.hasOwn(without, name))
      .map(
        ([name, option]) =>
          `| \`${name}\` | ${cell(descriptionOf(name))} | ${cell(option.accepts)} | ${option.default === undefined ? "" : `\`${option.default}\``} |`,
      ),
  ].join("\n");

/** Those of both kinds of backend. */
const common: OptionTable = Object.fromEntries(
  Object.entries(optionTables.embedded).filter(([name]) => Object.hasOwn(optionTables.core, name)),
);

test("the reference page holds the options of the table, each with the comment that editors show", async () => {
  const [before = ""] = readFileSync(new URL(PAGE, import.meta.url), "utf8").split("<!-- The rest is made from");
  const page = `${before}<!-- The rest is made from packages/node/src/options/options.ts -->

### Embedded

${table(optionTables.embedded, common)}

### With a core

${table(optionTables.core, common)}

### Both

${table(common)}

### \`cookies\`

${table(optionTables.cookies)}

## Conditions

What \`requireSession\` asks of a request with a session. Whom \`where\` or \`actor\` refuses is not asked to step up.

${table(conditionTable)}
`;
  const all = { ...optionTables.embedded, ...optionTables.core, ...optionTables.cookies, ...conditionTable };
  for (const name of Object.keys(all)) expect([name, descriptionOf(name)]).not.toEqual([name, ""]);
  await expect(page).toMatchFileSnapshot(PAGE);
});
