import { randomInt } from "node:crypto";
import { millis, type Storage } from "@pawl/storage";
import * as fc from "fast-check";
import { type Application, type SentRequest, type ServedAnswer, serving } from "./application.js";
import type { Browser } from "./browser.js";
import { inspectAnswer } from "./inspection.js";
import { Life } from "./life.js";
import { type Fate, Network } from "./network.js";
import { Person } from "./people.js";
import { type FailureKind, type Found, Story } from "./story.js";
import { Timetable } from "./timetable.js";
import { WatchedStorage, withoutPlannedWarnings } from "./watched-storage.js";
import type { Habits, Luck, Moment, ThiefName } from "./world.js";

/** What the application's `createPawl` takes, beside its own options. */
export interface Given {
  readonly storage: Storage;
  readonly clock: { now(): number };
  readonly masterKey: string;
}

export interface SimulationOptions extends Partial<Habits> {
  /** Where browsers find the application; `https://app.example.com` unless given, and the URL's own for a URL. */
  readonly origin?: string;
  /** Tabs of a browser that ask at once, at most; 3 unless given. */
  readonly tabs?: number;
  /** 30 unless given. */
  readonly days?: number;
  /** The share of answers that get lost, 0 to 1; 0.2 unless given. */
  readonly lostAnswers?: number;
  /** Nobody unless given. */
  readonly thief?: ThiefName;
  /** Of a report, for the same once more; a new one unless given. */
  readonly seed?: number;
}

/** A mistake, with the shortest story found that shows it. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly story: readonly string[];
}

export interface Report {
  /** One of each kind. */
  readonly failures: readonly Failure[];
  /** For people: what happened, and what is wrong. */
  readonly story: string;
  readonly seed: number;
  /** How many pages people visited. */
  readonly visits: number;
  /** Where one came. */
  readonly thief?: {
    /** Pages that he got. */
    readonly answered: number;
    /** Ms from the theft until he was refused; undefined: never. */
    readonly caughtAfter: number | undefined;
  };
}

const MOMENTS_A_DAY = 8;
const DAY = 86_400_000;
/** Moments that are lived for a shorter story, for each kind of failure, and what a login counts for. */
const SHORTER = 100;
const LOGIN = 4;
const KEY = Buffer.alloc(32, 7).toString("base64");

const defaults: Habits = {
  login: (browser: Browser) => browser.post("/login", { user: browser.user }),
  visit: (browser: Browser) => browser.get("/me"),
  isLoggedIn: ({ status }: Response) => (status === 401 ? false : status < 300 ? true : undefined),
  logout: (browser: Browser) => browser.post("/signout"),
};

const luck: fc.Arbitrary<Luck> = fc.record({ there: fc.nat(2000), back: fc.nat(5000), luck: fc.nat(999) });

const momentOf = (tabs: number): fc.Arbitrary<Moment> =>
  fc.record({
    // Within minutes, or some hours later.
    wait: fc.oneof(fc.nat(20), fc.nat(700)),
    who: fc.nat(1),
    does: fc.nat(99),
    tabs: fc.array(luck, { minLength: 1, maxLength: tabs, size: "max" }),
  });

const inRange = (name: string, value: number, { least, most }: { readonly least: number; readonly most: number }) => {
  if (value >= least && value <= most) return;
  throw new TypeError(`${name} must be ${least} to ${most}, not ${value}`);
};

/**
 * Drives an application in this process with people, a bad network, an outage and, if wanted, a thief, and says what is wrong.
 * @param application makes it with `createPawl({ ...given })`, anew for each life; or the URL of a server, whose time is its
 * own: then no days pass, and what needs the storage or the clock is left out.
 * @throws TypeError for an option that cannot be right, and where the application uses another storage.
 * @example
 * const report = await simulate((given) => application(createPawl({ ...given })), { thief: "after-lunch" });
 * expect(report.failures).toEqual([]);
 */
export const simulate = async (
  application: string | ((given: Given) => Application | Promise<Application>),
  options: SimulationOptions = {},
): Promise<Report> => {
  const { tabs = 3, days = 30, lostAnswers = 0.2, seed = randomInt(2 ** 31) } = options;
  inRange("tabs", tabs, { least: 1, most: 10 });
  inRange("days", days, { least: 1, most: 365 });
  inRange("lostAnswers", lostAnswers, { least: 0, most: 1 });
  if (typeof application === "string" && options.thief !== undefined)
    throw new TypeError("a thief needs time to pass, which it does not for a server by its URL");

  const count = Math.ceil(days * MOMENTS_A_DAY);
  const whole = fc.array(fc.noBias(momentOf(tabs)), { minLength: count, maxLength: count, size: "max" });
  const [moments = []] = fc.sample(whole, { seed, numRuns: 1 });
  const live: Live = (lived, until) => liveOnce(application, options, { moments: lived, until });
  const failures: Failure[] = [];
  const endSilence = withoutPlannedWarnings();
  try {
    const lived = await live(moments);
    for (const found of lived.story.found) failures.push(await shorten(found, lived, { live, moments, tabs, seed }));
    return reportOf(lived, { days, seed, failures });
  } finally {
    endSilence();
  }
};

interface Lived {
  readonly story: Story;
  readonly life: Life;
}

/** @param until a failure that ends it. */
type Live = (moments: readonly Moment[], until?: FailureKind) => Promise<Lived>;

/** Looks for a shorter life in which the same kind of thing goes wrong. */
const shorten = async (
  { kind, message, moment }: Found,
  lived: Lived,
  how: { readonly live: Live; readonly moments: readonly Moment[]; readonly tabs: number; readonly seed: number },
): Promise<Failure> => {
  let best = lived.story;
  let left = SHORTER;
  const isWithout = async (tried: readonly Moment[]): Promise<boolean> => {
    if (left <= 0) return true;
    left -= tried.length + LOGIN;
    const { story } = await how.live(tried, kind);
    if (story.has(kind)) best = story;
    return !story.has(kind);
  };
  // Most often the last moments are enough.
  let start = how.moments.slice(0, moment);
  for (let last = 1; last < start.length; last *= 2)
    if (!(await isWithout(start.slice(-last)))) start = start.slice(-last);
  const shorter = fc.array(momentOf(how.tabs), { maxLength: how.moments.length, size: "max" });
  await fc.check(fc.asyncProperty(shorter, isWithout), { seed: how.seed, numRuns: 1, examples: [[start]] });
  const found = best.found.find((other) => other.kind === kind);
  const end = best.lines.findIndex((line) => line.includes(`!! ${kind}:`));
  return { kind, message: found?.message ?? message, story: best.lines.slice(0, end + 1) };
};

const reportOf = (
  { life: { visits, thief } }: Lived,
  { days, seed, failures }: { readonly days: number; readonly seed: number; readonly failures: readonly Failure[] },
): Report => {
  const stolen = thief === undefined ? "" : `, ${thief.answered} by a thief`;
  const wrong = failures.length === 0 ? "nothing is wrong" : failures.map(({ kind }) => kind).join(", ");
  const told = failures.map(({ kind, message, story }) => ["", `${kind}: ${message}`, ...story].join("\n"));
  return {
    failures,
    story: [`${days} days, ${visits} visits${stolen}; seed ${seed}: ${wrong}`, ...told].join("\n"),
    seed,
    visits,
    ...(thief !== undefined && { thief: { answered: thief.answered, caughtAfter: thief.caughtAfter } }),
  };
};

const liveOnce = async (
  application: Parameters<typeof simulate>[0],
  options: SimulationOptions,
  { moments, until }: { readonly moments: readonly Moment[]; readonly until: FailureKind | undefined },
): Promise<Lived> => {
  const isElsewhere = typeof application === "string";
  const { origin = isElsewhere ? new URL(application).origin : "https://app.example.com", lostAnswers = 0.2 } = options;
  const timetable = new Timetable(Date.now() - (Date.now() % DAY));
  const clock = { now: () => millis(timetable.now()) };
  const storage = new WatchedStorage(clock);
  const story = new Story(timetable.now);
  const given = { storage: storage.line, clock, masterKey: KEY };
  const serve = await serving(isElsewhere ? application : await application(given));
  const watched = async (request: SentRequest): Promise<ServedAnswer> => {
    const { isDown } = storage;
    const [answer, work] = await storage.serve(() => serve(request));
    inspectAnswer(request, answer, { story, work, isDown });
    return answer;
  };
  const network = new Network({ timetable, serve: watched });
  const owners = new Map<string, string>();
  const now = isElsewhere ? Date.now : timetable.now;
  const person = (user: string): Person => new Person({ user, origin, network, story, owners, now });
  const fateOf = ({ there, back, luck }: Luck): Fate => {
    const isLost = luck >= 1000 * (1 - lostAnswers);
    return { there, back, isLost, isRepeated: luck % 10 === 9 };
  };
  const { login, visit, isLoggedIn, logout } = { ...defaults, ...options };
  const life = new Life({
    habits: { login, visit, isLoggedIn, logout },
    timetable,
    story,
    storage: isElsewhere ? undefined : storage,
    people: [person("alice"), person("bob")],
    thief: options.thief,
    fateOf,
  });
  try {
    await timetable.until(life.live(moments, until));
    return { story, life };
  } finally {
    storage.isOver = true;
  }
};
