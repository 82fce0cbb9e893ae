import { createPawl as createOwnPawl, type EmbeddedOptions } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { MemoryStorage } from "@pawl/storage";
import { expect, onTestFinished, test } from "vitest";
import { sessionHandler } from "../src/fetch.js";
import { createPawl } from "../src/index.js";
import { testClock } from "../src/testing.js";
import { CookieJar } from "./cookie-jar.js";

const HOST = "app.example.com";

/** One store, an application of each API over it, and a browser that has logged in with the documented one. */
const start = async (options: Pick<EmbeddedOptions, "cookies" | "frontend">) => {
  const clock = testClock();
  const backend = { storage: new MemoryStorage({ clock }), masterKey: Buffer.alloc(32, 7).toString("base64") };
  const own = createOwnPawl({ ...backend, ...options });
  const documented = createPawl(backend);
  onTestFinished(async () => {
    await own.close();
    await documented.close();
  });
  const before = sessionHandler({ pawl: documented }, async (_request, { res }) => {
    await documented.createNewSession(res, "alice", { role: "admin" });
    return Response.json({});
  });
  const { handle, requireSession } = forFetch(own);
  const after = (request: Request) =>
    handle(request, async () => Response.json({ userId: (await requireSession(request)).userId }));

  const jar = new CookieJar();
  const ask = async (method: string, path: string, application = after): Promise<Response> => {
    const headers = { cookie: jar.header(HOST, path.replace(/\?.*/, "")) };
    const answer = await application(new Request(`https://${HOST}${path}`, { method, headers }));
    jar.receive(HOST, answer.headers.getSetCookie());
    return answer;
  };
  /** Lets the access token run out; browsers drop its cookie by themselves. */
  const wait = () => {
    clock.advance("2h");
    jar.receive(HOST, ["sAccessToken=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  };
  await ask("POST", "/login", before);
  return { ask, wait, me: async () => (await ask("GET", "/me")).json() };
};

test("a session of the documented API is traded at its next refresh, and goes on without a script", async () => {
  const { ask, wait, me } = await start({ cookies: { alsoRead: ["sAccessToken", "sRefreshToken"] } });
  expect(await me()).toEqual({ userId: "alice" });
  wait();
  expect(await me()).toMatchObject({ code: "UNAUTHORISED" });
  await ask("GET", "/session/refresh?return=/me");
  for (let round = 0; round < 3; round++) {
    expect(await me()).toEqual({ userId: "alice" });
    wait();
  }
});

test("a session of the documented API goes on in pages that keep its browser SDK", async () => {
  const { ask, wait, me } = await start({ frontend: "supertokens-website" });
  for (let round = 0; round < 3; round++) {
    expect(await me()).toEqual({ userId: "alice" });
    wait();
    expect((await ask("POST", "/session/refresh")).status).toBe(200);
  }
});
