import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "../../../packages/verify/test/runtimes.js";
import { type EdgeCore, startEdgeCore, visitEdge } from "../../test/edge-core.js";
import { textOf } from "../../test/guide-page.js";
import { type Command, serving } from "../../test/guide-program.js";
import { bun, deno, workerd } from "../runtimes.mjs";

/** Inside the repository, so that the package is found. */
const folder = mkdtempSync(new URL("../tmp-guide-", import.meta.url).pathname);
let edge: EdgeCore;
beforeAll(async () => {
  for (const file of ["app.mjs", "deno.mjs", "bun.mjs", "worker.mjs"])
    writeFileSync(join(folder, file), textOf("edge.md", `js ${file}`));
  edge = await startEdgeCore();
});
afterAll(async () => {
  await edge.core.close();
  rmSync(folder, { recursive: true });
});

test.each([
  ["deno.mjs", [deno, "run", "--allow-all"]],
  ["bun.mjs", [bun]],
] as readonly (readonly [string, Command])[])("edge.md: %s", (file, command) =>
  serving(join(folder, file), (origin) => visitEdge(origin, edge.core, "revoked"), { command, env: edge.env }),
);

test("edge.md: worker.mjs", async () => {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "worker.mjs")],
    bundle: true,
    format: "esm",
    write: false,
  });
  const { origin, stop } = await startWorker([workerd, "serve"], { worker: outputFiles[0]!.text, env: edge.env });
  try {
    await visitEdge(origin, edge.core, "inactive");
    expect((await fetch(origin)).status).toBe(401);
  } finally {
    await stop();
  }
});
