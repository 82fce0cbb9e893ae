import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { choosePort } from "../src/loopback.js";
import { type RunningDemo, runDemo } from "./running-demo.js";

const start = fileURLToPath(new URL("../dist/start.js", import.meta.url));
const run = (...args: readonly string[]) => spawnSync(process.execPath, [start, ...args], { encoding: "utf8" });

let demo: RunningDemo | undefined;
afterEach(async () => {
  await demo?.dispose();
  demo = undefined;
});

describe.each([
  { mode: "core", flags: [] },
  { mode: "embedded", flags: ["--embedded"] },
])("the demo's process, $mode", ({ mode, flags }) => {
  it("says where it is, serves the page, prints no token, and ends at Ctrl-C", async () => {
    demo = await runDemo(...flags);
    expect(demo.coreUrl === undefined).toBe(mode === "embedded");
    const page = await fetch(demo.url);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(await page.text()).toContain("<title>Pawl");
    for (const file of ["main.js", "style.css", "pictures.css", "pawl.svg"])
      expect((await fetch(`${demo.url}/${file}`)).status).toBe(200);

    const login = await fetch(`${demo.url}/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "Ada" }),
    });
    const values = login.headers.getSetCookie().map((line) => line.slice(line.indexOf("=") + 1, line.indexOf(";")));
    expect(values).toHaveLength(2);

    expect(await demo.interrupt()).toBe(0);
    for (const value of values) expect(demo.output()).not.toContain(value.slice(-24));
    expect(demo.output().trim().split("\n").at(-1)).toContain("Ending");
  });
});

it("keeps sessions over a restart, in the folder it was given", async () => {
  demo = await runDemo("--embedded");
  const login = await fetch(`${demo.url}/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "Ada" }),
  });
  const cookie = login.headers
    .getSetCookie()
    .map((line) => line.split(";", 1)[0])
    .join("; ");
  expect(await demo.interrupt()).toBe(0);
  const again = await runDemo("--embedded", "--data", demo.folder);
  try {
    expect((await fetch(`${again.url}/api/greeting`, { headers: { cookie } })).status).toBe(200);
  } finally {
    await again.dispose();
  }
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address !== undefined && !address.internal && address.family === "IPv4");

it.skipIf(outside === undefined)("cannot be reached from another machine", async () => {
  demo = await runDemo();
  for (const url of [demo.url, demo.coreUrl ?? ""]) {
    const socket = connect(Number(new URL(url).port), outside?.address);
    await expect(once(socket, "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  }
});

const loopbacks = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ internal, address }) => internal && ["127.0.0.1", "::1"].includes(address))
  .map(({ address }) => address);

it.each(loopbacks)("falls to a free port when the usual one is taken on %s", async (address) => {
  const taken = createServer().listen(0, address);
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const chosen = await choosePort(port);
  taken.close();
  expect(chosen.moved).toBe(true);
  expect(chosen.port).not.toBe(port);
});

it("ends with one line when a port that was asked for is taken", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-demo-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const { status, stderr, stdout } = run("--embedded", "--port", String(port), "--data", folder);
  taken.close();
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toBe(`Port ${port} is taken by another program: choose another one, or 0\n`);
});

it("explains itself, and refuses what it does not know", () => {
  expect(run("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("--embedded") });
  expect(run("--colour")).toMatchObject({ status: 2, stderr: "Unknown option '--colour'. See --help\n" });
});
