import { createServer, type RequestListener } from "node:http";
import { testAdapter } from "@pawl/adapter-conformance";
import { shareKit } from "./kit-of-this-process.js";
import { served } from "./served.js";

const run = shareKit();
const { listener } = (await import(new URL("../nuxt/.output/server/index.mjs", import.meta.url).href)) as {
  listener: RequestListener;
};

testAdapter(
  "Nuxt 4",
  async (pawl, hooks) => {
    run(pawl, hooks);
    return served(createServer(listener));
  },
  { namesTargets: "it says for which path it has no route" },
);
