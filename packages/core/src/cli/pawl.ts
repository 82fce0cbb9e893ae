import { runCommand } from "./run-command.js";
import { processTerminal } from "./terminal.js";

// `pawl sessions list | head` closes the pipe early; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

process.exitCode = await runCommand(process.argv.slice(2), processTerminal());
