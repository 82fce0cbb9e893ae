import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findBrokenReferences, findHere } from "../references.mjs";

const root = mkdtempSync(join(tmpdir(), "pawl-references-"));
afterAll(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, "docs"));
writeFileSync(join(root, "docs/there.md"), "# A `page`, and its anchors\n\n## Twice\n\n## Twice\n");

const found = (text: string, file = "planted.md"): readonly string[] => {
  writeFileSync(join(root, file), text);
  const tree = { root, files: [file], scripts: new Set(["test", "prove"]), proofs: ["faults-refresh", "month"] };
  return findBrokenReferences(tree);
};

test.each([
  "As DESIGN 3 says",
  "with the seed's core",
  "C.1.6.4: cookies",
  "a row of HAZARDS",
  "see API.md",
  "[a page](docs/missing.md)",
  "[a heading](docs/there.md#missing)",
  "[this page](#missing)",
  "packages/engine/src/rotation.ts decides",
  "`npm run missing`",
  "npm run prove -- month nothing",
])("%s leads nowhere", (text) => expect(found(text)).not.toEqual([]));

test.each([
  "[a page](docs/there.md), [a heading](docs/there.md#a-page-and-its-anchors), [again](docs/there.md#twice-1)",
  "[elsewhere](https://example.com/missing.md#x)",
  "docs/there.md and packages/…/dist/index.js",
  "`npm run test`, npm run prove -- month faults",
  "the design, the seeds, a style",
])("%s is found", (text) => expect(found(text)).toEqual([]));

test("code is read as well, and the line is named", () => {
  expect(found("const x = 1;\n// DESIGN 3\n", "planted.ts")).toEqual([
    'planted.ts:2: "DESIGN 3" is no page of this repository',
  ]);
});

test("no reference of this repository leads nowhere", { timeout: 60_000 }, () => expect(findHere()).toEqual([]));
