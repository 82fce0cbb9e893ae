import { expect, test } from "vitest";
import { listen, movableClock } from "../listening-core.js";
import { ask, create, expectProblem } from "./v1-requests.js";

const HOUR = 3_600_000;

test("counts are read by range, step and tenant, with how many sessions are live", async () => {
  const clock = movableClock();
  const core = await listen({}, { clock });
  const hour = Math.floor(clock.now() / HOUR) * HOUR;
  await create(core);
  await create(core, { tenantId: "t1" });
  const read = (query: string) => ask(core, "listCounts", { path: `/v1/counts?${query}` });
  const range = `from=${hour}&to=${hour + HOUR}`;
  expect((await read(range)).json).toEqual({ counts: [{ at: hour, name: "login", count: 2 }] });
  await core.engine.maintainCounts();
  await ask(core, "revokeSessions", { body: { allOfTenant: "t1", reason: "revoked_by_admin" } });
  expect((await read(`${range}&tenantId=t1`)).json).toEqual({
    counts: [
      { at: hour, name: "ended.revoked_by_admin", count: 1 },
      { at: hour, name: "login", count: 1 },
    ],
    live: { count: 1, countedAt: clock.now() },
  });
  const day = Math.floor(hour / (24 * HOUR)) * 24 * HOUR;
  expect((await read(`from=${day}&to=${day + 1}&step=day`)).json.counts).toHaveLength(2);
  expect((await read(`from=${hour - HOUR}&to=${hour}`)).json.counts).toEqual([]);
});

test("counts refuse a range that is none, or too long", async () => {
  const core = await listen();
  for (const query of ["", "from=1", "from=a&to=2", "from=0&to=3600000001", "from=0&to=1&step=week"])
    expectProblem(await ask(core, "listCounts", { path: `/v1/counts?${query}` }), "invalid_input");
});
