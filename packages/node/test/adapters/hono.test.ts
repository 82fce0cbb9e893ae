import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { testAdapter } from "@pawl/adapter-conformance";
import { honoApplication } from "./hono-application.js";
import { served } from "./served.js";

testAdapter("Hono 4", async (pawl, hooks) =>
  served(createAdaptorServer({ fetch: honoApplication(pawl, hooks).fetch }) as Server),
);
