import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { testAdapter } from "@pawl/adapter-conformance";
import { fetchApplication } from "./fetch-application.js";
import { served } from "./served.js";

testAdapter(
  "fetch",
  async (pawl, hooks) => served(createAdaptorServer({ fetch: fetchApplication(pawl, hooks) }) as Server),
  { losesCookiesOfErrors: "the server answers what a handler throws" },
);
