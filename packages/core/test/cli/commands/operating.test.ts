import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { RouteResponse } from "@pawl/protocol";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { version } from "../../../src/version.js";
import { compulsory } from "../../config/config-folder.js";
import { listen } from "../../listening-core.js";
import { pawlProcesses } from "../pawl-process.js";
import { runIn } from "../run-here.js";

const API_KEY = "0123456789-operating-key";
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Events = RouteResponse<"listEvents">["events"];

const { folder, startCore, spawnPawl } = pawlProcesses();
const here = runIn(folder);
let status = 204;
const got: string[] = [];
const target = createServer((request, response) => {
  got.push(String(request.headers["webhook-id"]));
  request.resume().on("end", () => response.writeHead(status).end());
});
afterAll(() => void target.close());

beforeAll(async () => {
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  const { port } = target.address() as AddressInfo;
  const hook = `{ url: "http://127.0.0.1:${port}/secret-path", secret: ${SECRET}, allow_private: true }`;
  const config = (own: number): void =>
    writeFileSync(
      join(folder, "config.yaml"),
      `${compulsory}port: ${own}\nstorage: sqlite:./sessions.db\napi_keys: ${API_KEY}\nlog_level: none\nwebhooks: [${hook}]\n`,
    );
  config(0);
  const { url } = await startCore();
  config(Number(new URL(url).port));
  for (const userId of ["alice", "alice", "alice", "bob"])
    await fetch(`${url}/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json", "api-key": API_KEY },
      body: JSON.stringify({ userId }),
    });
});

const json = async <T>(...args: string[]): Promise<T> => {
  const { code, stdout, stderr } = await here([...args, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as T;
};

const until = async (isSo: () => unknown): Promise<void> => {
  const deadline = performance.now() + 15_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error("it did not come about");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe("pawl policy try", () => {
  test("tells what the rules would end, and changes nothing", async () => {
    const tried = await json("policy", "try", "--max-sessions", "2", "--absolute", "12h");
    expect(tried).toEqual({
      rules: { absolute: 43_200_000, maxSessions: 2 },
      sessions: 4,
      users: 2,
      wouldEnd: { sessions: 1, users: 1, idle: 0, absolute: 0, maxSessions: 1 },
    });
    const { stdout } = await here(["policy", "try", "--preset", "nist-aal3"]);
    expect(stdout).toMatch(
      /Live now +4 sessions of 2 users\nWould end now +0 sessions of 0 users\n +idle +0 \(not used for 15m\)/,
    );
    expect((await json<{ sessions: object[] }>("sessions", "list")).sessions).toHaveLength(4);
  });

  test.each([[[]], [["--idle", "soon"]], [["--preset", "nist-aal9"]], [["--max-sessions", "0"]]])(
    "refuses %j",
    async (args) => {
      expect(await here(["policy", "try", ...args])).toMatchObject({ code: 2 });
    },
  );
});

describe("what administrators do", () => {
  test("is in the audit trail with who, from where, and what", async () => {
    const { sessions } = await json<RouteResponse<"listSessions">>("sessions", "list", "--user", "bob");
    await json("sessions", "revoke", "--user", "bob", "--yes", "--detail", "ticket 7");
    await json("keys", "rotate");
    const { events } = await json<{ events: Events }>("events", "list", "--type", "admin");
    const by = {
      apiKey: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
      address: "127.0.0.1",
      client: expect.stringMatching(/^pawl-cli\//) as string,
    };
    expect(events.map(({ detail }) => detail)).toEqual([
      { act: "signing_key_rotated", kid: expect.any(String) as string, by },
      { act: "sessions_ended", ended: 1, detail: "ticket 7", of: "user", by },
    ]);
    expect(events[1]).toMatchObject({ userId: "bob", tenantId: "public" });
    expect(JSON.stringify(events)).not.toContain(API_KEY);
    const { stdout } = await here(["events", "list", "--session", sessions[0]!.handle]);
    expect(stdout).toMatch(/^TIME .*\n\S+ +session_ended +bob +public /);
    expect((await here(["events", "list", "--user", "nobody"])).stdout).toBe("No events.\n");
  });

  test("an erasure in the storage itself is delivered too", async () => {
    await json("sessions", "erase", "--user", "bob", "--yes");
    const { events } = await json<{ events: Events }>("events", "list", "--type", "admin", "--limit", "1");
    expect(events[0]?.detail).toMatchObject({ act: "user_erased", by: { host: expect.any(String) as string } });
    await until(() => got.includes(events[0]!.key));
  });
});

describe("pawl events follow", () => {
  test("prints the last events, and what happens from then on", async () => {
    const { sessions: before } = await json<RouteResponse<"listSessions">>("sessions", "list", "--user", "alice");
    await json("sessions", "revoke", before[0]!.handle);
    const following = spawnPawl(["events", "follow", "--json", "--type", "session_ended"]);
    await following.said(/"userId":"alice"/);
    const { sessions } = await json<RouteResponse<"listSessions">>("sessions", "list", "--user", "alice");
    const handle = sessions[0]!.handle;
    await json("sessions", "revoke", handle);
    await following.said(new RegExp(`"handle":"${handle}"`));
    following.child.kill();
    const lines = following.output.stdout.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { handle: string }).handle).at(-1)).toBe(handle);
    expect(lines).toHaveLength(2);
  });
});

describe("pawl webhooks", () => {
  test("lists them without secrets, tests them, and handles what could not be delivered", async () => {
    await until(async () => (await json<{ deliveries: object[] }>("webhooks", "list")).deliveries.length === 0);
    const listed = (await here(["webhooks", "list"])).stdout;
    expect(listed).toMatch(/^ID +TO +EVENTS\n[0-9a-f]{8} +http:\/\/127\.0\.0\.1:\d+ +session_ended/);
    expect(listed).toContain("Nothing waits for delivery.");
    expect(listed).not.toMatch(/secret-path|whsec/);
    expect(await here(["webhooks", "test"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ delivered\n$/) as string,
    });
    status = 400;
    expect(await here(["webhooks", "test"])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/ status 400\n$/) as string,
    });
    await until(async () => (await json<{ deliveries: object[] }>("webhooks", "list")).deliveries.length > 0);
    await until(async () => /status 400/.test((await here(["webhooks", "list"])).stdout));
    const { deliveries } = await json<RouteResponse<"listDeliveries">>("webhooks", "list");
    await here(["webhooks", "test"]);
    await until(async () => (await json<{ deliveries: object[] }>("webhooks", "list")).deliveries.length > 1);
    const [, next = ""] = /^There are more: --after (.+)$/m.exec(
      (await here(["webhooks", "list", "--limit", "1"])).stdout,
    )!;
    // One word to a shell, which goes on with the list.
    expect(next).toMatch(/^'[^']+'$/);
    const rest = await here(["webhooks", "list", "--after", next.slice(1, -1)]);
    expect(rest).toMatchObject({ code: 0, stdout: expect.stringMatching(/^KEY /m) as string });
    // Another one may just be on its way that was taken.
    const { event, webhook, origin } = deliveries.find(({ failure }) => failure !== undefined)!;
    const { key } = event;
    expect(origin).toBe(`http://127.0.0.1:${(target.address() as AddressInfo).port}`);
    const attempts = got.filter((id) => id === key).length;
    await json("webhooks", "retry", key);
    await until(() => got.filter((id) => id === key).length > attempts);
    expect(await here(["webhooks", "drop", key, "--webhook", "00000000"])).toMatchObject({ code: 1 });
    await json("webhooks", "drop", key, "--webhook", webhook);
    status = 204;
    expect((await here(["webhooks", "dead"])).stdout).toBe("No dead letters.\n");
    const refused = await here(["webhooks", "drop", "none"]);
    expect(refused).toMatchObject({ code: 1, stderr: "pawl: No such event waits for delivery or was given up\n" });
  });
});

test("pawl webhooks test says that none is configured, which is no act of an administrator", async () => {
  const core = await listen();
  const { code, stdout, stderr } = await here(["webhooks", "test", "--url", `http://127.0.0.1:${core.port}`]);
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: "pawl: no webhooks are configured\n" });
  expect((await core.send("GET", "/v1/events?type=admin")).json).toEqual({ events: [] });
});

describe("pawl doctor", () => {
  test("finds a healthy core so, and names what endangers", async () => {
    const { findings } = JSON.parse((await here(["doctor", "--json"])).stdout) as {
      findings: readonly { state: string; subject: string; message: string }[];
    };
    const of = (state: string) => findings.filter((found) => found.state === state).map(({ subject }) => subject);
    expect(of("ok")).toEqual(
      expect.arrayContaining([
        "versions",
        "configuration",
        "core",
        "storage",
        "clock",
        "node",
        "signing keys",
        "master key",
      ]),
    );
    expect(of("danger")).toEqual(["webhooks"]);
    expect(findings.find(({ subject }) => subject === "signing keys")?.message).toMatch(
      /newest made less than 1h ago$/,
    );
    expect(findings.find(({ subject }) => subject === "node")?.message).toMatch(
      /^\S+:\d+: version \S+, \d+ ms behind the feed, its clock -?\d+ ms ahead of the storage's$/,
    );
    expect(await here(["doctor"])).toMatchObject({ code: 1, stderr: "pawl: 1 of these endangers sessions\n" });
  });

  test("tells of a node that is far behind the feed, of another version, whose clock is wrong, or that is silent", async () => {
    const now = 1_800_000_000_000;
    const good = { id: "a", host: "a:1", version, startedAt: now, seenAt: now, feedReadAt: now, clockAhead: 0 };
    const nodes = [
      good,
      { ...good, host: "b:1", feedReadAt: now - 61_000 },
      { ...good, host: "c:1", version: "0.0.1" },
      { ...good, host: "d:1", clockAhead: -31_000 },
      { ...good, host: "e:1", seenAt: now - 300_000, feedReadAt: now - 300_000 },
    ];
    const core = createServer(({ url }, response) =>
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify(url === "/v1/nodes" ? { now, nodes } : { info: { version } })),
    );
    await new Promise<void>((resolve) => core.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void core.close());
    const { port } = core.address() as AddressInfo;
    const { stdout } = await here(["doctor", "--json", "--url", `http://127.0.0.1:${port}`]);
    const { findings } = JSON.parse(stdout) as {
      findings: readonly { state: string; subject: string; message: string }[];
    };
    const told = findings.filter(({ subject }) => subject === "node").map(({ state, message }) => [state, message]);
    expect(told).toEqual([
      ["ok", `a:1: version ${version}, 0 ms behind the feed, its clock 0 ms ahead of the storage's`],
      ["danger", `b:1: version ${version}, 61000 ms behind the feed, its clock 0 ms ahead of the storage's`],
      ["advice", "c:1: version 0.0.1, 0 ms behind the feed, its clock 0 ms ahead of the storage's"],
      ["danger", `d:1: version ${version}, 0 ms behind the feed, its clock -31000 ms ahead of the storage's`],
      [
        "advice",
        `e:1: version ${version}, 0 ms behind the feed, its clock 0 ms ahead of the storage's, and not heard of for 300 s`,
      ],
    ]);
  });

  test("says that there is no storage, no core, and what is wrong with the settings", async () => {
    const file = join(folder, "other.yaml");
    writeFileSync(
      file,
      `storage: sqlite:./none.db\nport: 1\nrefresh_token_reuse_window: 0\ntoken_theft_action: report\n`,
    );
    const { code, stdout } = await here(["doctor", "--config", file]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/advice +core +no core answers/);
    expect(stdout).toMatch(/danger +storage +there is no database/);
    expect(stdout).toMatch(/danger +refresh_token_reuse_window/);
    expect(stdout).toMatch(/danger +token_theft_action/);
    writeFileSync(file, `storage: sqlite:./sessions.db\nport: 1\n`);
    expect(await here(["doctor", "--config", file])).toMatchObject({ code: 0 });
  });
});
