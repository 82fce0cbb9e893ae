import { parseArgs } from "node:util";

/** How the demo is to run. */
export interface DemoOptions {
  /** With a core as a service of its own, or with the engine in the application's process. */
  readonly mode: "core" | "embedded";
  /** Port of the application; absent: 3000 or, when that is taken, a free one. */
  readonly port?: number | undefined;
  /** Port of the core; absent: 3567 or, when that is taken, a free one. */
  readonly corePort?: number | undefined;
  /** Folder of the databases. */
  readonly data: string;
  /** Over https, with a certificate that it makes: sessions are bound to the browser's device. */
  readonly https: boolean;
  /** Life of an access token, whole seconds. */
  readonly accessLifetime: number;
  /** For how long a repeated refresh gets the same successor, whole seconds. */
  readonly reuseWindow: number;
}

export const help = `Watch a session turn: an Express application, a page, and a thief.

  npm start                     with a core on SQLite as a service of its own
  npm start -- --embedded       with the engine in the application's process
  npm start -- --https          sessions bound to the browser's device: a stolen cookie jar gets no new token

Options (and environment variables)
  --embedded                    no core
  --https                       makes a certificate, with openssl, and says how to start a browser that trusts it
  --port <n>                    application's port (DEMO_PORT); 3000, or a free one when that is taken
  --core-port <n>               core's port (DEMO_CORE_PORT); 3567, or a free one when that is taken
  --data <folder>               where the databases are kept (DEMO_DATA); ./.pawl-demo
  --access-lifetime <seconds>   life of an access token (DEMO_ACCESS_LIFETIME); 15, with --https 300 or more
  --reuse-window <seconds>      for how long a repeated refresh gets the same successor (DEMO_REUSE_WINDOW); 2
  --help                        this text

It listens on the loopback interface only. Ctrl-C ends it.
`;

/** Browsers sign but so often: access tokens of bound sessions live five minutes or more. */
const SHORTEST_BOUND = 300;

/** A wrong option, in one line for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads flags over environment variables over defaults.
 * @returns `"help"` when that was asked for
 * @throws UsageError naming the option, its value and what is accepted
 */
export const readOptions = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DemoOptions | "help" => {
  const flags = parseFlags(args);
  if (flags.help === true) return "help";
  const number = (flag: NumberFlag, range: { readonly from: number; readonly to: number }): number | undefined => {
    const variable = `DEMO_${flag.replaceAll("-", "_").toUpperCase()}`;
    const [text, name] = flags[flag] === undefined ? [env[variable], variable] : [flags[flag], `--${flag}`];
    if (text === undefined || text === "") return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= range.from && value <= range.to && /^\d+$/.test(text)) return value;
    throw new UsageError(`${name} must be a whole number from ${range.from} to ${range.to}, not "${text}"`);
  };
  const https = flags.https === true;
  const shortest = https ? SHORTEST_BOUND : 1;
  const port = number("port", { from: 0, to: 65_535 });
  const corePort = number("core-port", { from: 0, to: 65_535 });
  return {
    mode: flags.embedded === true ? "embedded" : "core",
    port,
    corePort,
    data: flags.data ?? env.DEMO_DATA ?? ".pawl-demo",
    https,
    accessLifetime: number("access-lifetime", { from: shortest, to: 600 }) ?? Math.max(15, shortest),
    reuseWindow: number("reuse-window", { from: 0, to: 300 }) ?? 2,
  };
};

type NumberFlag = "port" | "core-port" | "access-lifetime" | "reuse-window";

const parseFlags = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        embedded: { type: "boolean" },
        https: { type: "boolean" },
        help: { type: "boolean", short: "h" },
        port: { type: "string" },
        "core-port": { type: "string" },
        data: { type: "string" },
        "access-lifetime": { type: "string" },
        "reuse-window": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(".")[0] ?? "wrong option"}. See --help`);
  }
};
