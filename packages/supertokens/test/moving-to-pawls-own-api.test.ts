import { createPawl as createOwnPawl } from "@pawl/node";
import { forFetch } from "@pawl/node/fetch";
import { MemoryStorage } from "@pawl/storage";
import { expect, test } from "vitest";
import { sessionHandler } from "../src/fetch.js";
import { createPawl } from "../src/index.js";
import { testClock } from "../src/testing.js";
import { CookieJar } from "./cookie-jar.js";

const HOST = "app.example.com";

test("a session of the documented API is traded at its next refresh, and goes on without a script", async () => {
  const clock = testClock();
  const backend = { storage: new MemoryStorage({ clock }), masterKey: Buffer.alloc(32, 7).toString("base64") };
  await using own = createOwnPawl({ ...backend, cookies: { alsoRead: ["sAccessToken", "sRefreshToken"] } });
  const documented = createPawl(backend);
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
  const me = async () => (await ask("GET", "/me")).json();

  await ask("POST", "/login", before);
  expect(await me()).toEqual({ userId: "alice" });
  clock.advance("2h");
  // As browsers drop it by themselves.
  jar.receive(HOST, ["sAccessToken=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  expect(await me()).toMatchObject({ code: "UNAUTHORISED" });
  expect((await ask("GET", "/session/refresh?return=/me")).headers.get("location")).toBe("/me");
  expect(await me()).toEqual({ userId: "alice" });
  for (let hours = 0; hours < 6; hours += 2) {
    clock.advance("2h");
    expect(await me()).toEqual({ userId: "alice" });
  }
  await documented.close();
});
