import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createPawl, type EmbeddedOptions, type Pawl } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import express from "express";
import { type TestClock, testClock } from "../../node/test/clock.js";
import { pageOf, sdk } from "./application.js";

/** An application that uses Pawl's own API, on a clock of its own, with pages that use `@pawl/web`. */
export interface OwnApplication {
  readonly pawl: Pawl;
  readonly clock: TestClock;
  readonly origin: string;
  close(): Promise<void>;
}

export const startOwnApplication = async (options: Partial<EmbeddedOptions> = {}): Promise<OwnApplication> => {
  const clock = testClock();
  const pawl = createPawl({ storage: "memory:", ...options, clock });
  const { routes, errors, createSession, requireSession, sessionOf } = forExpress(pawl);
  const app = express();
  app.use("/sdk", express.static(sdk));
  app.get("/page", (req, res) => void res.type("html").send(pageOf(String(req.query["options"] ?? ""))));
  app.use(routes(), express.json());
  app.post("/login", async (req, res) => {
    const { userId = "u1", payload = {} } = (req.body ?? {}) as { userId?: string; payload?: object };
    await createSession(req, res, { userId, payload: payload as never });
    res.json({});
  });
  app.all("/me", requireSession(), (req, res) => void res.json({ userId: sessionOf(req).userId }));
  app.use(errors());
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    pawl,
    clock,
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await pawl.close();
    },
  };
};
