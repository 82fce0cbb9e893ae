import { createServer } from "node:http";
import { testAdapter } from "@pawl/adapter-conformance";
import express from "express";
import { expect, test } from "vitest";
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
