import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { testAdapter } from "@pawl/adapter-conformance";
import { elysiaApplication } from "./elysia-application.js";
import { served } from "./served.js";

testAdapter("Elysia 1 on Node.js", async (pawl, hooks) =>
  served(createAdaptorServer({ fetch: elysiaApplication(pawl, hooks) }) as Server),
);
