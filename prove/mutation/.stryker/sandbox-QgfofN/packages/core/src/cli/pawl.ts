import { runCommand } from "./run-command.js";
import { processTerminal } from "./terminal.js";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") process.exit(1);
  // `pawl sessions list | head` closes the pipe early, which is no failure; a core goes on serving without its reader.
  if (process.argv[2] !== "start") process.exit(0);
});

process.exitCode = await runCommand(process.argv.slice(2), processTerminal());
