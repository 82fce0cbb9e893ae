import type { RouteResponse } from "@pawl/protocol";
import type { Command } from "commander";
import { createApiClient } from "../api-client.js";
import { CommandError, usageError } from "../command-error.js";
import { type CallOptions, callingCommand, examples, someText, wholeNumber } from "../command-options.js";
import { formatTable, formatTime } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

interface ListOptions extends CallOptions {
  readonly limit: number;
  readonly after?: string;
}

type Delivery = RouteResponse<"listDeliveries">["deliveries"][number];

/** The largest page that the API gives. */
const PAGE = 500;

const deliveries = async (
  state: "waiting" | "dead",
  options: ListOptions,
  terminal: Terminal,
): Promise<{ readonly deliveries: readonly Delivery[]; readonly next: string | undefined }> => {
  const client = createApiClient(options, terminal);
  const found: Delivery[] = [];
  let { after } = options;
  do {
    const limit = Math.min(PAGE, options.limit - found.length);
    const page = await client.call("listDeliveries", { query: { state, limit, after } });
    found.push(...page.deliveries);
    after = page.next;
  } while (after !== undefined && found.length < options.limit);
  return { deliveries: found, next: after };
};

const table = (found: readonly Delivery[]): string =>
  formatTable(
    ["KEY", "WEBHOOK", "TO", "EVENT", "HAPPENED", "ATTEMPTS", "NEXT", "WHY"],
    found.map(({ event, webhook, origin, attempts, dueAt, failure }) => [
      event.key,
      webhook,
      origin ?? "-",
      event.type,
      formatTime(event.at),
      String(attempts),
      formatTime(dueAt),
      failure ?? "",
    ]),
  );

/** The position holds a space, so it is quoted for a shell. */
const more = (next: string | undefined): string => (next === undefined ? "" : `\n\nThere are more: --after '${next}'`);

const list = async (options: ListOptions, terminal: Terminal): Promise<void> => {
  const { webhooks } = await createApiClient(options, terminal).call("listWebhooks");
  const waiting = await deliveries("waiting", options, terminal);
  const configured = formatTable(
    ["ID", "TO", "EVENTS"],
    webhooks.map(({ id, origin, events }) => [id, origin, events.join(" ")]),
  );
  printResult(terminal, options, {
    json: { webhooks, ...waiting },
    text: [
      webhooks.length === 0 ? "No webhooks are configured." : configured,
      `${waiting.deliveries.length === 0 ? "Nothing waits for delivery." : table(waiting.deliveries)}${more(waiting.next)}`,
    ].join("\n\n"),
  });
};

const dead = async (options: ListOptions, terminal: Terminal): Promise<void> => {
  const found = await deliveries("dead", options, terminal);
  const text = `${found.deliveries.length === 0 ? "No dead letters." : table(found.deliveries)}${more(found.next)}`;
  printResult(terminal, options, { json: found, text });
};

interface SettleOptions extends CallOptions {
  readonly webhook?: string;
}

const settle = async (
  operation: "retryDelivery" | "dropDelivery",
  { keys, options }: { readonly keys: readonly string[]; readonly options: SettleOptions },
  terminal: Terminal,
): Promise<void> => {
  const client = createApiClient(options, terminal);
  const { webhook } = options;
  for (const key of keys) await client.call(operation, { body: { key, webhook } });
  const done = operation === "retryDelivery" ? "To be delivered now" : "Dropped";
  printResult(terminal, options, { json: { keys }, text: keys.map((key) => `${done}: ${key}`).join("\n") });
};

const test = async (options: CallOptions, terminal: Terminal): Promise<void> => {
  const { webhooks } = await createApiClient(options, terminal).call("testWebhooks");
  if (webhooks.length === 0) throw usageError("no webhooks are configured");
  const text = webhooks.map(({ id, origin, failure }) => `${id}  ${origin}  ${failure ?? "delivered"}`).join("\n");
  printResult(terminal, options, { json: { webhooks }, text });
  const failed = webhooks.filter(({ failure }) => failure !== undefined).length;
  if (failed > 0) throw new CommandError(`${failed} of ${webhooks.length} did not take the message`);
};

const paged = (command: Command): Command =>
  command
    .option("--limit <count>", "how many at most", wholeNumber({ min: 1, max: 100_000 }), 100)
    .option("--after <position>", "continue where a list ended", someText);

const settling = (command: Command): Command =>
  command
    .argument("<keys...>", "keys of events")
    .option("--webhook <id>", "of this webhook alone (else of each that is configured)", someText);

/** `pawl webhooks list|dead|retry|drop|test` */
export const addWebhooksCommand = (program: Command, terminal: Terminal): void => {
  const command = program.command("webhooks").description("Webhooks, and what could not be delivered");
  examples(
    command,
    ["pawl webhooks test", "whether they take a message"],
    ["pawl webhooks dead", "what was given up after three days"],
  );
  callingCommand(
    paged(command.command("list").description("List the webhooks, and what waits for delivery")).action(
      (options: ListOptions) => list(options, terminal),
    ),
    ["pawl webhooks list", "with the last failure of each"],
  );
  callingCommand(
    paged(command.command("dead").description("List dead letters: what was given up")).action((options: ListOptions) =>
      dead(options, terminal),
    ),
    ["pawl webhooks dead --json", "for programs"],
  );
  callingCommand(
    settling(
      command
        .command("retry")
        .description("Deliver events again, within a minute, where they have not arrived; they keep their ids"),
    ).action((keys: string[], options: SettleOptions) => settle("retryDelivery", { keys, options }, terminal)),
    ["pawl webhooks retry session_ended:5d0f…", "a dead letter, or one that waits"],
  );
  callingCommand(
    settling(command.command("drop").description("Deliver events no more; they stay in the audit trail")).action(
      (keys: string[], options: SettleOptions) => settle("dropDelivery", { keys, options }, terminal),
    ),
    ["pawl webhooks drop session_ended:5d0f… --webhook 1a2b3c4d", "a dead letter, or one that waits"],
  );
  callingCommand(
    command
      .command("test")
      .description("Send a message of the type test to each webhook; exits with 1 when one does not take it")
      .action((options: CallOptions) => test(options, terminal)),
    ["pawl webhooks test", "once, without repeating"],
  );
};
