import { createServer } from "node:http";
import { testAdapter } from "@pawl/adapter-conformance";
import { shareKit } from "./kit-of-this-process.js";
import { served } from "./served.js";

const run = shareKit();
const { handler } = (await import(new URL("../astro/dist/server/entry.mjs", import.meta.url).href)) as {
  handler: Parameters<typeof createServer>[1] & {};
};

testAdapter(
  "Astro 7",
  async (pawl, hooks) => {
    run(pawl, hooks);
    return served(
      createServer((req, res) => {
        // Without it Astro takes every unsafe request for a form, and asks for an `Origin`.
        req.headers["content-type"] ??= "application/json";
        handler(req, res);
      }),
    );
  },
  {
    failsAtOddHosts: "it makes the URL of a request from its Host",
    losesCookiesOfErrors: "it answers what a handler throws",
  },
);
