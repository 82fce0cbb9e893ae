import { formatDuration, parseDuration, type PolicyPreset, policyPresets } from "@pawl/engine";
import type { SessionRecord, Storage } from "@pawl/storage";
import { type Command, InvalidArgumentError } from "commander";
import { usageError } from "../command-error.js";
import { examples, storageCommand, wholeNumber } from "../command-options.js";
import { type StorageCommandOptions, withStorage } from "../local-storage.js";
import { createProgress } from "../progress.js";
import { formatFacts } from "../table.js";
import { printResult, type Terminal } from "../terminal.js";

interface TryOptions extends StorageCommandOptions {
  readonly idle?: number;
  readonly absolute?: number;
  readonly maxSessions?: number;
  readonly preset?: PolicyPreset;
}

interface Rules {
  readonly idle: number | undefined;
  readonly absolute: number | undefined;
  readonly maxSessions: number | undefined;
}

/** Rows may hold a megabyte each. */
const PAGE = 100;
/** Sessions of a user begin with the same four characters, and come one after the other. */
const BUCKET = 4;

const durationOf = (text: string): number => {
  const read = parseDuration(text);
  if (read === undefined || read === 0) throw new InvalidArgumentError("It must be a duration such as 30m or 12h.");
  return read;
};

const presetOf = (text: string): PolicyPreset => {
  if (!Object.hasOwn(policyPresets, text))
    throw new InvalidArgumentError(`It must be one of ${Object.keys(policyPresets).join(", ")}.`);
  return text as PolicyPreset;
};

const rulesOf = ({ idle, absolute, maxSessions, preset }: TryOptions): Rules => {
  const timeouts: { readonly idleTimeout?: number; readonly absoluteTimeout?: number } =
    preset === undefined ? {} : policyPresets[preset];
  const rules = { idle: idle ?? timeouts.idleTimeout, absolute: absolute ?? timeouts.absoluteTimeout, maxSessions };
  if (Object.values(rules).every((rule) => rule === undefined))
    throw usageError("say what to try: --idle, --absolute, --max-sessions or --preset");
  return rules;
};

/** Adds up what would end, over sessions in the order of their ids. */
const createTrial = (rules: Rules, now: number) => {
  const tally = { sessions: 0, users: 0, wouldEnd: { sessions: 0, users: 0, idle: 0, absolute: 0, maxSessions: 0 } };
  let bucket = "";
  /** Of the users of one bucket: sessions that would stay, and whether one would end. */
  let users = new Map<string, { kept: number; isHit: boolean }>();

  const close = (): void => {
    const { maxSessions = Number.POSITIVE_INFINITY } = rules;
    for (const { kept, isHit } of users.values()) {
      const surplus = Math.max(0, kept - maxSessions);
      tally.users += 1;
      tally.wouldEnd.maxSessions += surplus;
      tally.wouldEnd.sessions += surplus;
      if (isHit || surplus > 0) tally.wouldEnd.users += 1;
    }
    users = new Map();
  };

  return {
    tally,
    close,
    add({ id, tenantId, userId, createdAt, lastActiveAt, issuedAt }: SessionRecord): void {
      if (id.slice(0, BUCKET) !== bucket) {
        close();
        bucket = id.slice(0, BUCKET);
      }
      const key = `${tenantId} ${userId}`;
      const user = users.get(key) ?? { kept: 0, isHit: false };
      users.set(key, user);
      tally.sessions += 1;
      const isOld = now - createdAt >= (rules.absolute ?? Number.POSITIVE_INFINITY);
      const isIdle = now - Math.max(createdAt, lastActiveAt, issuedAt) >= (rules.idle ?? Number.POSITIVE_INFINITY);
      if (isOld) tally.wouldEnd.absolute += 1;
      if (isIdle) tally.wouldEnd.idle += 1;
      if (!isOld && !isIdle) {
        user.kept += 1;
        return;
      }
      user.isHit = true;
      tally.wouldEnd.sessions += 1;
    },
  };
};

const tryOut = async (
  storage: Storage,
  { rules, terminal, quiet }: { readonly rules: Rules; readonly terminal: Terminal; readonly quiet: boolean },
) => {
  const trial = createTrial(rules, storage.now());
  const progress = createProgress(terminal, { total: undefined, quiet });
  try {
    let after: string | undefined;
    do {
      const page = await storage.listSessions({}, { limit: PAGE, after });
      for (const session of page.items) trial.add(session);
      after = page.next;
      progress.show(trial.tally.sessions, `${trial.tally.sessions} sessions`);
    } while (after !== undefined);
  } finally {
    progress.clear();
  }
  trial.close();
  return trial.tally;
};

const attempt = async (options: TryOptions, terminal: Terminal): Promise<void> => {
  const rules = rulesOf(options);
  await withStorage(options, terminal, async ({ storage }) => {
    const tally = await tryOut(storage, { rules, terminal, quiet: options.json === true });
    const { sessions, users, wouldEnd } = tally;
    const duration = (value: number | undefined): string | undefined =>
      value === undefined ? undefined : formatDuration(value);
    const of = (rule: unknown, count: number, text: string | undefined): string | undefined =>
      rule === undefined ? undefined : `${count} (${text})`;
    printResult(terminal, options, {
      json: { rules, ...tally },
      text: formatFacts([
        ["Live now", `${sessions} sessions of ${users} users`],
        ["Would end now", `${wouldEnd.sessions} sessions of ${wouldEnd.users} users`],
        ["  idle", of(rules.idle, wouldEnd.idle, `not used for ${duration(rules.idle)}`)],
        ["  absolute", of(rules.absolute, wouldEnd.absolute, `older than ${duration(rules.absolute)}`)],
        ["  max sessions", of(rules.maxSessions, wouldEnd.maxSessions, `more than ${rules.maxSessions} of a user`)],
      ]),
    });
  });
};

/** `pawl policy try` */
export const addPolicyCommand = (program: Command, terminal: Terminal): void => {
  const command = program.command("policy").description("Rules of sessions");
  examples(command, ["pawl policy try --preset nist-aal2", "what they would end, before they hold"]);
  storageCommand(
    command
      .command("try")
      .description(
        "Tell how many live sessions would end now if these rules held; changes nothing, opens the storage directly",
      )
      .option("--idle <duration>", "idle timeout, such as 30m", durationOf)
      .option("--absolute <duration>", "absolute timeout, such as 12h", durationOf)
      .option("--max-sessions <count>", "live sessions a user may have", wholeNumber({ min: 1, max: 1_000_000 }))
      .option("--preset <name>", "timeouts of nist-aal1, nist-aal2 or nist-aal3", presetOf)
      .action((options: TryOptions) => attempt(options, terminal)),
    ["pawl policy try --idle 30m --absolute 12h --max-sessions 3", "before the rules are set"],
    ["pawl policy try --preset nist-aal2 --json", "for programs"],
  );
};
