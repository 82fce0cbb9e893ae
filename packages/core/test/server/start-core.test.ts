import { readdir, readFile, readlink, rename, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { millis } from "@pawl/storage";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { startCore } from "../../src/server/start-core.js";
import { listen, testConfig, testFolder } from "../listening-core.js";
import { beginRequest, statusesIn } from "./raw-exchange.js";

const KEYS = [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64"));

/** A log whose lines a test reads. */
const testLog = () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, logger: pino({ level: "debug", base: null }, { write }) };
};
const linesIn = async (path: string) => (await readFile(path, "utf8")).trim().split("\n").filter(Boolean);

test("says where it listens: localhost is 127.0.0.1, however it is written", async () => {
  const { logger, lines } = testLog();
  const core = await startCore(testConfig({ host: "LocalHost" }), { logger });
  onTestFinished(() => core.close());
  expect(core.address).toEqual({ host: "LocalHost", port: expect.any(Number) as number });
  expect(lines).toEqual([expect.objectContaining({ level: 30, ...core.address, msg: "listening" })]);
  const { status } = await fetch(`http://127.0.0.1:${core.address.port}/healthz`);
  expect(status).toBe(200);
});

test("listens on the address it is given", async () => {
  const core = await startCore(testConfig({ host: "127.0.0.2", logLevel: "none" }));
  onTestFinished(() => core.close());
  expect((await fetch(`http://127.0.0.2:${core.address.port}/healthz`)).status).toBe(200);
});

test("serves health, /v1 and CDI over the storage and the configuration", async () => {
  const core = await listen({ policy: { reuseWindow: millis(7_000) } });
  expect((await core.send("GET", "/readyz")).text).toBe("Ready\n");
  expect((await core.send("GET", "/v1/settings")).json).toMatchObject({ reuseWindow: 7_000 });
  expect((await core.send("GET", "/apiversion")).json.versions).toContain("5.4");
});

test("the paths of CDI 1.0 are served where they are enabled", async () => {
  const cdi1 = { withoutKey: false, keyKind: "static" } as const;
  for (const [enabled, status] of [
    [true, 200],
    [false, 404],
  ] as const) {
    const core = await listen({ cdi1: { ...cdi1, enabled } });
    expect((await core.send("POST", "/handshake", { body: {} })).status).toBe(status);
  }
});

test("a limit that is given as undefined is the default", async () => {
  const core = await listen({}, { limits: { body: undefined, head: undefined } });
  expect((await core.send("POST", "/v1/sessions", { body: { userId: "u" } })).status).toBe(201);
  expect((await core.send("POST", "/v1/sessions", { body: "x".repeat(1024 * 1024 + 1) })).status).toBe(413);
});

test("a limit that is given counts", async () => {
  const core = await listen({}, { limits: { body: 100 } });
  expect((await core.send("POST", "/v1/sessions", { body: { userId: "u" } })).status).toBe(201);
  expect((await core.send("POST", "/v1/sessions", { body: "x".repeat(101) })).status).toBe(413);
});

test("a given source of randomness is asked, also for the first keys", async () => {
  let asked = 0;
  const random = { bytes: (count: number) => Buffer.alloc(count, ++asked) };
  await listen({}, { random });
  expect(asked).toBeGreaterThan(0);
});

test("keys and logs are read and opened anew on request; a file that cannot be read is an error in the log", async () => {
  const folder = await testFolder();
  const masterKeyFile = `${folder}/master.key`;
  await writeFile(masterKeyFile, KEYS[0]!, { mode: 0o600 });
  const paths = { infoLogPath: `${folder}/info.log`, errorLogPath: `${folder}/error.log` };
  const core = await listen({ ...paths, masterKeyFile, logLevel: "info" });
  for (const path of Object.values(paths)) await rename(path, `${path}.1`);
  await core.reopen();
  for (const path of Object.values(paths)) expect(await linesIn(path)).toEqual([]);
  await writeFile(masterKeyFile, "no key");
  await core.reopen();
  const [line = ""] = await linesIn(paths.errorLogPath);
  const err = { message: expect.stringContaining("master key") as string };
  expect(JSON.parse(line)).toMatchObject({ level: 50, msg: "files cannot be reread", err });
  expect(await linesIn(`${paths.infoLogPath}.1`)).toHaveLength(1);
});

test.skipIf(process.platform !== "linux")("where it cannot listen no file is left open", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  const folder = await testFolder();
  const files = { infoLogPath: `${folder}/info.log`, errorLogPath: `${folder}/error.log` };
  const openFiles = async () => {
    const open = await Promise.all(
      (await readdir("/proc/self/fd")).map((file) => readlink(`/proc/self/fd/${file}`).catch(() => "")),
    );
    return open.filter((path) => path.startsWith(folder)).length;
  };
  await expect(startCore(testConfig({ ...files, port }))).rejects.toMatchObject({ code: "EADDRINUSE" });
  await expect.poll(openFiles).toBe(0);
  // It would see them.
  const core = await listen(files);
  expect(await openFiles()).toBe(2);
  await core.close();
  await expect.poll(openFiles).toBe(0);
});

test("closed twice is closed once, and its storage and log with it", async () => {
  const infoLogPath = `${await testFolder()}/info.log`;
  const core = await listen({ infoLogPath, logLevel: "debug" });
  const closing = core.close();
  expect(core.close()).toBe(closing);
  await closing;
  await expect(core.engine.storage.migrate()).rejects.toMatchObject({ code: "closed" });
});

test("closing finishes what is in flight on an open storage, and logs it; then nothing listens", async () => {
  const infoLogPath = `${await testFolder()}/info.log`;
  const core = await listen({ infoLogPath, logLevel: "debug" });
  const late = await beginRequest(core);
  const closing = core.close();
  expect(statusesIn(await late.finish())).toEqual([201]);
  await closing;
  const answered = { operation: "v1 createSession", status: 201, msg: "answered" };
  expect((await linesIn(infoLogPath)).map((line) => JSON.parse(line) as unknown)).toContainEqual(
    expect.objectContaining(answered),
  );
  await expect(fetch(`http://127.0.0.1:${core.port}/healthz`)).rejects.toMatchObject({
    cause: { code: "ECONNREFUSED" },
  });
});
