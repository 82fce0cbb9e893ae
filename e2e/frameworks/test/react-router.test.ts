import { createServer } from "node:http";
import { testAdapter } from "@pawl/adapter-conformance";
import { createRequestListener } from "@react-router/node";
import { shareKit } from "./kit-of-this-process.js";
import { served } from "./served.js";

const run = shareKit();
const build = (await import(new URL("../react-router/build/server/index.js", import.meta.url).href)) as never;
const answer = createRequestListener({ build, mode: "production" });

testAdapter(
  "React Router 8",
  async (pawl, hooks) => {
    run(pawl, hooks);
    return served(createServer(answer));
  },
  { failsAtOddHosts: "it makes the URL of a request from its Host" },
);
