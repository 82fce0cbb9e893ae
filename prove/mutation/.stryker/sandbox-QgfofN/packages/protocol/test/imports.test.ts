import { readdir, readFile } from "node:fs/promises";
import { expect, it } from "vitest";

it("the package loads nothing at run time but itself, so that a command or a client that needs a path opens quickly", async () => {
  const source = new URL("../src/", import.meta.url);
  const imports: string[] = [];
  for (const file of await readdir(source)) {
    const text = await readFile(new URL(file, source), "utf8");
    // TypeScript drops only what is wholly `import type`.
    for (const [, from] of text.matchAll(/^(?:import(?! type)|export)\b[^;]*?\bfrom "([^"]+)";/gm))
      imports.push(from ?? "");
  }
  expect(imports.length).toBeGreaterThan(5);
  expect(imports.filter((from) => !from.startsWith("./"))).toEqual([]);
});
