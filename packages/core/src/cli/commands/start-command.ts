import type { Command } from "commander";
import type { CoreConfig } from "../../config/core-config.js";
import { isLoopbackHost } from "../../config/network-address.js";
import { readConfig } from "../../config/read-config.js";
import { showStorageAddress } from "../../config/storage-address.js";
import { type CommandOptions, localCommand } from "../command-options.js";
import { CommandError, stackOf } from "../command-error.js";
import { print, type Terminal } from "../terminal.js";
import { version } from "../../version.js";

interface StartOptions extends CommandOptions {
  readonly port?: string;
  readonly host?: string;
}

/** npm forwards a Ctrl-C that its child has already received: a signal this soon after the first is the same one. */
const SAME_SIGNAL_MS = 300;

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "is already in use: stop what listens there, or choose another one with --port",
  EACCES: "may not be listened on by this user: choose a port above 1023 with --port",
  EADDRNOTAVAIL: "is not an address of this machine: choose another one with --host",
  ENOTFOUND: "is not the name of an address: choose another one with --host",
};

const explained = (error: unknown, { host, port }: CoreConfig): unknown => {
  const { code = "", syscall, port: failed = port } = error as NodeJS.ErrnoException & { readonly port?: number };
  const reason = reasons[code];
  return reason === undefined || syscall === undefined
    ? error
    : new CommandError(`${host}:${failed} ${reason}`, { cause: error });
};

/** Resolves at the first SIGINT or SIGTERM; a further one ends the process at once. */
const stopSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      const at = performance.now();
      if (first === undefined) {
        first = at;
        resolve(signal);
      } else if (at - first > SAME_SIGNAL_MS) process.exit(1);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });

const start = async (options: StartOptions, terminal: Terminal): Promise<void> => {
  const { config: file, port, host } = options;
  const { env, cwd } = terminal;
  const config = readConfig({ env, cwd, file, options: { port, host } });
  if (options.json !== true && config.path === undefined)
    print(
      terminal,
      `No config.yaml here: development defaults${isLoopbackHost(config.host) ? ", for this machine only" : ""} (pawl config init writes one)`,
    );
  // From here on, so that a signal during the start stops the core in an orderly way right after it.
  const stopped = stopSignal();
  const { startCore } = await import("../../server/start-core.js");
  const core = await startCore(config).catch((error: unknown) => {
    if (config.logLevel === "debug") terminal.stderr.write(`${stackOf(error)}\n`);
    throw explained(error, config);
  });
  const { address } = core;
  const shownHost = address.host.includes(":") ? `[${address.host}]` : address.host;
  const url = `http://${shownHost}:${address.port}`;
  const storage = showStorageAddress(config.storage);
  if (options.json === true)
    print(
      terminal,
      JSON.stringify({ url, ...address, pid: process.pid, mode: config.mode, storage, config: config.path ?? null }),
    );
  else print(terminal, `Pawl ${version} listens on ${url} (${config.mode}, ${storage}, process ${process.pid})`);
  process.on("SIGHUP", () => void core.reopen());
  const signal = await stopped;
  if (options.json !== true) print(terminal, `${signal}: finishing the requests in flight; a second one stops at once`);
  await core.close();
  // A forgotten handle must not keep a stopped service alive.
  process.exit(0);
};

/** `pawl start` */
export const addStartCommand = (program: Command, terminal: Terminal): void => {
  localCommand(
    program
      .command("start")
      .description("Start the core and serve until SIGINT or SIGTERM")
      .option("-p, --port <port>", "port to listen on; 0 takes a free one")
      .option("--host <host>", "host name or address to listen on")
      .action((options: StartOptions) => start(options, terminal)),
    ["pawl start", "./config.yaml, or development defaults"],
    ["pawl start --config /etc/pawl/config.yaml", "another file"],
    ["PAWL_STORAGE=memory: pawl start --port 0", "forgets everything, on a free port"],
  );
};
