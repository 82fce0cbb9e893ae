/** Compiled with the tests, never run: what may be handed in. */
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import { forNode } from "../src/adapters/node.js";
import { forExpress } from "../src/adapters/express.js";
import { createPawl } from "../src/index.js";

/** Where a value that may be missing counts as left out (`exactOptionalPropertyTypes`). */
export const pawl = createPawl({
  core: ["https://sessions.example.com"],
  apiKey: process.env["API_KEY"],
  basePath: process.env["BASE_PATH"],
  cookies: { domain: process.env["DOMAIN"] },
});

export const overHttp2 = async (req: Http2ServerRequest, res: Http2ServerResponse): Promise<void> => {
  await forNode(pawl).handle(req, res, async () => {
    await forNode(pawl).createSession(req, res, { userId: "alice", device: process.env["DEVICE"] });
  });
  forExpress(pawl).routes()(req, res, () => undefined);
};

export const overHttp1 = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
  await pawl.sessions.endUser("alice", { tenantId: process.env["TENANT"], except: undefined });
  await pawl.sessions.list("alice", { after: undefined, limit: 10 });
  await forNode(pawl).handle(req, res, () => undefined);
  forExpress(pawl).routes()(req as never, res, () => undefined);
  // @ts-expect-error a tenant is ended only where it is named twice
  await pawl.sessions.endTenant("acme");
};
