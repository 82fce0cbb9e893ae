import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { findProgram, freePort, startPostgres, whyMissing } from "@pawl/test-servers";
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import { configNames, environmentName } from "../src/config/config-keys.js";
import { defaultLimits } from "../src/server/limits.js";

const root = new URL("../../../", import.meta.url).pathname;
const read = (name: string): string => readFileSync(join(root, "deploy", name), "utf8");
const variables: ReadonlySet<string> = new Set(configNames.map(environmentName));
const seconds = (text: string): number => Number(/^(\d+)s?$/.exec(text)?.[1]);

const folder = mkdtempSync(join(tmpdir(), "pawl-deploy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }), 300_000);
const isRoot = process.getuid?.() === 0;
/** The command as a user without rights, where this is not one already. */
const unprivileged = (...command: readonly string[]): readonly string[] =>
  isRoot ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", ...command] : command;

interface Instruction {
  readonly name: string;
  readonly text: string;
}

interface Stage {
  readonly image: string;
  readonly as: string;
  readonly instructions: readonly Instruction[];
}

/** The instructions of a Dockerfile, by stage. */
const stages: readonly Stage[] = read("Dockerfile")
  .replaceAll(/^\s*#.*\n/gm, "")
  .replaceAll("\\\n", "")
  .split(/^(?=FROM )/m)
  .filter((part) => part.startsWith("FROM "))
  .map((part) => {
    const [from = "", ...lines] = part.trim().split(/\n+/);
    const [, image = "", as = "final"] = /^FROM (\S+)(?: AS (\S+))?$/.exec(from) ?? [];
    const instructions = lines.map((line) => ({
      name: line.split(" ", 1)[0] ?? "",
      text: line.slice(line.indexOf(" ") + 1),
    }));
    return { image, as, instructions };
  });
const final = stages.at(-1) as Stage;
const lastOf = (name: string): string => final.instructions.findLast((it) => it.name === name)?.text ?? "";
const listOf = (text: string): string[] => JSON.parse(text) as string[];
const environment = Object.fromEntries(
  final.instructions
    .filter(({ name }) => name === "ENV")
    .flatMap(({ text }) => text.split(" ").map((pair) => pair.split("="))),
) as Readonly<Record<string, string>>;

test("the image runs as a user without rights, from images of one version, and runs no scripts of dependencies", () => {
  expect(lastOf("USER")).toBe("node");
  expect(final.instructions.findIndex(({ name }) => name === "USER")).toBeLessThan(
    final.instructions.findIndex(({ name }) => name === "ENTRYPOINT"),
  );
  for (const { image, instructions } of stages) {
    expect(image).toBe("node:24-bookworm-slim");
    for (const { name, text } of instructions) {
      expect(["WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"]).toContain(name);
      if (/npm (?:ci|install)/.test(text)) expect(text).toMatch(/npm ci .*--ignore-scripts/);
    }
  }
  for (const name of Object.keys(environment).filter((it) => it.startsWith("PAWL_"))) expect(variables).toContain(name);
});

/** The files that are sent to the build, as the list of what is ignored says. */
const contextFiles = (): readonly string[] => {
  const lines = read("Dockerfile.dockerignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(lines[0]).toBe("*");
  const allowed = lines.filter((line) => line.startsWith("!")).map((line) => `:(glob)${line.slice(1)}`);
  const ls = (...paths: string[]): string[] =>
    spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...paths], {
      cwd: root,
      encoding: "utf8",
    })
      .stdout.trim()
      .split("\n");
  return ls(...allowed, ...allowed.map((path) => `${path}/**`)).filter((file) => existsSync(join(root, file)));
};

/** Follows one instruction of a stage in a folder that stands for its file system. */
const follow = (stage: { readonly files: string; workdir: string }, { name, text }: Instruction): void => {
  const placeOf = (path: string, base = stage): string =>
    path.startsWith("/") ? join(base.files, path) : join(base.files, base.workdir, path);
  if (name === "WORKDIR") {
    stage.workdir = text;
    mkdirSync(placeOf(text), { recursive: true });
  } else if (name === "COPY") {
    const [, from, paths = ""] = /^(?:--from=(\S+) )?(.*)$/.exec(text) ?? [];
    const [target = "", ...sources] = paths.split(" ").toReversed();
    if (from === undefined) for (const file of contextFiles()) cpSync(join(root, file), join(placeOf(target), file));
    else
      for (const source of sources) {
        const named = join(folder, from, source);
        // As Docker has it: of a folder its content.
        const isFolder = statSync(named).isDirectory();
        cpSync(named, isFolder ? placeOf(target) : join(placeOf(target), basename(named)), {
          recursive: true,
          verbatimSymlinks: true,
        });
      }
  } else if (name === "RUN") {
    if (isRoot) spawnSync("chown", ["-R", "65534:65534", stage.files]);
    const [command = "", ...args] = unprivileged("sh", "-ec", text);
    const { status, stderr } = spawnSync(command, args, {
      cwd: join(stage.files, stage.workdir),
      env: { PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`, HOME: stage.files },
      encoding: "utf8",
    });
    expect([text, status, status === 0 ? "" : stderr]).toEqual([text, 0, ""]);
  }
};

let built: string | undefined;
/** Builds all stages once; what is made belongs to root, as in an image. */
const build = (): string => {
  if (built !== undefined) return built;
  if (isRoot) spawnSync("chmod", ["755", folder]);
  for (const { as, instructions } of stages) {
    const stage = { files: join(folder, as), workdir: "/" };
    mkdirSync(stage.files);
    for (const instruction of instructions) follow(stage, instruction);
  }
  built = join(folder, "final", lastOf("WORKDIR"));
  if (isRoot) spawnSync("chown", ["-R", "0:0", built]);
  return built;
};

/** Runs a command to its end. */
const run = (command: readonly string[], env: Readonly<Record<string, string>>, cwd: string) =>
  spawnSync(command[0] ?? "", command.slice(1), {
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, ...env },
    cwd,
    encoding: "utf8",
  });

/** Starts a command; ends it with the test file at the latest. */
const start = (command: readonly string[], env: Readonly<Record<string, string>>, cwd: string) => {
  const child = spawn(command[0] ?? "", command.slice(1), {
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, ...env },
    cwd,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => (said.text += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, said, ended };
};

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
}
const compose = parse(read("compose.yaml")) as { readonly services: Readonly<Record<"postgres" | "pawl", Service>> };
const service = compose.services.pawl;
const given = {
  POSTGRES_PASSWORD: "a-password",
  PAWL_MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
  PAWL_API_KEYS: "0123456789-0123456789-0123",
};

test(
  "the image's own commands, run in a clean folder by a user without rights, make a core that starts as process 1 with PostgreSQL, is healthy, and stops at SIGTERM",
  { timeout: 900_000 },
  async () => {
    const app = build();
    const postgres = await startPostgres();
    onTestFinished(() => postgres.stop());
    const [port, metricsPort] = [await freePort(), await freePort()];
    const fromCompose = Object.fromEntries(
      Object.entries(service.environment).map(([name, value]) => [
        name,
        value.replaceAll(/\$\{(\w+):\?\}/g, (_, variable: string) => given[variable as keyof typeof given]),
      ]),
    );
    expect(fromCompose["PAWL_STORAGE"]).toBe("postgres://pawl:a-password@postgres/pawl");
    const env = {
      ...environment,
      ...fromCompose,
      PAWL_STORAGE: postgres.url,
      PAWL_DASHBOARD: "true",
      PAWL_PORT: String(port),
      PAWL_METRICS_PORT: String(metricsPort),
    };
    const command = [...listOf(lastOf("ENTRYPOINT")), ...listOf(lastOf("CMD"))];
    const asFirst = isRoot ? ["unshare", "--pid", "--fork", "--kill-child", ...unprivileged(...command)] : command;
    const { child, said, ended } = start(asFirst, env, app);
    await vi.waitFor(() => expect(said.text).toMatch(/listens on/), { timeout: 60_000, interval: 50 });
    if (isRoot) expect(said.text).toMatch(/PRODUCTION, postgres:.*process 1\)/);

    const check = listOf(lastOf("HEALTHCHECK").replace(/^.*? CMD /, "")).map((part) =>
      part.replace(":3567/", `:${port}/`),
    );
    expect(check.join(" ")).toContain(`:${port}/`);
    expect(run(check, {}, app).status).toBe(0);
    const headers = { "api-key": given.PAWL_API_KEYS, "content-type": "application/json" };
    const login = await fetch(`http://127.0.0.1:${port}/v1/sessions`, {
      method: "POST",
      headers,
      body: '{"userId":"alice"}',
    });
    expect(login.status).toBe(201);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    expect(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()).toContain("pawl_logins_total 1\n");

    const first = isRoot
      ? Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim())
      : child.pid;
    process.kill(first as number, "SIGTERM");
    expect(await ended).toBe(0);
    expect(said.text).toContain("SIGTERM: finishing the requests in flight");
    expect(run(check, {}, app).status).toBe(1);
  },
);

test("the compose file gives the core what it needs, to this machine alone", () => {
  for (const name of Object.keys(service.environment)) expect(variables).toContain(name);
  expect(service.ports).toEqual(["127.0.0.1:3567:3567"]);
  expect(existsSync(join(root, "deploy", service.build?.context ?? "", service.build?.dockerfile ?? ""))).toBe(true);
  expect(seconds(service.stop_grace_period ?? "") * 1000).toBeGreaterThan(defaultLimits.grace);
});

const noCompose = whyMissing("docker-compose");
if (noCompose !== undefined) process.stderr.write(`The compose file is not read by docker-compose: ${noCompose}\n`);

test.skipIf(noCompose !== undefined)(
  "docker-compose takes the file, and not without its secrets",
  { timeout: 300_000 },
  () => {
    const config = (env: Readonly<Record<string, string>>) =>
      run(
        [findProgram("docker-compose"), "-f", join(root, "deploy/compose.yaml"), "config"],
        { ...env, HOME: folder },
        folder,
      );
    expect(config(given)).toMatchObject({ status: 0 });
    for (const name of Object.keys(given)) expect(config({ ...given, [name]: "" }).stderr).toContain(name);
  },
);

/** The settings of the unit: the last of each name. */
const unit = new Map(
  [...read("pawl.service").matchAll(/^(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
);

test(
  "the unit's command starts a core, its reload opens the logs anew, and its time to stop is enough",
  { timeout: 900_000 },
  async () => {
    const app = build();
    const home = join(folder, "unit");
    mkdirSync(home);
    const log = join(home, "info.log");
    writeFileSync(join(home, "config.yaml"), `storage: "memory:"\nport: 0\ninfo_log_path: ${log}\nlog_level: debug\n`);
    writeFileSync(join(home, "master.key"), `${given.PAWL_MASTER_KEY}\n`, { mode: 0o600 });
    if (isRoot) spawnSync("chown", ["-R", "65534:65534", home]);
    const filled = (text: string): string =>
      text
        .replaceAll("${CREDENTIALS_DIRECTORY}", home)
        .replaceAll("%d", home)
        .replaceAll("/opt/pawl", app)
        .replaceAll("/usr/bin/node", process.execPath);
    const env = Object.fromEntries(
      filled(unit.get("Environment") ?? "")
        .split(" ")
        .map((pair) => pair.split("=")),
    ) as Record<string, string>;
    for (const name of Object.keys(env).filter((it) => it.startsWith("PAWL_"))) expect(variables).toContain(name);
    const { child, said, ended } = start(unprivileged(...filled(unit.get("ExecStart") ?? "").split(" ")), env, home);
    await vi.waitFor(() => expect(said.text).toMatch(/listens on/), { timeout: 60_000, interval: 50 });
    const [, url = ""] = /listens on (http:\S+)/.exec(said.text) ?? [];

    renameSync(log, `${log}.1`);
    const reload = (unit.get("ExecReload") ?? "").replace("$MAINPID", String(child.pid)).split(" ");
    expect(run(reload, {}, home).status).toBe(0);
    await vi.waitFor(async () => {
      await fetch(`${url}/hello`);
      expect(readFileSync(log, "utf8")).toContain("answered");
    });
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(seconds(unit.get("TimeoutStopSec") ?? "") * 1000).toBeGreaterThan(defaultLimits.grace);
  },
);

const noSystemd = whyMissing("systemd-analyze");
if (noSystemd !== undefined) process.stderr.write(`The unit is not verified: ${noSystemd}\n`);

test.skipIf(noSystemd !== undefined)(
  "systemd-analyze finds no fault with the unit, and little exposure",
  { timeout: 300_000 },
  () => {
    const file = join(folder, "pawl.service");
    writeFileSync(file, read("pawl.service").replaceAll("/usr/bin/node", process.execPath));
    const analyze = (...args: readonly string[]) =>
      run([findProgram("systemd-analyze"), ...args], { HOME: folder }, folder);
    expect(analyze("verify", file)).toMatchObject({ status: 0, stderr: "" });
    // In tenths: 2.0 of 10.
    expect(analyze("security", "--offline=yes", "--threshold=20", file).status).toBe(0);
  },
);
