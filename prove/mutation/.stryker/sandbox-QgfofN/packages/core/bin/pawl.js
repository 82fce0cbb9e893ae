#!/usr/bin/env node
import { existsSync } from "node:fs";

const program = new URL("../dist/cli/pawl.js", import.meta.url);

if (existsSync(program)) await import(program.href);
else {
  process.stderr.write("pawl: not built yet; run  npm run build  at the root of the repository\n");
  process.exitCode = 1;
}
