import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@pawl/test-servers";
import { launchChromium } from "@pawl/test-servers/chromium";
import { build } from "esbuild";
import type { Runtime } from "./conformance/case.js";
import type { Report } from "./conformance/conform.js";

/** A program and its flags. */
export type Command = readonly [string, ...(readonly string[])];

/** A runtime in one of its versions. */
export interface NamedRuntime {
  readonly title: string;
  readonly runtime: Runtime;
  /** Absent for what runs in a browser. */
  readonly command?: Command;
}

/** A module as a bundler makes it, the same one for every runtime. */
export const bundleOf = async (path: string): Promise<string> => {
  const entry = new URL(path, import.meta.url).pathname;
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
};

const withFolder = async <Result>(use: (folder: string) => Promise<Result>): Promise<Result> => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-verify-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** Runs a program to its end. @returns what it printed. */
const output = ([program, ...flags]: Command, ...given: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, [...flags, ...given], { stdio: ["ignore", "pipe", "pipe"] });
    let [printed, complaints] = ["", ""];
    child.stdout.on("data", (text) => (printed += String(text)));
    child.stderr.on("data", (text) => (complaints += String(text)));
    child.on("error", reject);
    child.on("close", (status) =>
      status === 0 ? resolve(printed) : reject(new Error(`${program} ended with ${status}: ${complaints}${printed}`)),
    );
  });

const workerdConfig = (port: number, modules: Files, env: Files): string => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${Object.keys(modules)
    .map((name) => `(name = "${name}", esModule = embed "${name}")`)
    .join(", ")}],
  bindings = [${Object.entries(env)
    .map(([name, value]) => `(name = "${name}", text = "${value}")`)
    .join(", ")}],
  compatibilityDate = "2026-11-01",
);
`;

type Files = Readonly<Record<string, string>>;

/**
 * Starts a Worker in workerd, and waits until it answers.
 * @param files.worker the Worker. @param files.bundle what it imports as `./bundle.js`. @param files.env what it is given.
 */
export const startWorker = async (
  [program, ...flags]: Command,
  { worker, bundle, env = {} }: { readonly worker: string; readonly bundle?: string; readonly env?: Files },
): Promise<{ readonly origin: string; stop(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-workerd-"));
  const port = await freePort();
  const modules = { "worker.js": worker, ...(bundle !== undefined && { "bundle.js": bundle }) };
  for (const [name, text] of Object.entries(modules)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, "config.capnp"), workerdConfig(port, modules, env));
  const child = spawn(program, [...flags, join(folder, "config.capnp")], { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (text) => (complaints += String(text)));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  const origin = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`workerd has ended: ${complaints}`);
    const answer = await fetch(`${origin}/ready`).catch(() => undefined);
    if (answer !== undefined) return { origin, stop };
  }
};

/** Runs the conformance file in a runtime. @param origin where the world is, which serves the bundle too. */
export const reportOf = async (
  { runtime, command }: NamedRuntime,
  { origin, bundle }: { readonly origin: string; readonly bundle: string },
): Promise<Report> => {
  if (command === undefined) {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(`${origin}/page`);
      // As a text: what compiles this file would change an import.
      const script = `import("/bundle.js").then(({ conform }) => conform(${JSON.stringify(origin)}, "chromium"))`;
      return await page.evaluate<Report>(script);
    } finally {
      await browser.close();
    }
  }
  if (runtime === "workerd") {
    const worker = `
      import { conform } from "./bundle.js";
      export default { fetch: async ({ url }) => url.endsWith("/ready") ? new Response() : Response.json(await conform("${origin}", "workerd")) };
    `;
    const { origin: at, stop } = await startWorker(command, { worker, bundle });
    try {
      return (await (await fetch(at)).json()) as Report;
    } finally {
      await stop();
    }
  }
  return withFolder(async (folder) => {
    await writeFile(join(folder, "bundle.mjs"), bundle);
    await writeFile(
      join(folder, "main.mjs"),
      `import { conform } from "./bundle.mjs"; console.log(JSON.stringify(await conform("${origin}", "${runtime}")));`,
    );
    return JSON.parse(await output(command, join(folder, "main.mjs"))) as Report;
  });
};
