import type { RouteResponse } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { sampleCore } from "../sample-core.js";

const { create, handlesOf, json, run } = sampleCore();

describe("sessions", () => {
  test("list shows live sessions in aligned columns, with hostile text made harmless", async () => {
    const handle = await create({
      userId: "lister",
      device: "\u001b[2Jcleared\r\n\u202eevil",
      address: "192.0.2.7",
    });
    const second = await create({ userId: "lister", device: `Mozilla ${"x".repeat(200)}` });
    const { code, stdout } = await run(["sessions", "list", "--user", "lister"]);
    expect(code).toBe(0);
    const [heading = "", ...rows] = stdout.trimEnd().split("\n");
    expect(rows).toHaveLength(2);
    expect(heading).toMatch(/^HANDLE +USER +TENANT +CREATED +LAST ACTIVE +EXPIRES +ADDRESS +DEVICE$/);
    const column = heading.indexOf("TENANT");
    for (const line of rows) {
      expect(line.slice(column)).toMatch(/^public {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}/);
      expect(line.length).toBeLessThan(250);
    }
    expect(stdout).toContain(handle);
    expect(stdout).toContain(second);
    expect(stdout).toContain("\\u001b[2Jcleared\\u000d\\u000a\\u202eevil");
    expect(stdout).not.toMatch(/[\u001b\u202e\r]/);
  });

  test("--json shows hostile text as escapes too, and gives it back to the letter", async () => {
    const device = "\u001b[2J\u009bcleared\u2028\u202eevil \u{1f600}";
    const handle = await create({ userId: "json-reader", device });
    for (const args of [
      ["list", "--user", "json-reader"],
      ["show", handle],
    ]) {
      const { stdout } = await run(["sessions", ...args, "--json"]);
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/u);
      expect(stdout).toContain("\\u009bcleared\\u2028\\u202eevil \u{1f600}");
      expect(JSON.stringify(JSON.parse(stdout))).toContain(JSON.stringify(device).slice(1, -1));
    }
  });

  test("list follows pages up to the limit and says how to go on", async () => {
    const all: string[] = [];
    for (let index = 0; index < 5; index++) all.push(await create({ userId: "pages" }));
    const { stdout } = await run(["sessions", "list", "--user", "pages", "--limit", "3"]);
    const [, after = ""] = /^There are more: --after (\S+)$/m.exec(stdout) ?? [];
    expect(stdout.match(/ pages /g)).toHaveLength(3);
    const rest = await handlesOf("--user", "pages", "--after", after);
    const first = await handlesOf("--user", "pages", "--limit", "3");
    expect([...first, ...rest].toSorted()).toEqual(all.toSorted());
    expect(await run(["sessions", "list", "--user", "nobody"])).toMatchObject({
      code: 0,
      stdout: "No live sessions.\n",
    });
  });

  test("list goes beyond one page of the API", async () => {
    for (let index = 0; index < 505; index += 101)
      await Promise.all(Array.from({ length: 101 }, () => create({ userId: "many", tenantId: "crowd" })));
    expect(new Set(await handlesOf("--tenant", "crowd", "--limit", "1000")).size).toBe(505);
  });

  test("show and explain tell about one session, explain also when it has ended", async () => {
    const handle = await create({ userId: "shown", payload: { role: "admin" }, data: { n: 1 }, device: "Firefox" });
    const { stdout } = await run(["sessions", "show", handle]);
    expect(stdout).toMatch(
      new RegExp(`^Handle +${handle}\nUser +shown\nTenant +public\nDevice +Firefox\nCreated .*\nAuthenticated `),
    );
    expect(stdout).toMatch(/\nPayload +\{"role":"admin"\}\nData +\{"n":1\}\n$/);
    expect(await json<RouteResponse<"getSession">>("sessions", "show", handle)).toMatchObject({
      userId: "shown",
      data: { n: 1 },
    });

    expect(await json<RouteResponse<"explainSession">>("sessions", "explain", handle)).toMatchObject({
      status: "live",
    });
    await run(["sessions", "revoke", handle, "--detail", "ticket 7"]);
    const explained = await run(["sessions", "explain", handle]);
    expect(explained.code).toBe(0);
    expect(explained.stdout).toMatch(/^Status +ended$/m);
    expect(explained.stdout).toMatch(/^Reason +revoked_by_admin$/m);
    expect(explained.stdout).toMatch(/^TIME +EVENT +REASON +COUNT +DETAIL\n\S+Z +session_ended +revoked_by_admin +1/m);
    expect(await run(["sessions", "show", handle])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `pawl: No such live session; pawl sessions explain ${handle} tells what became of it\n`,
    });
    expect(await json<RouteResponse<"explainSession">>("sessions", "explain", "nonsense")).toMatchObject({
      status: "unknown",
    });
  });
});

describe("keys", () => {
  test("list, rotate, list", async () => {
    const before = await json<RouteResponse<"listSigningKeys">>("keys", "list");
    const { code, stdout } = await run(["keys", "rotate"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^New ES256 key d-\d+: published now, signs from \S+Z; tokens of the old one stay valid\n$/);
    const after = await run(["keys", "list"]);
    expect(after.stdout).toMatch(/^KEY ID +ALGORITHM +KIND +STATUS +CREATED +SIGNS FROM\n/);
    expect(after.stdout.trimEnd().split("\n")).toHaveLength(before.keys.length + 2);
    expect(after.stdout).not.toMatch(/private|sealed/i);
    expect(await json("keys", "rotate", "--algorithm", "RS256")).toMatchObject({ algorithm: "RS256", kind: "dynamic" });
    expect(await run(["keys", "rotate", "--algorithm", "none"])).toMatchObject({ code: 2 });
  });
});
