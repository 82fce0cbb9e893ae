import { readFile } from "node:fs/promises";
import { parseHandle } from "@pawl/engine";
import { NEVER } from "@pawl/storage";
import { expect, test } from "vitest";
import { listen, movableClock, testFolder } from "../listening-core.js";

test("changes that the store has lost are one warning in the log, a minute at most", async () => {
  const clock = movableClock();
  const infoLogPath = `${await testFolder()}/info.log`;
  const core = await listen({ infoLogPath, logLevel: "warn" }, { clock });
  const { storage } = core.engine;
  const post = async (path: string, body: object) => (await core.send("POST", path, { body })).json;
  const warnings = async () =>
    (await readFile(infoLogPath, "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  for (let failover = 1; failover <= 3; failover += 1) {
    const { session, refreshToken } = await post("/v1/sessions", { userId: "alice", payload: { role: "admin" } });
    const { handle } = session as { readonly handle: string };
    const id = parseHandle(handle)!.id;
    const before = (await storage.getSession(id))!;
    await core.send("PUT", `/v1/sessions/${handle}/payload`, { body: { payload: { role: "user" } } });
    await storage.deleteExpired(NEVER, 10);
    await storage.importSessions([before]);
    clock.move(35_000);
    const { accessToken } = await post("/v1/sessions/refresh", { refreshToken: refreshToken.token as string });
    const verified = await post("/v1/sessions/verify", { accessToken: accessToken.token as string });
    expect(verified.session.payload).toEqual({ role: "admin" });
  }
  expect(await warnings()).toMatchObject([
    { level: 40, count: 1, msg: "the store has lost changes of sessions, as at a failover" },
    { level: 40, count: 2 },
  ]);
});
