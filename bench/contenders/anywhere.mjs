import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchChromium } from "@pawl/test-servers/chromium";
import { freePort } from "@pawl/test-servers";
import { build } from "esbuild";
import { claimsOf, createSigner } from "./access-tokens.mjs";
import { cpuOfDescendants } from "../anywhere/descendants.mjs";
import { bun, deno, workerd } from "../../e2e/runtimes/runtimes.mjs";

/** Tokens of a batch: fewer than the verifier remembers. */
const TOKENS = 500;
/** Each of its passes is a request, which should not be what is measured. */
const BATCHES = 4;

/** The tokens and the code that verifies them, as one module that exports `work`. */
const bundle = async (/** @type {"first" | "seen" | "jose"} */ way) => {
  const signer = createSigner("ES256");
  const tokens = Array.from({ length: TOKENS }, (_, user) => signer.sign(claimsOf(user)));
  const contents = `
    import { ways } from "./batch.mjs";
    const verify = ways.${way}(${JSON.stringify({ tokens, keys: { keys: [signer.jwk] } })});
    export const work = async () => { for (let batch = 0; batch < ${BATCHES}; batch++) await verify(); };
  `;
  const resolveDir = new URL("../anywhere", import.meta.url).pathname;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return /** @type {{ text: string }} */ (outputFiles[0]).text;
};

/** For Node.js, Deno and Bun alike. */
const SERVER = `
import { createServer } from "node:http";
import { work } from "./bundle.mjs";
createServer(async (request, response) => {
  if (request.url === "/work") await work();
  response.end();
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

const WORKER = `
import { work } from "bundle.mjs";
export default {
  async fetch({ url }) {
    if (url.endsWith("/work")) await work();
    return new Response();
  },
};
`;

const workerdConfig = (/** @type {number} */ port) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "main.mjs", esModule = embed "main.mjs"), (name = "bundle.mjs", esModule = embed "bundle.mjs")],
  compatibilityDate = "2026-11-01",
);
`;

/** @type {Record<string, readonly [string, ...string[]]>} */
const commands = {
  node: [process.execPath, "main.mjs"],
  deno: [deno, "run", "--allow-all", "main.mjs"],
  bun: [bun, "main.mjs"],
  workerd: [workerd, "serve", "config.capnp"],
};

const openServer = async (/** @type {string} */ runtime, /** @type {string} */ code) => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-anywhere-"));
  const port = await freePort();
  writeFileSync(join(folder, "bundle.mjs"), code);
  writeFileSync(join(folder, "main.mjs"), runtime === "workerd" ? WORKER : SERVER);
  writeFileSync(join(folder, "config.capnp"), workerdConfig(port));
  const [program, ...flags] = /** @type {readonly [string, ...string[]]} */ (commands[runtime]);
  const env = { ...process.env, PORT: String(port) };
  const child = spawn(program, flags, { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
  const origin = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${origin}/ready`).catch(() => undefined))?.ok)
    if (child.exitCode !== null) throw new Error(`${program} has ended with ${child.exitCode}`);
  return {
    work: async () => {
      const { ok } = await fetch(`${origin}/work`);
      if (!ok) throw new Error(`${runtime} does not verify`);
    },
    close: () => {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    },
  };
};

const openPage = async (/** @type {string} */ code) => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  // WebCrypto is there for pages of secure origins alone, as localhost is.
  await page.route("http://localhost/**", (route) =>
    route.request().url().endsWith(".js")
      ? route.fulfill({ contentType: "text/javascript", body: code })
      : route.fulfill({ contentType: "text/html", body: "<!doctype html>" }),
  );
  await page.goto("http://localhost/");
  return {
    work: () => page.evaluate(`import("/bundle.js").then(({ work }) => work())`),
    close: () => browser.close(),
  };
};

/**
 * Verifies in another runtime; the CPU is that of all its processes.
 * @param {{ runtime: string, way: "first" | "seen" | "jose" }} settings
 */
export const verifyIn = async ({ runtime, way }) => {
  const code = await bundle(way);
  const { work, close } = runtime === "chromium" ? await openPage(code) : await openServer(runtime, code);
  return {
    slice: async (/** @type {number} */ millis) => {
      const [from, cpuBefore] = [performance.now(), cpuOfDescendants()];
      let operations = 0;
      while (performance.now() - from < millis) {
        await work();
        operations += TOKENS * BATCHES;
      }
      const micros = (performance.now() - from) * 1000;
      return { operations, micros, cpuMicros: cpuOfDescendants() - cpuBefore, memoryBytes: 0 };
    },
    close,
  };
};
