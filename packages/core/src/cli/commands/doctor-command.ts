import { existsSync } from "node:fs";
import { formatDuration } from "@pawl/engine";
import { masterKeyFileWarning, masterKeySource } from "@pawl/engine/host";
import type { RouteResponse } from "@pawl/protocol";
import type { Storage } from "@pawl/storage";
import type { Command } from "commander";
import type { CoreConfig } from "../../config/core-config.js";
import { isLoopbackHost } from "../../config/network-address.js";
import { readConfig } from "../../config/read-config.js";
import { version } from "../../version.js";
import { createApiClient } from "../api-client.js";
import { CommandError } from "../command-error.js";
import { type CallOptions, callingCommand } from "../command-options.js";
import { withStorage } from "../local-storage.js";
import { formatTable } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

/** One thing that was looked at. */
interface Finding {
  /** `danger`: sessions or users may come to harm; the command then exits with 1. */
  readonly state: "ok" | "advice" | "danger";
  readonly subject: string;
  readonly message: string;
}

const finding = (state: Finding["state"], subject: string, message: string): Finding => ({ state, subject, message });

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A node says every 20 s that it is there, and reads the feed at least as often. */
const LATE = 60 * SECOND;

/** Settings that endanger: each with what is meant, and whether it is so. */
const settings = (config: CoreConfig): readonly Finding[] => {
  const { policy, apiKeys, host, storage, webhooks, cookies, mode, revocationLog } = config;
  const inProduction = mode === "PRODUCTION";
  const rules: readonly (readonly [boolean, Finding["state"], string, string])[] = [
    [
      apiKeys.length === 0 && !isLoopbackHost(host),
      "danger",
      "api_keys",
      "no key is set, and others can reach the core",
    ],
    [apiKeys.length === 0, "advice", "api_keys", "no key is set: every process of this machine may call"],
    [
      storage.startsWith("memory:"),
      inProduction ? "danger" : "advice",
      "storage",
      "memory: forgets everything at the end",
    ],
    [policy.reuseWindow === 0, "danger", "refresh_token_reuse_window", "at 0 a lost answer looks like a theft"],
    [policy.theftAction === "report", "danger", "token_theft_action", "a stolen session is reported, and lives on"],
    [
      policy.accessTokenValidity > DAY,
      "danger",
      "access_token_validity",
      "a verifier without the feed accepts an ended session for more than a day",
    ],
    [inProduction && !cookies.secure, "danger", "cookie_secure", "cookies are sent over plain HTTP"],
    [
      policy.idleTimeout === undefined && policy.absoluteTimeout === undefined,
      "advice",
      "session_idle_timeout",
      "sessions that are refreshed live for ever, without it and without session_absolute_timeout",
    ],
    [
      revocationLog === undefined,
      "advice",
      "revocation_log",
      "after restoring a backup, sessions ended since are alive again",
    ],
    [webhooks.some(({ url }) => url.startsWith("http:")), "danger", "webhooks", "one is not encrypted"],
    [
      webhooks.some(({ allowPrivate }) => allowPrivate === true),
      "advice",
      "webhooks",
      "one may lead to a private address",
    ],
  ];
  const found = rules.filter(([isSo]) => isSo);
  const seen = new Set<string>();
  return found
    .filter(([, , subject]) => !seen.has(subject) && seen.add(subject))
    .map(([, state, subject, message]) => finding(state, subject, message));
};

/** Tokens look expired, or not valid yet, where clocks are apart. */
const stateOfClock = (apart: number): Finding["state"] =>
  Math.abs(apart) > 30 * SECOND ? "danger" : Math.abs(apart) > 2 * SECOND ? "advice" : "ok";

const timed = async <T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> => {
  const begun = performance.now();
  const value = await work();
  return { value, ms: Math.round(performance.now() - begun) };
};

const keys = async (storage: Storage, { policy }: CoreConfig): Promise<Finding> => {
  const all = await storage.getSigningKeys();
  const [newest] = all
    .filter(({ kind }) => kind === "dynamic")
    .toSorted((left, right) => right.createdAt - left.createdAt);
  if (newest === undefined)
    return finding(
      all.length === 0 ? "advice" : "ok",
      "signing keys",
      `${all.length}; no core has run here yet, or none with dynamic keys`,
    );
  const age = storage.now() - newest.createdAt;
  const isLate = age > policy.signingKeyUpdateInterval + DAY;
  const hours = Math.floor(age / HOUR);
  const told = `${all.length}, the newest made ${hours < 1 ? "less than 1h" : formatDuration(hours * HOUR)} ago`;
  return isLate
    ? finding("danger", "signing keys", `${told}: none was made when it was due`)
    : finding("ok", "signing keys", told);
};

const outbox = async (storage: Storage): Promise<Finding> => {
  const limit = 100;
  const dead = await storage.listOutbox({ dead: true }, { limit });
  const waiting = await storage.listOutbox({ dead: false }, { limit });
  const count = ({ items, next }: typeof dead): string => `${items.length}${next === undefined ? "" : " or more"}`;
  const told = `${count(waiting)} waiting, ${count(dead)} dead letters`;
  return finding(dead.items.length > 0 ? "advice" : "ok", "webhooks", told);
};

const storageFindings = async (storage: Storage, config: CoreConfig, shown: string): Promise<readonly Finding[]> => {
  const { ms } = await timed(() => storage.ping());
  const skew = Math.abs(storage.now() - Date.now());
  return [
    finding(ms > SECOND ? "advice" : "ok", "storage", `${shown} answers and can be written, in ${ms} ms`),
    finding(stateOfClock(skew), "clock", `${Math.round(skew)} ms between the storage and this machine`),
    await keys(storage, config),
    await outbox(storage),
  ];
};

const worst = (states: readonly Finding["state"][]): Finding["state"] =>
  (["danger", "advice"] as const).find((state) => states.includes(state)) ?? "ok";

/** What the cores of the store have said of themselves. */
const nodeFindings = ({ now, nodes }: RouteResponse<"listNodes">): readonly Finding[] =>
  nodes.map(({ host, version: running, seenAt, feedReadAt, clockAhead }) => {
    const lag = Math.max(0, seenAt - feedReadAt);
    const silence = now - seenAt;
    const state = worst([
      lag > LATE ? "danger" : "ok",
      silence > LATE || running !== version ? "advice" : "ok",
      stateOfClock(clockAhead),
    ]);
    const heard = silence > LATE ? `, and not heard of for ${Math.floor(silence / SECOND)} s` : "";
    const message = `${host}: version ${running}, ${lag} ms behind the feed, its clock ${clockAhead} ms ahead of the storage's`;
    return finding(state, "node", message + heard);
  });

/** The core that runs, if one does, and the nodes that it knows. */
const coreFindings = async (options: CallOptions, terminal: Terminal): Promise<readonly Finding[]> => {
  try {
    const client = createApiClient(options, terminal);
    const { value, ms } = await timed(() => client.call("openApi"));
    const { version: running } = (value as { readonly info: { readonly version: string } }).info;
    return [
      running === version
        ? finding("ok", "core", `version ${running}, answers in ${ms} ms`)
        : finding("advice", "core", `version ${running}, and this command is ${version}`),
      ...nodeFindings(await client.call("listNodes")),
    ];
  } catch (error) {
    return [finding("advice", "core", (error as Error).message)];
  }
};

const masterKeyFindings = async (config: CoreConfig): Promise<readonly Finding[]> => {
  try {
    const file = masterKeySource(config)?.file;
    if (file === undefined) return [];
    if (!existsSync(file)) return [finding("advice", "master key", `there is no ${file} yet`)];
    const warning = await masterKeyFileWarning(file);
    return [finding(warning === undefined ? "ok" : "danger", "master key", warning ?? file)];
  } catch (error) {
    return [finding("danger", "master key", (error as Error).message)];
  }
};

const examine = async (options: CallOptions, terminal: Terminal): Promise<void> => {
  const { env, cwd } = terminal;
  const config = readConfig({ env, cwd, file: options.config });
  const findings: Finding[] = [
    finding("ok", "versions", `pawl ${version}, Node.js ${process.versions.node}`),
    finding("ok", "configuration", config.path ?? "none: development defaults"),
    ...(await coreFindings(options, terminal)),
  ];
  try {
    await withStorage({ ...options, asItIs: true }, terminal, async ({ storage, shown }) => {
      findings.push(...(await storageFindings(storage, config, shown)));
    });
  } catch (error) {
    findings.push(finding("danger", "storage", (error as Error).message));
  }
  findings.push(...(await masterKeyFindings(config)));
  findings.push(...settings(config));
  const dangers = findings.filter(({ state }) => state === "danger").length;
  printResult(terminal, options, {
    json: { findings },
    text: formatTable(
      ["", "WHAT", "FOUND"],
      findings.map(({ state, subject, message }) => [state, subject, message]),
      { cut: false },
    ),
  });
  if (dangers > 0) throw new CommandError(`${dangers} of these ${dangers === 1 ? "endangers" : "endanger"} sessions`);
};

/** `pawl doctor` */
export const addDoctorCommand = (program: Command, terminal: Terminal): void => {
  callingCommand(
    program
      .command("doctor")
      .description(
        "Examine storage, clock, keys, nodes, versions and settings; changes nothing, and exits with 1 when something endangers",
      )
      .action((options: CallOptions) => examine(options, terminal)),
    ["pawl doctor", "one screen"],
    ["pawl doctor --config /etc/pawl/config.yaml --json", "for a monitor"],
  );
};
