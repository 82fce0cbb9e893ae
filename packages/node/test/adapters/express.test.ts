import { createServer } from "node:http";
import { setImmediate } from "node:timers/promises";
import { testAdapter } from "@pawl/adapter-conformance";
import express, { type NextFunction, type Request, type Response } from "express";
import { expect, onTestFinished, test, vi } from "vitest";
import { createPawl } from "../../src/index.js";
import { forExpress } from "../../src/adapters/express.js";
import { application } from "./express-application.js";
import { served } from "./served.js";

testAdapter("Express 5", async (pawl, hooks) => served(createServer(application(pawl, hooks))));

test("routes are found below a mounted router, with a base path, and where a proxy's part of the URL was cut off", async () => {
  for (const [options, mount, path] of [
    [{}, "/auth", "/auth/signout"],
    [{ basePath: "/sessions" }, "/auth", "/auth/sessions/signout"],
    [{ basePath: "/sessions" }, "/", "/sessions/signout"],
    [{}, "/", "/proxy/signout"],
  ] as const) {
    const pawl = createPawl({ storage: "memory:", ...options });
    const app = express();
    app.use((req, _res, next) => {
      req.url = req.url.replace(/^\/proxy/, "");
      next();
    });
    app.use(mount, forExpress(pawl).routes());
    const { origin, close } = await served(createServer(app));
    expect([path, (await fetch(origin + path, { method: "POST" })).status]).toEqual([path, 200]);
    expect((await fetch(`${origin}/other/signout`, { method: "POST" })).status).toBe(404);
    await close();
    await pawl.close();
  }
});

test("an answer that somebody else has given meanwhile stays, and no error is lost", async () => {
  const failed = vi.fn<(error: unknown) => void>();
  process.on("unhandledRejection", failed);
  onTestFinished(() => void process.off("unhandledRejection", failed));
  const pawl = createPawl({ storage: "memory:", origins: ["https://app.example.org"] });
  const handled: unknown[] = [];
  const handle: typeof pawl.handle = (...given) => {
    const answer = pawl.handle(...given);
    handled.push(answer);
    return answer;
  };
  const app = express();
  app.use((_req, res, next) => {
    res.status(503).end("timed out");
    next();
  });
  app.use(forExpress({ ...pawl, handle }).routes());
  app.use((error: unknown, _req: Request, _res: Response, _next: NextFunction) => failed(error));
  const { origin, close } = await served(createServer(app));
  for (const headers of [{}, { origin: "https://app.example.org" }]) {
    const answer = await fetch(`${origin}/signout`, { method: "POST", headers });
    expect([answer.status, await answer.text()]).toEqual([503, "timed out"]);
  }
  await Promise.all(handled);
  await setImmediate();
  expect(handled).toHaveLength(2);
  expect(failed.mock.calls).toEqual([]);
  await close();
  await pawl.close();
});
