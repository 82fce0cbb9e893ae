import type { EndReason } from "@pawl/storage";
import { isForEverybody } from "./http-cache.js";
import type { Jar } from "./jar.js";
import type { Person } from "./people.js";
import { isRefreshToken } from "./session-tokens.js";
import type { FailureKind } from "./story.js";
import { Thief } from "./thief.js";
import type { Luck, Moment, World } from "./world.js";

/** A copy of cookies that nobody may be let in with any more. */
interface Ghost {
  readonly person: Person;
  readonly jar: Jar;
  readonly from: number;
  readonly why: string;
}

const MINUTE = 60_000;
const LONGEST_OUTAGE = 24 * 60 * MINUTE;

/** Ends that an application or its policy wants. */
const wanted: readonly (EndReason | undefined)[] = [
  "expired",
  "idle",
  "session_limit",
  "revoked",
  "revoked_by_admin",
  "identity_provider",
  "erased",
];

const jsonOf = (page: Response): Promise<Readonly<Record<string, unknown>>> =>
  page
    .clone()
    .json()
    .then(Object, () => ({}));

/** The application's story with two people, from the first login on. */
export class Life {
  readonly #world: World;
  readonly #ghosts: Ghost[] = [];
  readonly #thief: Thief | undefined;
  visits = 0;

  constructor(world: World) {
    this.#world = world;
    if (world.thief !== undefined) this.#thief = new Thief(world.thief, world);
  }

  get thief(): Thief | undefined {
    return this.#thief;
  }

  /** @param until ends it early. */
  async live(moments: readonly Moment[], until?: FailureKind): Promise<void> {
    const { timetable, people, habits, story } = this.#world;
    for (const person of people) if (!(await this.#login(person))) return;
    for (const { wait, who, does, tabs } of moments) {
      if (until !== undefined && story.has(until)) return;
      story.moment += 1;
      const at = timetable.now() + (wait + 1) * MINUTE;
      await this.#thief?.act(at, this.visits);
      await timetable.wait(at - timetable.now());
      await this.#lay();
      const person = people[who % people.length]!;
      if (!person.isLoggedIn && !(await this.#login(person))) return;
      const act = acts.find(({ from }) => does >= from)!;
      if (habits.logout === undefined && act.needsLogout === true) continue;
      await act.does(this, person, tabs);
    }
    await timetable.wait(25 * 60 * MINUTE);
    await this.#lay();
  }

  /** @returns false where there is no going on. */
  async #login(person: Person): Promise<boolean> {
    const { habits, story, storage } = this.#world;
    await habits.login(person.tab());
    if (storage?.wasUsed === false && person.jar.session().path !== undefined)
      throw new TypeError(
        "the login used another storage: call createPawl({ ...given }) with what simulate hands over",
      );
    const page = await habits.visit(person.tab());
    person.isLoggedIn = (await habits.isLoggedIn(page)) === true;
    if (!person.isLoggedIn && story.found.length === 0)
      story.blame("login", `after the login, ${person.user}'s visit was answered ${page.status} ${page.url}`);
    return person.isLoggedIn;
  }

  /** Visits at once in some tabs. */
  async visit(person: Person, tabs: readonly Luck[]): Promise<void> {
    const { habits, fateOf } = this.#world;
    const visits = tabs.map(async (_, at) => {
      let asked = at;
      const tab = person.tab(at + 1, () => fateOf(tabs[asked++ % tabs.length]!));
      const page = await habits.visit(tab).catch((error: unknown) => {
        if (tab.hasLost) return undefined;
        throw error;
      });
      if (page !== undefined) await this.#judge(person, page);
    });
    await Promise.all(visits);
  }

  async #judge(person: Person, page: Response): Promise<void> {
    const { habits, story, storage } = this.#world;
    this.visits += 1;
    const { userId } = await jsonOf(page);
    const isLoggedIn = await habits.isLoggedIn(page.clone());
    const held = person.jar.session().access;
    if (isLoggedIn === true) {
      if (typeof userId === "string" && held !== undefined && held.userId !== userId)
        story.blame(
          "mixed-up",
          `${person.user}'s browser, which has a session of ${held.userId}, was shown ${userId}'s page`,
        );
      if (isForEverybody(page))
        story.blame(
          "cacheable",
          `the page of somebody logged in may be kept by every cache: Cache-Control is "${page.headers.get("cache-control")}"`,
        );
    }
    if (isLoggedIn !== false || !person.isLoggedIn) return;
    if (storage?.isDown === true)
      story.blame("outage", `while the storage was down, ${person.user} was told to be logged out (${page.status})`);
    else await this.#loggedOut(person, page);
  }

  async #loggedOut(person: Person, page: Response): Promise<void> {
    const { story, storage, timetable } = this.#world;
    person.isLoggedIn = false;
    const row = person.handle === undefined ? undefined : await storage?.session(person.handle);
    const now = timetable.now();
    const passed = row === undefined || now < Math.min(row.expiresAt, row.idleExpiresAt) ? undefined : "expired";
    const reason = row?.endReason ?? passed ?? ((await jsonOf(page))["reason"] as EndReason | undefined);
    if (wanted.includes(reason)) story.tell(`${person.user}'s session had ended: ${reason}`);
    else if (reason !== "token_reuse") {
      const { path } = person.jar.session();
      const held = path === undefined ? "the browser has no refresh cookie" : `the refresh cookie goes to ${path}`;
      const ended = reason === undefined ? "has not ended" : `ended: ${reason}`;
      story.blame("logged-out", `${person.user} was logged out (${page.status}), whose session ${ended}; ${held}`);
    } else if (this.#thief?.hasActed === true) story.tell(`${person.user} is told of the theft, and logged out`);
    else
      story.blame(
        "false-alarm",
        `${person.user}'s session ended as stolen: somebody honest sent a refresh token that had been used up`,
      );
  }

  /** Who comes with cookies that are over is not let in. */
  async #lay(): Promise<void> {
    const { timetable, habits, story } = this.#world;
    const due = this.#ghosts.filter(({ from }) => from <= timetable.now());
    for (const ghost of due) {
      this.#ghosts.splice(this.#ghosts.indexOf(ghost), 1);
      const page = await habits.visit(ghost.person.stranger(`somebody with ${ghost.why}`, ghost.jar));
      if ((await habits.isLoggedIn(page)) === true) story.blame("outlived", `somebody was let in with ${ghost.why}`);
    }
  }

  async outage(person: Person, tabs: readonly Luck[]): Promise<void> {
    const { story, storage, timetable } = this.#world;
    const { access } = person.jar.session();
    if (storage === undefined || access === undefined) return;
    story.tell("the storage goes down");
    storage.isDown = true;
    await this.visit(person, tabs);
    // Until a visit needs the storage.
    await timetable.wait(Math.min(LONGEST_OUTAGE, Math.max(0, access.expiresAt + MINUTE - timetable.now())));
    await this.visit(person, tabs);
    storage.isDown = false;
    story.tell("the storage is back");
  }

  async signOut(person: Person): Promise<void> {
    const { habits, story, timetable } = this.#world;
    const { user, jar } = person;
    this.#ghosts.push({
      person,
      jar: jar.copy(),
      from: timetable.now(),
      why: `cookies of ${user} copied before the logout`,
    });
    person.isLoggedIn = false;
    await habits.logout?.(person.tab());
    const page = await habits.visit(person.tab());
    if ((await habits.isLoggedIn(page)) === true)
      story.blame("stale-page", `after ${user}'s logout, the browser still shows the page of somebody logged in`);
  }

  async loginAgain(person: Person): Promise<void> {
    const { story, timetable } = this.#world;
    const { user, jar, handle } = person;
    const copy = jar.copy();
    if (!(await this.#login(person))) return;
    if (handle !== undefined && person.handle === handle)
      story.blame(
        "kept-session",
        `${user} logged in over a session, and the browser goes on with it: whoever planted it is in`,
      );
    else
      this.#ghosts.push({
        person,
        jar: copy,
        from: timetable.now(),
        why: `cookies of ${user} from before another login`,
      });
  }

  async otherOrigin(person: Person): Promise<void> {
    const { habits, story } = this.#world;
    const attempt = (work: Promise<unknown> | undefined) => work?.catch(() => undefined);
    const isIn = async () => habits.isLoggedIn(await habits.visit(person.tab()));
    const wasIn = await isIn();
    await attempt(habits.logout?.(person.pageOfOtherOrigin()));
    if (wasIn === true && (await isIn()) === false) {
      story.blame(
        "cross-origin",
        `a page of another origin logged ${person.user} out: nothing checks where requests come from`,
      );
      person.isLoggedIn = false;
    }
    const jar = person.jar.copy(() => false);
    await attempt(habits.login(person.pageOfOtherOrigin(jar)));
    if (jar.session().path !== undefined)
      story.blame(
        "cross-origin",
        `a page of another origin logged ${person.user} in: nothing checks where requests come from`,
      );
  }

  copyAccessCookie(person: Person): void {
    const { access } = person.jar.session();
    if (access === undefined || this.#world.storage === undefined) return;
    const jar = person.jar.copy(({ value }) => !isRefreshToken(value));
    const why = `an access token of ${person.user} that had expired, and no refresh token`;
    this.#ghosts.push({ person, jar, from: access.expiresAt + MINUTE, why });
  }
}

/** By the least `does` of a moment, the rarest first. */
const acts: readonly {
  readonly from: number;
  readonly needsLogout?: boolean;
  readonly does: (life: Life, person: Person, tabs: readonly Luck[]) => Promise<void> | void;
}[] = [
  { from: 95, does: (life, person) => life.copyAccessCookie(person) },
  { from: 90, does: (life, person) => life.otherOrigin(person) },
  { from: 86, does: (life, person) => life.loginAgain(person) },
  { from: 79, needsLogout: true, does: (life, person) => life.signOut(person) },
  { from: 70, does: (life, person, tabs) => life.outage(person, tabs) },
  { from: 0, does: (life, person, tabs) => life.visit(person, tabs) },
];
