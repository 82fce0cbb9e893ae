import esbuildPlugin from "@size-limit/esbuild";
import filePlugin from "@size-limit/file";
import sizeLimit from "size-limit";
import { expect, test } from "vitest";

test("the whole of it has at most 3 kB, minified and gzipped", async () => {
  const entry = new URL("../dist/index.js", import.meta.url).pathname;
  const check = { name: "index", files: [entry], path: [entry], import: { [entry]: "{ createVerifier }" }, gzip: true };
  const measured = await sizeLimit([esbuildPlugin, filePlugin].flat() as never, { checks: [check] } as never);
  const [{ size } = { size: Number.NaN }] = measured as unknown as readonly { readonly size: number }[];
  expect(size).toBeLessThanOrEqual(3000);
  expect(size).toBeGreaterThan(2000);
});
