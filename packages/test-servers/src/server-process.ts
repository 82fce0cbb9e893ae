import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** What can be done to a running server. */
export interface ServerControl {
  /** Ends it at once with all its processes, as a power cut would (SIGKILL). Its data stays for `start`. */
  kill(): Promise<void>;
  /** Ends it in order. Its data stays for `start`. */
  shutDown(): Promise<void>;
  /** Starts it again on the same port with the same data; resolves when it answers. */
  start(): Promise<void>;
  /** Stops all its processes while its connections stay open (SIGSTOP): it answers nothing, and is there. */
  freeze(): void;
  /** Ends `freeze`. */
  thaw(): void;
}

/** A private server: a free port of the loopback address, a folder of its own. */
export interface TestServer extends ServerControl {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** As `openStorage` takes it. */
  readonly url: string;
  /** Its temporary folder. */
  readonly folder: string;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

/** A user that servers which refuse to run as root are run as; undefined where this process is not root's. */
interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const idOf = (flag: "-u" | "-g", name: string): number =>
  Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));

/** The account that a server runs as: its own where it exists, `nobody` otherwise; this process's unless that is root's. */
export const serverUser = (name: string): ServerUser | undefined => {
  if (userInfo().uid !== 0) return undefined;
  try {
    return { uid: idOf("-u", name), gid: idOf("-g", name) };
  } catch {
    return { uid: idOf("-u", "nobody"), gid: idOf("-g", "nobody") };
  }
};

/** A new temporary folder that the account may use. */
export const serverFolder = (name: string, user?: ServerUser): string => {
  const folder = mkdtempSync(join(tmpdir(), `pawl-${name}-`));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
};

/** Below the ports that systems give to outgoing connections (Linux from 32768), above those browsers refuse. */
const ports = { from: 20_000, to: 32_768 } as const;
const givenOut = new Set<number>();

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

/** A port of the loopback address that is free, and that neither an outgoing connection nor a second call will take. */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = randomInt(ports.from, ports.to);
    if (givenOut.has(port)) continue;
    givenOut.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${ports.from} to ${ports.to} is free`);
};

/** Asks until it is so. @throws Error `what` after the deadline (ms). */
export const until = async (what: string, isSo: () => boolean | Promise<boolean>, deadline = 60_000): Promise<void> => {
  const end = performance.now() + deadline;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what} within ${deadline} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** Whether something accepts connections there. */
export const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });

/** Runs a program to its end. @throws Error with what it said when it fails. */
export const runProgram = (command: string, args: readonly string[], user?: ServerUser): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...user });

/** How a server is run. */
export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly user?: ServerUser | undefined;
  readonly folder: string;
  /** Whether it answers as it should; one that throws does not. */
  readonly isReady: () => boolean | Promise<boolean>;
  /** The signal that ends it in order; SIGTERM unless given. */
  readonly endSignal?: NodeJS.Signals;
}

/** Where it exists it ends the server with this process, however that ends. */
const setpriv = "/usr/bin/setpriv";

const exits = new Set<() => void>();
process.on("exit", () => {
  for (const end of exits) end();
});

/** Starts a server; resolves when it is ready. @throws Error with the end of what it said when it does not become so. */
export const startServer = async (options: ServerCommand): Promise<ServerControl & { stop(): Promise<void> }> => {
  const { name, user, folder, isReady, endSignal = "SIGTERM" } = options;
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();

  const signal = (with_: NodeJS.Signals): void => {
    child?.kill(with_);
  };
  const onExit = (): void => signal("SIGKILL");
  exits.add(onExit);

  const start = async (): Promise<void> => {
    const [command, args] = existsSync(setpriv)
      ? [
          setpriv,
          [
            ...(user === undefined ? [] : ["--reuid", String(user.uid), "--regid", String(user.gid), "--clear-groups"]),
            "--pdeathsig",
            "KILL",
            options.command,
            ...options.args,
          ],
        ]
      : [options.command, [...options.args]];
    const started = spawn(command, args, {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      ...(command === setpriv ? {} : user),
    });
    child = started;
    let said = "";
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
    let isOver = false;
    ended = new Promise((resolve) => {
      const over = (): void => {
        isOver = true;
        resolve();
      };
      started.once("exit", over);
      started.once("error", (error) => {
        said += error.message;
        over();
      });
    });
    try {
      await until(`${name} is not ready`, async () => {
        if (isOver) throw new Error(`${name} ended`);
        try {
          return await isReady();
        } catch {
          return false;
        }
      });
    } catch (error) {
      signal("SIGKILL");
      throw new Error(`${(error as Error).message}: ${said}`, { cause: error });
    }
  };

  /** Signals the processes that the server has started, if any. */
  const signalOthers = (with_: NodeJS.Signals): void => {
    try {
      execFileSync("pkill", ["--signal", with_.slice(3), "-P", String(child?.pid)], { stdio: "ignore" });
    } catch {
      // It has no other processes.
    }
  };

  // Stopped first, so that it starts no process anew while its others are signalled.
  const freeze = (): void => {
    signal("SIGSTOP");
    signalOthers("SIGSTOP");
  };
  const thaw = (): void => {
    signalOthers("SIGCONT");
    signal("SIGCONT");
  };

  const kill = async (): Promise<void> => {
    if (child?.pid === undefined) return;
    signal("SIGSTOP");
    signalOthers("SIGKILL");
    signal("SIGKILL");
    await ended;
  };

  const control = {
    start,
    kill,
    freeze,
    thaw,
    async shutDown() {
      thaw();
      signal(endSignal);
      await ended;
    },
    async stop() {
      await kill();
      exits.delete(onExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await control.stop();
    throw error;
  }
  return control;
};
