import { startDemo } from "./demo.js";
import { help, readOptions, UsageError } from "./options.js";

/** npm hands a Ctrl-C on to a process that has already had it: what comes so soon is the same signal. */
const sameSignal = 500;

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === "help") {
    process.stdout.write(help);
    return;
  }
  const demo = await startDemo(options);
  const lines = [
    "",
    ...demo.notices.map((notice) => `  ${notice}.`),
    `  Open         ${demo.url}`,
    demo.coreUrl === undefined
      ? "  Sessions     in this process, on SQLite"
      : `  Core         ${demo.coreUrl}, on SQLite`,
    `  Access token ${options.accessLifetime} s, reuse window ${options.reuseWindow} s, data in ${options.data}`,
    ...(demo.browserFlags === undefined
      ? []
      : [
          "",
          "  No browser trusts the certificate yet. Chrome or Chromium, started so, does, and binds its sessions:",
          `  chromium ${demo.browserFlags.map((flag) => `"${flag}"`).join(" ")} ${demo.url}`,
          "",
        ]),
    "  Ctrl-C       ends it",
    "",
    "",
  ];
  process.stdout.write(lines.join("\n"));

  let firstSignalAt: number | undefined;
  const stop = (): void => {
    const now = performance.now();
    if (firstSignalAt !== undefined) {
      if (now - firstSignalAt > sameSignal) process.exit(1);
      return;
    }
    firstSignalAt = now;
    process.stdout.write("\n  Ending …\n");
    demo.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
};

const fail = (error: unknown): never => {
  const { code, port, message } = error as NodeJS.ErrnoException & { readonly port?: number };
  const reason =
    code === "EADDRINUSE" ? `Port ${port ?? ""} is taken by another program: choose another one, or 0` : message;
  process.stderr.write(`${reason}\n`);
  process.exit(error instanceof UsageError ? 2 : 1);
};

main().catch(fail);
