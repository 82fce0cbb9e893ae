import { testAnywhere } from "../../../packages/verify/test/anywhere.js";
import { bun, deno, node, workerd } from "../runtimes.mjs";

testAnywhere([
  { title: "Node.js 24", runtime: "node", command: [node] },
  { title: "Deno", runtime: "deno", command: [deno, "run", "-A"] },
  { title: "Bun", runtime: "bun", command: [bun] },
  { title: "workerd", runtime: "workerd", command: [workerd, "serve"] },
]);
