import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { createSecureServer } from "node:http2";
import { createAdaptorServer } from "@hono/node-server";
import { testAdapter } from "@pawl/adapter-conformance";
import { certificate } from "./certificate.js";
import { honoApplication } from "./hono-application.js";
import { served } from "./served.js";

testAdapter("Hono 4", async (pawl, hooks) =>
  served(createAdaptorServer({ fetch: honoApplication(pawl, hooks).fetch }) as Server),
);

testAdapter("Hono 4 on HTTP/2 with TLS", async (pawl, hooks) => {
  const serverOptions = { key: readFileSync(certificate().key), cert: readFileSync(certificate().cert) };
  const { fetch } = honoApplication(pawl, hooks);
  const server = createAdaptorServer({ fetch, createServer: createSecureServer, serverOptions });
  const { origin, close } = await served(server as unknown as Server);
  return { origin: origin.replace("http:", "h2:"), close };
});
