import { createServer } from "node:http";
import express from "express";
import { request as send } from "undici";
import { afterEach, describe, expect, test } from "vitest";
import { sessionErrorHandler, sessionMiddleware } from "../src/express.js";
import { sessionHandler } from "../src/fetch.js";
import type { Pawl } from "../src/index.js";
import { CookieJar } from "./cookie-jar.js";
import { modes, type Running } from "./modes.js";
import { listen, type WebApp } from "./web-app.js";

const open: (Running | WebApp)[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

const HOST = "localhost";

interface Placed {
  readonly mount: string;
  readonly basePath: string;
}

/** An application whose session routes stand below a mounted router, and a browser that visits it. */
const visit = async (pawl: Pawl, { mount, basePath }: Placed) => {
  const app = express();
  const router = express.Router();
  router.use(sessionMiddleware({ pawl, basePath }));
  if (mount === "") app.use(router);
  else app.use(mount, router);
  app.post(`${mount}/login`, async (_req, res) => {
    await pawl.createNewSession(res, "u1");
    res.json({});
  });
  app.use(sessionErrorHandler());
  const web = await listen(createServer(app));
  open.push(web);
  const jar = new CookieJar();
  /** `seen` is the path as the browser has it, where a proxy takes off the front. */
  return async (path: string, seen = path): Promise<number> => {
    const cookie = jar.header(HOST, seen);
    const answer = await send(web.url + path, {
      method: "POST",
      headers: { host: HOST, ...(cookie === "" ? {} : { cookie }) },
    });
    jar.receive(HOST, [answer.headers["set-cookie"] ?? []].flat());
    await answer.body.dump();
    return answer.statusCode;
  };
};

/** The process warnings that some work causes. */
const warningsOf = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
  const warnings: string[] = [];
  const collect = (warning: Error): unknown => warnings.push(warning.message);
  process.on("warning", collect);
  await work();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", collect);
  return warnings;
};

const paths = ["", "/auth", "/auth/", "/api/auth"];
const cookiePaths = [undefined, "/", "/auth", "/auth/session/refresh", "/api", "/api/auth/session/refresh"];
const places = ["", "/auth", "/api"].flatMap((mount) =>
  paths.flatMap((basePath) => cookiePaths.map((refreshTokenPath) => ({ mount, basePath, refreshTokenPath }))),
);

describe.each(modes)("$name: no place of the routes logs users out without a word", ({ start }) => {
  test.each(places)("mount $mount, base path $basePath, cookie path $refreshTokenPath", async (place) => {
    const { refreshTokenPath, mount } = place;
    const running = await start({ cookies: refreshTokenPath === undefined ? {} : { refreshTokenPath } });
    open.push(running);
    const route = `${mount}${place.basePath.replace(/\/$/, "")}/session/refresh`;
    let statuses: readonly number[] = [];
    const said = await warningsOf(async () => {
      try {
        const post = await visit(running.pawl, place);
        const login = await post(`${mount}/login`);
        running.clock.advance("2h");
        statuses = [login, await post(route, refreshTokenPath?.endsWith(route) === true ? refreshTokenPath : route)];
      } catch (error) {
        statuses = [(error as { errType: number }).errType];
        expect((error as Error).message).toContain(JSON.stringify(refreshTokenPath ?? "/session/refresh"));
        expect((error as Error).message).toContain("/session/refresh");
      }
    });
    if (statuses.join() === "200,200") return;
    // At configuration, at the first request below the mount, or beside the refresh that a proxy may have led here.
    if (statuses.join() !== "1000") {
      expect(["503,503", "200,401"]).toContain(statuses.join());
      expect(said).toEqual([expect.stringContaining(JSON.stringify(route))]);
      expect(said[0]).toContain(JSON.stringify(refreshTokenPath ?? "/session/refresh"));
    }
  });

  test.each(["/auth", "/auth/"])(
    "the documented cookie path with the base path %s is refused at once",
    async (basePath) => {
      const running = await start();
      open.push(running);
      const message = expect.stringMatching(/"\/session\/refresh".*"\/auth\/session\/refresh"/) as string;
      const error = expect.objectContaining({ code: "GENERAL_ERROR", message });
      expect(() => sessionMiddleware({ pawl: running.pawl, basePath })).toThrow(error);
      expect(() => sessionHandler({ pawl: running.pawl, basePath }, () => new Response())).toThrow(error);
    },
  );

  test("a base path without its slash is refused", () => {
    expect(() => sessionMiddleware({ basePath: "auth" })).toThrow(/basePath must start with \/, not "auth"/);
  });

  test("routes that a proxy puts below a path are taken", async () => {
    const running = await start({ cookies: { refreshTokenPath: "/public/auth/session/refresh" } });
    open.push(running);
    for (const basePath of ["", "/auth"])
      expect(() => sessionMiddleware({ pawl: running.pawl, basePath })).not.toThrow();
  });
});

test("what a core says of the cookie's path is known at the first request", async () => {
  const [, core] = modes;
  const running = await core!.start();
  open.push(running);
  const pawl = { ...running.pawl, refreshTokenPath: undefined };
  const handle = sessionHandler({ pawl, basePath: "/auth" }, () => new Response());
  Object.assign(pawl, { refreshTokenPath: running.pawl.refreshTokenPath });
  const said = await warningsOf(async () => {
    for (let round = 0; round < 2; round++)
      expect((await handle(new Request("https://app.example.com/"))).status).toBe(503);
  });
  expect(said).toHaveLength(1);
});
