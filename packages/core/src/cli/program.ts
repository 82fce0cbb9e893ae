import { Command } from "commander";
import { addConfigCommand } from "./commands/config-command.js";
import { addDashboardCommand } from "./commands/dashboard-command.js";
import { addDoctorCommand } from "./commands/doctor-command.js";
import { addEventsCommand } from "./commands/events-command.js";
import { addKeysCommand } from "./commands/keys-command.js";
import { addMigrateCommand } from "./commands/migrate-command.js";
import { addPolicyCommand } from "./commands/policy-command.js";
import { addRevocationsCommand } from "./commands/revocations-command.js";
import { addSessionsCommand } from "./commands/sessions-command.js";
import { addStartCommand } from "./commands/start-command.js";
import { addTakeOverCommand } from "./commands/take-over-command.js";
import { addWebhooksCommand } from "./commands/webhooks-command.js";
import type { Terminal } from "./terminal.js";
import { version } from "../version.js";

const HELP_WIDTH = 100;

/** The whole command line. Throws `CommanderError` in place of ending the process. */
export const createProgram = (terminal: Terminal): Command => {
  const program = new Command("pawl")
    .description("Sessions: rotating refresh tokens, access tokens verified without I/O, an alarm when one is stolen")
    .version(version, "-V, --version", "print the version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    })
    .addHelpText(
      "after",
      `
Examples:
  pawl config init                      # a config.yaml to start from
  pawl start                            # the core, on http://localhost:3567
  pawl sessions list --user alice       # where a user is logged in
  pawl sessions explain 5d0f…           # why a session ended

Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.`,
    );
  addStartCommand(program, terminal);
  addConfigCommand(program, terminal);
  addKeysCommand(program, terminal);
  addSessionsCommand(program, terminal);
  addDashboardCommand(program, terminal);
  addEventsCommand(program, terminal);
  addWebhooksCommand(program, terminal);
  addPolicyCommand(program, terminal);
  addRevocationsCommand(program, terminal);
  addTakeOverCommand(program, terminal);
  addMigrateCommand(program, terminal);
  addDoctorCommand(program, terminal);
  return program;
};
