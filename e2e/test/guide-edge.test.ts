import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { launchChromium } from "@pawl/test-servers/chromium";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EdgeCore, logIn, startEdgeCore, visitEdge } from "./edge-core.js";
import { root, textOf } from "./guide-page.js";
import { serving } from "./guide-program.js";

/** Inside the repository, so that the package is found. */
let folder = "";
let edge: EdgeCore;
beforeAll(async () => {
  mkdirSync(join(root, "artifacts"), { recursive: true });
  folder = mkdtempSync(join(root, "artifacts", "guide-"));
  for (const file of ["app.mjs", "node.mjs", "page.mjs"])
    writeFileSync(join(folder, file), textOf("edge.md", `js ${file}`));
  edge = await startEdgeCore();
});
afterAll(async () => {
  await edge.core.close();
  rmSync(folder, { recursive: true });
});

test("edge.md: node.mjs", () =>
  serving(join(folder, "node.mjs"), (origin) => visitEdge(origin, edge.core, "revoked"), { env: edge.env }));

test("edge.md: page.mjs", async () => {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "page.mjs")],
    bundle: true,
    format: "esm",
    write: false,
  });
  const server = createServer(({ url }, res) => {
    if (url === "/keys")
      res.setHeader("content-type", "application/json").end(JSON.stringify(edge.core.engine.keySet()));
    else if (url === "/page.js") res.setHeader("content-type", "text/javascript").end(outputFiles[0]!.text);
    else res.setHeader("content-type", "text/html").end("<title>A page</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const { token } = await logIn(edge.core);
    // As a text: what compiles this file would change an import.
    const whoIs = (shown: string) =>
      page.evaluate<unknown>(`import("/page.js").then(({ whoIs }) => whoIs(${JSON.stringify(shown)}))`);
    expect(await whoIs(token)).toBe("alice");
    expect(await whoIs(token.slice(1))).toBeUndefined();
  } finally {
    await browser.close();
    server.close();
  }
});
