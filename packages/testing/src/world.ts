import type { Browser } from "./browser.js";
import type { Fate } from "./network.js";
import type { Person } from "./people.js";
import type { Story } from "./story.js";
import type { Timetable } from "./timetable.js";
import type { WatchedStorage } from "./watched-storage.js";

/**
 * - `after-lunch`: copies the cookies at one o'clock, and comes every hour
 * - `at-night`: copies them in the evening, and comes at three every night
 * - `polling`: copies them at one o'clock, comes with that copy every ten minutes, and never uses what he gets
 */
export type ThiefName = "after-lunch" | "at-night" | "polling";

/** What an application's users do. */
export interface Habits {
  readonly login: (browser: Browser) => Promise<unknown>;
  readonly visit: (browser: Browser) => Promise<Response>;
  readonly isLoggedIn: (page: Response) => boolean | undefined | Promise<boolean | undefined>;
  readonly logout: ((browser: Browser) => Promise<unknown>) | undefined;
}

/** Something that somebody does, of which every number may be smaller: then less happens. */
export interface Moment {
  /** Minutes since the moment before. */
  readonly wait: number;
  readonly who: number;
  /** See `acts`. */
  readonly does: number;
  /** In how many tabs, and what happens to their requests. */
  readonly tabs: readonly Luck[];
}

/** Of a request. */
export interface Luck {
  readonly there: number;
  readonly back: number;
  /** 0 to 999; the unluckiest lose the answer, or are sent twice. */
  readonly luck: number;
}

export interface World {
  readonly habits: Habits;
  readonly timetable: Timetable;
  readonly story: Story;
  readonly storage: WatchedStorage | undefined;
  readonly people: readonly [Person, Person];
  readonly thief: ThiefName | undefined;
  readonly fateOf: (luck: Luck) => Fate;
}
