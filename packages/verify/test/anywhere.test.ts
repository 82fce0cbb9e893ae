import { testAnywhere } from "./anywhere.js";

// The others are installed, and tried, by `npm run prove -- verify-anywhere`.
testAnywhere([
  { title: `Node.js ${process.versions.node}`, runtime: "node", command: [process.execPath] },
  { title: "Chromium", runtime: "chromium" },
]);
