import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { listen, testFolder } from "../listening-core.js";
import { beginRequest, statusesIn } from "./raw-exchange.js";

test("finishes what is in flight, answers 503 to what is new, and lets go of its port and storage", async () => {
  const core = await listen();
  const late = await beginRequest(core);
  const closing = core.close();

  const refused = await core.send("GET", "/v1/settings");
  expect(refused.json).toMatchObject({ code: "shutting_down", status: 503 });
  expect(refused.headers).toMatchObject({ connection: "close", "retry-after": "1" });
  const old = await core.send("POST", "/session/refresh", { body: { refreshToken: "t" } });
  expect([old.status, old.headers["retry-after"]]).toEqual([503, "1"]);
  expect((await core.send("GET", "/readyz")).status).toBe(503);
  expect((await core.send("GET", "/healthz")).status).toBe(200);

  const text = await late.finish();
  expect(statusesIn(text)).toEqual([201]);
  expect(text).toMatch(/^connection: close\r$/im);
  await closing;
  await expect(core.engine.storage.ping()).rejects.toMatchObject({ code: "closed" });
  const again = connect(core.port, "127.0.0.1");
  const [error] = (await once(again, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNREFUSED");
});

test("what was answered 201 while stopping is stored", async () => {
  const folder = await testFolder();
  const core = await listen({ storage: `sqlite:${folder}/pawl.db` });
  const late = await beginRequest(core);
  const closing = core.close();
  expect(statusesIn(await late.finish())).toEqual([201]);
  await closing;
  const next = await listen({ storage: `sqlite:${folder}/pawl.db` });
  expect((await next.send("GET", "/v1/sessions/handles?userId=late")).json.handles).toHaveLength(1);
});

test("cuts what is not done within the grace period", async () => {
  const core = await listen({}, { limits: { grace: 50 } });
  const late = await beginRequest(core);
  await core.close();
  expect(await late.cut()).toBe("");
});

test("with nothing in flight it stops at once, idle connections and feeds notwithstanding, and twice is once", async () => {
  const core = await listen({}, { limits: { grace: 60_000 } });
  await core.send("GET", "/healthz");
  const feed = core.connect();
  feed.write("GET /v1/revocations HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(feed, "data");
  await Promise.all([core.close(), core.close()]);
  await core.close();
});
