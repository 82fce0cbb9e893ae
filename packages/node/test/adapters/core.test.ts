import { createServer } from "node:http";
import { testAdapter } from "@pawl/adapter-conformance";
import { openCore } from "../open-core.js";
import { application } from "./express-application.js";
import { served } from "./served.js";

testAdapter("Express 5 with a core", async (pawl, hooks) => served(createServer(application(pawl, hooks))), {
  openBackend: openCore,
});
