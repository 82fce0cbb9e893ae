import type { RouteResponse } from "@pawl/protocol";
import type { Command } from "commander";
import { type CallOptions, callingCommand, examples, someText, wholeNumber } from "../command-options.js";
import { createApiClient } from "../api-client.js";
import { addEraseCommand } from "./erase-command.js";
import { addExportCommand } from "./export-command.js";
import { addImportCommand } from "./import-command.js";
import { addRevokeCommand } from "./revoke-command.js";
import { formatFacts, formatTable, formatTime } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

interface ListOptions extends CallOptions {
  readonly user?: string;
  readonly tenant?: string;
  readonly limit: number;
  readonly after?: string;
}

/** The largest page that the API gives. */
const PAGE = 500;

const time = (value: number | undefined): string | undefined => (value === undefined ? undefined : formatTime(value));

const list = async (options: ListOptions, terminal: Terminal): Promise<void> => {
  const client = createApiClient(options, terminal);
  const { user, tenant, limit } = options;
  const sessions: RouteResponse<"listSessions">["sessions"] = [];
  let after = options.after;
  do {
    const page = await client.call("listSessions", {
      query: {
        limit: Math.min(PAGE, limit - sessions.length),
        userId: user,
        tenantId: tenant,
        after,
      },
    });
    sessions.push(...page.sessions);
    after = page.next;
  } while (after !== undefined && sessions.length < limit);
  const table = formatTable(
    ["HANDLE", "USER", "TENANT", "CREATED", "LAST ACTIVE", "EXPIRES", "ADDRESS", "DEVICE"],
    sessions.map((session) => [
      session.handle,
      session.userId,
      session.tenantId,
      time(session.createdAt),
      time(session.lastActiveAt),
      time(session.expiresAt),
      session.address,
      session.device,
    ]),
  );
  const more = after === undefined ? "" : `\n\nThere are more: --after ${after}`;
  printResult(terminal, options, {
    json: { sessions, next: after },
    text: `${sessions.length === 0 ? "No live sessions." : table}${more}`,
  });
};

const show = async (handle: string, options: CallOptions, terminal: Terminal): Promise<void> => {
  const session = await createApiClient(options, terminal).call("getSession", { handle });
  const text = formatFacts([
    ["Handle", session.handle],
    ["User", session.userId],
    ["Tenant", session.tenantId],
    ["Acts for", session.acting && `${session.acting.userId}, until ${formatTime(session.acting.until)}`],
    ["Login", session.identityProvider && loginText(session.identityProvider)],
    ["Device", session.device],
    ["Address", session.address],
    ["Created", time(session.createdAt)],
    ["Authenticated", [time(session.auth.at), ...session.auth.methods].join(", ")],
    ["Last active", time(session.lastActiveAt)],
    ["Refreshed", time(session.refreshedAt)],
    ["Expires", time(session.expiresAt)],
    ["Payload", JSON.stringify(session.payload)],
    ["Data", JSON.stringify(session.data)],
  ]);
  printResult(terminal, options, { json: session, text });
};

type Login = NonNullable<RouteResponse<"getSession">["identityProvider"]>;

const loginText = ({ issuer, subject, sessionId }: Login): string =>
  `${issuer}, user ${subject}${sessionId === undefined ? "" : `, session ${sessionId}`}`;

const explain = async (handle: string, options: CallOptions, terminal: Terminal): Promise<void> => {
  const answer = await createApiClient(options, terminal).call("explainSession", { handle });
  const facts = formatFacts([
    ["Handle", answer.handle],
    ["Status", answer.status],
    ["User", answer.userId],
    ["Created", time(answer.createdAt)],
    ["Last active", time(answer.lastActiveAt)],
    ["Ended", time(answer.endedAt)],
    ["Reason", answer.reason],
    ["In short", answer.summary],
  ]);
  const events = formatTable(
    ["TIME", "EVENT", "REASON", "COUNT", "DETAIL"],
    answer.events.map(({ at, type, reason, count, detail }) => [
      time(at),
      type,
      reason,
      String(count),
      detail === undefined ? "" : JSON.stringify(detail),
    ]),
  );
  printResult(terminal, options, { json: answer, text: answer.events.length > 0 ? `${facts}\n\n${events}` : facts });
};

/** `pawl sessions list|show|explain|revoke|export|import|erase` */
export const addSessionsCommand = (program: Command, terminal: Terminal): void => {
  const command = program.command("sessions").description("Sessions of a running core, or in the storage itself");
  examples(
    command,
    ["pawl sessions list --user alice", "where a user is logged in"],
    ["pawl sessions explain 5d0f…", "why a session ended"],
    ["pawl sessions revoke --user alice", "end all sessions of a user"],
  );
  callingCommand(
    command
      .command("list")
      .description("List live sessions")
      .option("--user <id>", "of this user only", someText)
      .option("--tenant <id>", "of this tenant only", someText)
      .option("--limit <count>", "how many at most", wholeNumber({ min: 1, max: 100_000 }), 100)
      .option("--after <position>", "continue where a list ended", someText)
      .action((options: ListOptions) => list(options, terminal)),
    ["pawl sessions list --user alice", "where a user is logged in"],
    ["pawl sessions list --limit 5000 --json", "for programs"],
  );
  callingCommand(
    command
      .command("show")
      .description("Show one live session")
      .argument("<handle>", "session handle", someText)
      .action((handle: string, options: CallOptions) => show(handle, options, terminal)),
    ["pawl sessions show 5d0f…", "device, address, times, payload, data"],
  );
  callingCommand(
    command
      .command("explain")
      .description("Explain what happened to a session, and why")
      .argument("<handle>", "session handle", someText)
      .action((handle: string, options: CallOptions) => explain(handle, options, terminal)),
    ["pawl sessions explain 5d0f…", "also of one that has ended"],
  );
  addRevokeCommand(command, terminal);
  addExportCommand(command, terminal);
  addImportCommand(command, terminal);
  addEraseCommand(command, terminal);
};
