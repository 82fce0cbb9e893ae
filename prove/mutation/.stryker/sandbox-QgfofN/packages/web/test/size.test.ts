import esbuildPlugin from "@size-limit/esbuild";
import filePlugin from "@size-limit/file";
import { build } from "esbuild";
import sizeLimit from "size-limit";
import { describe, expect, test } from "vitest";

const entry = (name: string): string => new URL(`../dist/${name}.js`, import.meta.url).pathname;

describe("the size of an import, minified and gzipped", () => {
  test.each([
    ["index", "{ init }", 3000],
    ["header", "{ headerTokens }", 400],
  ])("%s", async (name, imported, most) => {
    const check = { name, files: [entry(name)], path: [entry(name)], import: { [entry(name)]: imported }, gzip: true };
    const measured = await sizeLimit([esbuildPlugin, filePlugin].flat() as never, { checks: [check] } as never);
    const [{ size } = { size: Number.NaN }] = measured as unknown as readonly { readonly size: number }[];
    expect(size).toBeLessThan(most);
    expect(size).toBeGreaterThan(100);
  });
});

test("who does not use header mode does not load it", async () => {
  const { outputFiles } = await build({ entryPoints: [entry("index")], bundle: true, format: "esm", write: false });
  const [{ text } = { text: "" }] = outputFiles;
  expect(text).toContain("front-token");
  for (const word of ["st-access-token", "st-refresh-token", "Bearer"]) expect(text).not.toContain(word);
});
