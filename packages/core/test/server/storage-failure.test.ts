import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, symlink, unlink } from "node:fs/promises";
import { parseMasterKeys, rotateMasterKey, systemRandom } from "@pawl/engine";
import { expect, test } from "vitest";
import { listen, testFolder } from "../listening-core.js";

test("without storage: /readyz 503, /healthz 200, no answer about any session, cookies stay", async () => {
  const core = await listen({ logLevel: "none" });
  const { refreshToken, accessToken, session } = (
    await core.send("POST", "/session", { body: { userId: "u", userDataInJWT: {}, userDataInDatabase: {} } })
  ).json;
  expect((await core.send("GET", "/readyz")).status).toBe(200);
  await core.engine.storage.close();

  expect(await core.send("GET", "/readyz")).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  expect((await core.send("GET", "/healthz")).status).toBe(200);
  const asked: readonly (readonly [string, string, object?])[] = [
    ["POST", "/session/refresh", { refreshToken: refreshToken.token }],
    ["POST", "/session", { userId: "u", userDataInJWT: {}, userDataInDatabase: {} }],
    ["DELETE", "/session", { userId: "u" }],
    ["GET", "/session/user?userId=u"],
    ["GET", `/session/data?sessionHandle=${session.handle}`],
    ["POST", "/v1/sessions/refresh", { refreshToken: refreshToken.token }],
    ["POST", "/v1/sessions/revoke", { userId: "u" }],
    ["POST", "/v1/sessions/verify", { accessToken: accessToken.token, checkDatabase: true }],
    ["GET", `/v1/sessions/${session.handle}`],
    ["GET", "/v1/revocations"],
  ];
  for (const [method, path, body] of asked) {
    const answer = await core.send(method, path, { body });
    expect([path, answer.status, answer.headers["retry-after"]]).toEqual([path, 503, "1"]);
    expect(answer.text).not.toMatch(/UNAUTHORISED|TRY_REFRESH|unauthorised/);
    if (path.startsWith("/v1")) expect(answer.json).toMatchObject({ code: "storage_unavailable" });
  }
  // What needs no storage goes on.
  const verified = await core.send("POST", "/v1/sessions/verify", { body: { accessToken: accessToken.token } });
  expect(verified.status).toBe(200);
});

test("a database that another process holds: refresh 503 within the answer time, and right once it is free", async () => {
  const folder = await testFolder();
  const file = `${folder}/pawl.db`;
  const core = await listen(
    { storage: `sqlite:${file}`, logLevel: "none" },
    { limits: { answerTimeout: 300, readyTimeout: 100 } },
  );
  const { refreshToken } = (await core.send("POST", "/v1/sessions", { body: { userId: "u" } })).json;
  const refresh = () => core.send("POST", "/v1/sessions/refresh", { body: { refreshToken: refreshToken.token } });
  const release = await holdDatabase(file);
  expect((await refresh()).json).toMatchObject({ code: "storage_unavailable" });
  expect((await core.send("GET", "/readyz")).status).toBe(503);
  await release();
  expect((await refresh()).status).toBe(200);
  expect((await core.send("GET", "/readyz")).status).toBe(200);
});

test("a revocation log on a full disk: 503, and the same call again once there is room", async () => {
  const folder = await testFolder();
  const log = `${folder}/revocations.log`;
  await symlink("/dev/full", log);
  const core = await listen({ revocationLog: log, logLevel: "none" });
  const { session, refreshToken } = (await core.send("POST", "/v1/sessions", { body: { userId: "u" } })).json;
  const revoke = () => core.send("POST", "/v1/sessions/revoke", { body: { handles: [session.handle] } });
  for (let attempt = 0; attempt < 2; attempt += 1)
    expect(await revoke()).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  await unlink(log);
  expect((await revoke()).status).toBe(200);
  expect(await readFile(log, "utf8")).toContain(session.handle);
  const refresh = await core.send("POST", "/v1/sessions/refresh", { body: { refreshToken: refreshToken.token } });
  expect(refresh.status).toBe(401);
});

test("a master key that was not given to this node: 503, never an answer about the session", async () => {
  const storage = `sqlite:${await testFolder()}/pawl.db`;
  const [one, two] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64"));
  const forgotten = await listen({ storage, masterKey: one!, logLevel: "none" });
  const other = await listen({ storage, masterKey: `${one},${two}` });
  await rotateMasterKey({
    storage: other.engine.storage,
    masterKeys: parseMasterKeys(`${one},${two}`),
    random: systemRandom,
    refreshTokenValidity: other.engine.policy.refreshTokenValidity,
  });
  await other.reopen();
  const { refreshToken } = (await other.send("POST", "/v1/sessions", { body: { userId: "u" } })).json;
  const refresh = { body: { refreshToken: refreshToken.token } };
  const answer = await forgotten.send("POST", "/v1/sessions/refresh", refresh);
  expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "1"]);
  const seed = await forgotten.send("POST", "/session/refresh", refresh);
  expect([seed.status, seed.text]).toEqual([503, expect.not.stringMatching(/UNAUTHORISED/)]);
  expect((await other.send("POST", "/v1/sessions/refresh", refresh)).status).toBe(200);
});

/** Begins a write transaction in a process of its own: within one process two SQLite libraries do not see each other. */
const holdDatabase = async (file: string): Promise<() => Promise<unknown>> => {
  const program = `
    const database = new (require("libsql"))(${JSON.stringify(file)});
    database.exec("BEGIN IMMEDIATE");
    console.log("held");
    process.stdin.on("end", () => process.exit()).resume();`;
  const holder = spawn(process.execPath, ["-e", program], {
    // Where the driver is a dependency.
    cwd: new URL("../../../storage-sqlite", import.meta.url),
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  return async () => {
    holder.stdin.end();
    await once(holder, "close");
  };
};
