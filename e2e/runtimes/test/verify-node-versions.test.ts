import { testAnywhere } from "../../../packages/verify/test/anywhere.js";
import { node, nodes } from "../runtimes.mjs";

testAnywhere(
  Object.entries(nodes)
    .filter(([, [program]]) => program !== node)
    .map(([title, command]) => ({ title, runtime: "node", command })),
);
