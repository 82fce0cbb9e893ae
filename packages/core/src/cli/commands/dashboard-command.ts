import type { Command } from "commander";
import { createApiClient } from "../api-client.js";
import { type CallOptions, callingCommand } from "../command-options.js";
import { formatTime } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

const link = async (options: CallOptions, terminal: Terminal): Promise<void> => {
  const client = createApiClient(options, terminal);
  const { path, expiresAt } = await client.call("createDashboardLink");
  const url = client.url + path;
  printResult(terminal, options, {
    json: { url, expiresAt },
    text: `${url}\nOpens the dashboard for 8 hours. It works once, until ${formatTime(expiresAt)}.`,
  });
};

/** `pawl dashboard` */
export const addDashboardCommand = (program: Command, terminal: Terminal): void => {
  callingCommand(
    program
      .command("dashboard")
      .description("Print a link that opens the dashboard of a running core, once")
      .action((options: CallOptions) => link(options, terminal)),
    ["pawl dashboard", "of the core that ./config.yaml describes, which says dashboard: true"],
    ["pawl dashboard --url https://pawl.internal --api-key-file ./key", "of another one"],
  );
};
