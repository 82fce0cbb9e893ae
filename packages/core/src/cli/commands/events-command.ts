import { setTimeout } from "node:timers/promises";
import type { RouteQuery, RouteResponse } from "@pawl/protocol";
import type { Command } from "commander";
import { type ApiClient, createApiClient } from "../api-client.js";
import { type CallOptions, callingCommand, examples, someText, wholeNumber } from "../command-options.js";
import { formatTable, formatTime } from "../table.js";
import { jsonText, print, printResult, type Terminal, visible } from "../terminal.js";

interface EventOptions extends CallOptions {
  readonly user?: string;
  readonly tenant?: string;
  readonly session?: string;
  readonly type?: string;
}

interface ListOptions extends EventOptions {
  readonly limit: number;
  readonly after?: string;
}

type Event = RouteResponse<"listEvents">["events"][number];

/** The largest page that the API gives. */
const PAGE = 500;
/** The last events, by which one sees where the new ones begin. */
const SHOWN_FIRST = 10;
/** Between two looks for new events, ms. */
const PAUSE = 1000;
/** Nodes write their events with a time of before the transaction: one may appear behind a newer one. */
const OVERLAP = 10_000;

const queryOf = ({ user, tenant, session, type }: EventOptions): NonNullable<RouteQuery<"listEvents">> => ({
  userId: user,
  tenantId: tenant,
  handle: session,
  type: type as Event["type"] | undefined,
});

const cells = ({ at, type, userId, tenantId, handle, reason, count, detail }: Event): readonly string[] => [
  formatTime(at),
  type,
  userId ?? "",
  tenantId ?? "",
  handle ?? "",
  reason ?? "",
  String(count),
  detail === undefined ? "" : JSON.stringify(detail),
];

const list = async (options: ListOptions, terminal: Terminal): Promise<void> => {
  const client = createApiClient(options, terminal);
  const events: Event[] = [];
  let { after } = options;
  do {
    const limit = Math.min(PAGE, options.limit - events.length);
    const page = await client.call("listEvents", { query: { ...queryOf(options), limit, after } });
    events.push(...page.events);
    after = page.next;
  } while (after !== undefined && events.length < options.limit);
  const table = formatTable(
    ["TIME", "EVENT", "USER", "TENANT", "SESSION", "REASON", "COUNT", "DETAIL"],
    events.map(cells),
  );
  const more = after === undefined ? "" : `\n\nThere are more: --after ${after}`;
  printResult(terminal, options, {
    json: { events, next: after },
    text: `${events.length === 0 ? "No events." : table}${more}`,
  });
};

/** Those that are not known yet, oldest first. */
const newEvents = async (
  client: ApiClient,
  query: RouteQuery<"listEvents">,
  isNew: (event: Event) => boolean,
): Promise<readonly Event[]> => {
  const found: Event[] = [];
  let after: string | undefined;
  do {
    const page = await client.call("listEvents", { query: { ...query, limit: PAGE, after } });
    const fresh = page.events.filter(isNew);
    found.push(...fresh);
    after = fresh.length > 0 && page.events.every(isNew) ? page.next : undefined;
  } while (after !== undefined);
  return found.toReversed();
};

/** Ends when the process is ended, or the output goes nowhere any more. */
const follow = async (options: EventOptions, terminal: Terminal): Promise<void> => {
  const client = createApiClient(options, terminal);
  const query = queryOf(options);
  const { events } = await client.call("listEvents", { query: { ...query, limit: 100 } });
  const known = new Map(events.map(({ key, at }) => [key, at]));
  const show = (event: Event): void =>
    print(terminal, options.json === true ? jsonText(event) : visible(cells(event).filter(Boolean).join("  ")));
  events.slice(0, SHOWN_FIRST).toReversed().forEach(show);
  let latest = events[0]?.at ?? 0;
  while ((terminal.stdout as { readonly destroyed?: boolean }).destroyed !== true) {
    const isNew = ({ key, at }: Event): boolean => at >= latest - OVERLAP && !known.has(key);
    for (const event of await newEvents(client, query, isNew)) {
      known.set(event.key, event.at);
      latest = Math.max(latest, event.at);
      show(event);
    }
    for (const [key, at] of known) if (at < latest - 2 * OVERLAP) known.delete(key);
    await setTimeout(PAUSE);
  }
};

const narrowing = (command: Command): Command =>
  command
    .option("--user <id>", "of this user only", someText)
    .option("--tenant <id>", "of this tenant only", someText)
    .option("--session <handle>", "of this session only", someText)
    .option("--type <type>", "of this type only, such as token_reuse or admin", someText);

/** `pawl events list|follow` */
export const addEventsCommand = (program: Command, terminal: Terminal): void => {
  const command = program.command("events").description("What happened: ends, alarms, administrators' acts");
  examples(
    command,
    ["pawl events list --type admin", "what administrators did"],
    ["pawl events follow", "what happens from now on"],
  );
  callingCommand(
    narrowing(command.command("list").description("List events, newest first"))
      .option("--limit <count>", "how many at most", wholeNumber({ min: 1, max: 100_000 }), 100)
      .option("--after <position>", "continue where a list ended", someText)
      .action((options: ListOptions) => list(options, terminal)),
    ["pawl events list --user alice", "what happened to a user"],
    ["pawl events list --type token_reuse --json", "thefts, for programs"],
  );
  callingCommand(
    narrowing(
      command.command("follow").description("Print the last ten events, and then those that happen, one a line"),
    ).action((options: EventOptions) => follow(options, terminal)),
    ["pawl events follow --type admin", "what administrators do"],
    ["pawl events follow --json", "a JSON object a line"],
  );
};
