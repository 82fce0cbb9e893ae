import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compulsory } from "../../config/config-folder.js";
import { pawlProcesses } from "../pawl-process.js";

const { folder, run, startCore, spawnPawl } = pawlProcesses();

const inFolder = (name: string, files: Readonly<Record<string, string>> = {}): string => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
};

/** A connection that has sent a request but for its last byte: it is in flight. */
const requestInFlight = async (url: string): Promise<{ readonly socket: Socket; readonly answer: Promise<string> }> => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  const answer = new Promise<string>((resolve) =>
    socket.on("data", (data) => (text += String(data))).on("close", () => resolve(text)),
  );
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(
    'POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\nExpect: 100-continue\r\n\r\n{"userId":"u1"',
  );
  // The server has read the head once it says 100 Continue.
  await new Promise<void>((resolve) =>
    socket.on("data", () => (text.includes("100 Continue") ? resolve() : undefined)),
  );
  return { socket, answer };
};

const isDone = async (url: string): Promise<boolean> => {
  try {
    await fetch(`${url}/healthz`);
    return false;
  } catch {
    return true;
  }
};

test("SIGHUP opens the log anew: what was moved away grows no more", async () => {
  const cwd = inFolder("moved-log", {
    "config.yaml": `${compulsory}storage: "memory:"\nport: 0\nmaster_key_file: ./keys\ninfo_log_path: ./info.log\nlog_level: debug\n`,
  });
  writeFileSync(join(cwd, "keys"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
  const core = await startCore([], { cwd });
  await fetch(`${core.url}/hello`);
  renameSync(join(cwd, "info.log"), join(cwd, "info.log.1"));

  process.kill(Number(/process (\d+)/.exec(core.output.stdout)?.[1]), "SIGHUP");
  await expect
    .poll(async () => {
      await fetch(`${core.url}/hello`);
      return existsSync(join(cwd, "info.log")) && readFileSync(join(cwd, "info.log"), "utf8").includes("answered");
    })
    .toBe(true);
  const { length } = readFileSync(join(cwd, "info.log.1"));
  await fetch(`${core.url}/hello`);
  expect(readFileSync(join(cwd, "info.log.1"))).toHaveLength(length);
  await core.stop();
});

test("without a config file it says so, makes a database here, serves, and stops with 0", async () => {
  const cwd = inFolder("plain");
  const core = await startCore([], { cwd });
  expect(core.output.stdout).toMatch(/^No config\.yaml here: development defaults, for this machine only/);
  expect(core.output.stdout).toMatch(
    /^Pawl \d+\.\d+\.\d+ listens on http:\/\/localhost:\d+ \(DEV, sqlite:\S+pawl\.db, process \d+\)$/m,
  );
  expect((await fetch(`${core.url}/healthz`)).status).toBe(200);
  expect((await fetch(`${core.url}/readyz`)).status).toBe(200);
  expect(existsSync(join(cwd, "pawl.db"))).toBe(true);
  expect(existsSync(join(cwd, "pawl.db.key"))).toBe(true);
  const { code, stdout, stderr } = await core.stop();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("SIGTERM: finishing the requests in flight");
});

test("a config file is obeyed, --json tells the same to programs, SIGINT stops too", async () => {
  const cwd = inFolder("configured", {
    "config.yaml": `${compulsory}mode: DEV\nhost: 127.0.0.1\nport: 3567\nstorage: "memory:"\nlog_level: none\n`,
  });
  const core = spawnPawl(["start", "--port", "0", "--json"], { cwd });
  const [line] = await core.said(/^.*\n/);
  const said = JSON.parse(line) as { url: string; port: number };
  expect(said).toEqual({
    url: `http://127.0.0.1:${said.port}`,
    host: "127.0.0.1",
    port: expect.any(Number) as number,
    pid: core.child.pid,
    mode: "DEV",
    storage: "memory:",
    config: join(cwd, "config.yaml"),
  });
  expect((await fetch(`${said.url}/healthz`)).status).toBe(200);
  core.child.kill("SIGINT");
  expect(await core.ended).toEqual({ code: 0, stdout: line, stderr: "" });
});

test("it finishes a request in flight before it stops, and takes no new ones", async () => {
  const core = await startCore([], { env: { PAWL_STORAGE: "memory:" } });
  const { socket, answer } = await requestInFlight(core.url);
  core.child.kill("SIGTERM");
  await core.said(/SIGTERM: finishing/);
  socket.write("}");
  expect(await answer).toMatch(/HTTP\/1\.1 201 /);
  expect((await core.ended).code).toBe(0);
  expect(await isDone(core.url)).toBe(true);
});

test("when nobody reads what it says any more it serves on, and still stops in order", async () => {
  const core = await startCore([], { env: { PAWL_STORAGE: "memory:" } });
  core.child.stdout?.destroy();
  // Each refusal is a line in the log, on the standard output.
  for (let line = 0; line < 3; line++)
    expect((await fetch(`${core.url}/hello`, { headers: { origin: "http://a.example" } })).status).toBe(403);
  const { socket, answer } = await requestInFlight(core.url);
  core.child.kill("SIGTERM");
  while ((await fetch(`${core.url}/hello`)).status !== 503) await new Promise((resolve) => setImmediate(resolve));
  socket.write("}");
  expect(await answer).toMatch(/HTTP\/1\.1 201 /);
  expect((await core.ended).code).toBe(0);
});

test("a second signal stops at once, a doubled one does not", async () => {
  const core = await startCore([], { env: { PAWL_STORAGE: "memory:" } });
  const { socket } = await requestInFlight(core.url);
  core.child.kill("SIGINT");
  core.child.kill("SIGINT");
  await core.said(/SIGINT: finishing/);
  const from = performance.now();
  const again = setInterval(() => core.child.kill("SIGINT"), 100);
  const { code } = await core.ended;
  clearInterval(again);
  socket.destroy();
  expect(code).toBe(1);
  expect(performance.now() - from).toBeGreaterThan(200);
});

test("a port that is taken, a host that is not here: one line, exit code 1, no stack", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { port: number };
  const env = { PAWL_STORAGE: "memory:", PAWL_LOG_LEVEL: "none" };
  expect(await run(["start", "--port", String(port)], { env })).toMatchObject({
    code: 1,
    stderr: `pawl: localhost:${port} is already in use: stop what listens there, or choose another one with --port\n`,
  });
  taken.close();
  const elsewhere = { ...env, PAWL_HOST: "192.0.2.1", PAWL_IP_ALLOW: "127.0.0.1" };
  const { code, stderr } = await run(["start", "--port", "0"], { env: elsewhere });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "pawl: 192.0.2.1:0 is not an address of this machine: choose another one with --host\n",
  });
});

test("wrong configuration: one line, exit code 2, nothing made", async () => {
  const cwd = inFolder("wrong", { "config.yaml": `${compulsory}prot: 1\n` });
  expect(await run(["start"], { cwd })).toEqual({
    code: 2,
    stdout: "",
    stderr: `pawl: 'prot' is not a key of config.yaml: did you mean 'port'? Config file: ${join(cwd, "config.yaml")}\n`,
  });
  expect(await run(["start", "--host", "0.0.0.0"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^pawl: 'host' must be a loopback address/) as string,
  });
  expect(await run(["start", "--config", "none.yaml"], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^pawl: there is no config file /) as string,
  });
  expect(existsSync(join(cwd, "pawl.db"))).toBe(false);
});

test("storage that cannot be opened: one line and 1; the stack comes with --verbose or log_level debug", async () => {
  const env = { PAWL_STORAGE: "postgres://user:CANARY@127.0.0.1:1/db", PAWL_LOG_LEVEL: "none" };
  const plain = await run(["start", "--port", "0"], { env });
  expect(plain.code).toBe(1);
  expect(plain.stderr).toMatch(/^pawl: .+\n$/);
  const verbose = await run(["start", "--port", "0", "--verbose"], { env });
  expect(verbose.stderr).toMatch(/\n {4}at /);
  const debug = await run(["start", "--port", "0"], { env: { ...env, PAWL_LOG_LEVEL: "debug" } });
  expect(debug.stderr).toMatch(/\n {4}at /);
  for (const { stdout, stderr } of [plain, verbose, debug]) expect(stdout + stderr).not.toContain("CANARY");
});
