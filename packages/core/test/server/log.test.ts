import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createCoreLog, createMask } from "../../src/server/log.js";
import { listen, movableClock, testFolder } from "../listening-core.js";

const KEY = "an-api-key-of-the-operator=";

test("CVE-2022-31186: no token, key or payload gets into any line at the chattiest level, a user's id only into the warning of a theft", async () => {
  const folder = await testFolder();
  const clock = movableClock();
  const paths = { infoLogPath: `${folder}/logs/info.log`, errorLogPath: `${folder}/logs/error.log` };
  const core = await listen({ ...paths, logLevel: "debug", apiKeys: [KEY] }, { clock });
  const headers = { "api-key": KEY };
  const secrets = new Set<string>([
    KEY,
    "canary-payload",
    "canary-data",
    "canary-reason",
    "canary-other",
    "canary-former",
  ]);
  const post = async (path: string, body: unknown) => {
    const answer = await core.send("POST", path, { body, headers });
    const { accessToken, refreshToken, idRefreshToken, antiCsrfToken } = answer.json;
    for (const secret of [accessToken?.token, refreshToken?.token, idRefreshToken?.token, antiCsrfToken])
      if (secret !== undefined) secrets.add(secret as string);
    return answer.json;
  };

  const old = await post("/session", {
    userId: "canary-user",
    userDataInJWT: { a: "canary-payload" },
    userDataInDatabase: { b: "canary-data" },
  });
  clock.move(31_000);
  await post("/session/refresh", { refreshToken: old.refreshToken.token });
  await post("/session/verify", { accessToken: old.accessToken.token, doAntiCsrfCheck: true });
  const fresh = await post("/v1/sessions", { userId: "canary-user", payload: { a: "canary-payload" } });
  const auth = { methods: ["otp"], level: "aal2" };
  const { accessToken: steppedUp } = await post("/v1/sessions/step-up", { accessToken: fresh.accessToken.token, auth });
  const other = { userId: "canary-other", payload: { a: "canary-payload" }, data: { b: "canary-data" } };
  const asked = { accessToken: steppedUp.token, ...other, reason: "canary-reason" };
  const { accessToken: acting } = await post("/v1/sessions/act-as", asked);
  expect(await post("/v1/sessions/act-as", asked)).toMatchObject({ code: "acting_refused" });
  expect(await post("/v1/sessions/act-as", { ...asked, for: 1 })).toMatchObject({ code: "invalid_input" });
  const documented = { accessToken: acting.token, doAntiCsrfCheck: false };
  expect(await core.send("POST", "/session/verify", { body: documented, headers })).toMatchObject({ status: 409 });
  const { accessToken: own } = await post("/v1/sessions/act-as-self", { accessToken: acting.token });
  expect(own).toMatchObject({ token: expect.any(String) as string });
  clock.move(31_000);
  const second = await post("/v1/sessions/refresh", { refreshToken: fresh.refreshToken.token });
  clock.move(31_000);
  await post("/v1/sessions/refresh", { refreshToken: second.refreshToken.token });
  clock.move(31_000);
  expect(await post("/v1/sessions/refresh", { refreshToken: fresh.refreshToken.token })).toMatchObject({
    code: "token_theft_detected",
  });
  await post("/v1/sessions/verify", { accessToken: second.accessToken.token });
  const former = { former: "canary-former", userId: "canary-user", until: clock.now() + 86_400_000 };
  const adoption = { ...former, payload: { a: "canary-payload" }, data: { b: "canary-data" } };
  let adopted = await post("/v1/sessions/adopt", adoption);
  for (let turn = 0; turn < 2; turn++) {
    clock.move(31_000);
    adopted = await post("/v1/sessions/refresh", { refreshToken: adopted.refreshToken.token });
  }
  clock.move(31_000);
  expect(await post("/v1/sessions/adopt", adoption)).toMatchObject({ code: "token_theft_detected" });
  await core.send("POST", "/v1/sessions/refuse-adoption", { body: former, headers });
  await post("/v1/sessions", `{"userId":"canary-user","payload":"${fresh.accessToken.token}`);
  // Where tokens do not belong.
  const misplaced = [fresh.refreshToken.token, fresh.accessToken.token, KEY] as string[];
  for (const token of misplaced) {
    for (const path of [`/${token}`, `/v1/sessions/${token}`, `/hello?token=${token}`, `/v1/sessions?after=${token}`])
      await core.send("GET", path, { headers: { "user-agent": token, "cdi-version": token, cookie: token } });
    await core.send("POST", "/v1/sessions", { body: { userId: token, [token]: token } });
    await core.send("POST", "/session", { headers: { ...headers, "api-key": `${token}-wrong` }, body: token });
  }
  // Failures are told with their cause.
  await core.engine.storage.close();
  await post("/v1/sessions/refresh", { refreshToken: second.refreshToken.token });
  await core.close();

  const lines = (await readFile(paths.infoLogPath, "utf8")) + (await readFile(paths.errorLogPath, "utf8"));
  expect(lines).toContain("v1 refreshSession");
  expect(lines).toContain('"problem":"api_key_invalid"');
  expect(lines).toContain("the storage does not answer");
  expect(lines.split("\n").length).toBeGreaterThan(30);
  const named = lines.split("\n").filter((line) => line.includes("canary-user"));
  const thefts = named.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(thefts).toEqual(["token theft detected", "token theft detected"]);
  expect(secrets.size).toBeGreaterThan(11);
  for (const secret of secrets) {
    expect(lines).not.toContain(secret);
    // No piece of one either: what follows the first dot identifies a token as well as the whole.
    for (const piece of secret.split(".")) if (piece.length > 40) expect(lines).not.toContain(piece.slice(0, 40));
  }
});

test.skipIf(process.platform === "win32")(
  "a master key file that everybody can read is a warning at the start",
  async () => {
    const folder = await testFolder();
    const [infoLogPath, masterKeyFile] = [`${folder}/info.log`, `${folder}/keys`];
    await writeFile(masterKeyFile, Buffer.alloc(32, 3).toString("base64"), { mode: 0o604 });
    await (await listen({ infoLogPath, logLevel: "warn", masterKeyFile })).close();
    const [line = ""] = (await readFile(infoLogPath, "utf8")).split("\n");
    expect(JSON.parse(line)).toMatchObject({
      level: 40,
      msg: expect.stringContaining(`${masterKeyFile} (mode 0604)`) as string,
    });
  },
);

test("should a token or key be part of a message, it is masked", async () => {
  const folder = await testFolder();
  const paths = { infoLogPath: `${folder}/info.log`, errorLogPath: `${folder}/error.log` };
  const { logger, close } = createCoreLog({ ...paths, logLevel: "info", apiKeys: [KEY], verifierApiKeys: [] });
  const token = `pawl_rt_1.${"Ab_-9".repeat(28)}`;
  logger.error({ err: new Error(`cannot open ${token}`) }, `with ${KEY}`);
  logger.info({ nested: { list: [token] } }, "told");
  close();
  const lines = (await readFile(paths.infoLogPath, "utf8")) + (await readFile(paths.errorLogPath, "utf8"));
  expect(lines).not.toContain("Ab_-9");
  expect(lines).not.toContain(KEY);
  expect(lines.match(/pawl_rt_1\.\*\*\*/g)?.length).toBeGreaterThanOrEqual(2);
});

test.each([
  ["x pawl_rt_1.AAAABBBBCCCC-_ y", "x pawl_rt_1.*** y"],
  ["eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln", "eyJ***"],
  ["eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9=.e+/==.c2ln==,next", "eyJ***,next"],
  ['{"token":"eyJhbGciOiJFUzI1NiJ9.x.y"}', '{"token":"eyJ***"}'],
  ["nothing to hide: eyJ and pawl_rt_1.", "nothing to hide: eyJ and pawl_rt_1."],
  ["the secret s3cret-key here", "the secret *** here"],
])("masks %j", (line, masked) => {
  expect(createMask(["s3cret-key"])(line)).toBe(masked);
});

test("errors go to one file, the rest to the other, none below the level, directories are made", async () => {
  const folder = await testFolder();
  const paths = { infoLogPath: `${folder}/a/b/info.log`, errorLogPath: `${folder}/c/error.log` };
  const { logger, close } = createCoreLog({ ...paths, logLevel: "info", apiKeys: [], verifierApiKeys: [] });
  logger.debug("one");
  logger.info("two");
  logger.warn("three");
  logger.error("four");
  close();
  const messages = async (path: string) =>
    (await readFile(path, "utf8"))
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(await messages(paths.infoLogPath)).toEqual(["two", "three"]);
  expect(await messages(paths.errorLogPath)).toEqual(["four"]);
});

test("at level none nothing is logged", async () => {
  const folder = await testFolder();
  const paths = { infoLogPath: `${folder}/info.log`, errorLogPath: `${folder}/error.log` };
  const { logger, close } = createCoreLog({ ...paths, logLevel: "none", apiKeys: [], verifierApiKeys: [] });
  logger.info("one");
  logger.fatal("two");
  close();
  for (const path of Object.values(paths)) expect(await readFile(path, "utf8")).toBe("");
});

test("the standard streams are neither reopened nor closed: they are not the log's own", () => {
  const log = createCoreLog({ logLevel: "none", apiKeys: [], verifierApiKeys: [] });
  for (const each of [log.reopen, log.close, log.reopen, log.close]) expect(each).not.toThrow();
});

test("a log that cannot be written stops the start", async () => {
  const folder = await testFolder();
  await expect(listen({ infoLogPath: folder })).rejects.toMatchObject({ code: "EISDIR" });
});

test.skipIf(process.platform !== "linux")(
  "a log on a full disk ends nothing, and takes nothing else with it",
  async () => {
    const errorLogPath = `${await testFolder()}/error.log`;
    const { logger, close } = createCoreLog({
      infoLogPath: "/dev/full",
      errorLogPath,
      logLevel: "info",
      apiKeys: [],
      verifierApiKeys: [],
    });
    for (let line = 0; line < 3; line++) logger.info("lost");
    logger.error("kept");
    close();
    expect(await readFile(errorLogPath, "utf8")).toContain("kept");
  },
);
