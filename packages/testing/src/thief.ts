import type { Jar } from "./jar.js";
import type { ThiefName, World } from "./world.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const habits: Readonly<Record<ThiefName, { readonly steals: number; readonly first: number; readonly every: number }>> =
  {
    "after-lunch": { steals: DAY + 13 * HOUR, first: HOUR, every: HOUR },
    "at-night": { steals: DAY + 18 * HOUR, first: 9 * HOUR, every: DAY },
    polling: { steals: DAY + 13 * HOUR, first: HOUR / 6, every: HOUR / 6 },
  };

/** How long a thief may go on beside a victim who comes back all the time, and how often she has to have come. */
const PATIENCE = { time: 3 * DAY, visits: 20 };

/** Copies the first person's cookies on the second day. */
export class Thief {
  readonly #name: ThiefName;
  readonly #world: World;
  #next: number;
  #jar: Jar | undefined;
  #stolen = { at: 0, visits: 0, handle: "" };
  #isOut = false;
  hasActed = false;
  /** Pages that he got. */
  answered = 0;
  /** For how long he got them, ms; undefined while he still may. */
  caughtAfter: number | undefined;

  constructor(name: ThiefName, world: World) {
    this.#name = name;
    this.#world = world;
    this.#next = world.timetable.now() + habits[name].steals;
  }

  /** Does all that he does until then. @param visits of everybody so far. */
  async act(until: number, visits: number): Promise<void> {
    const { timetable } = this.#world;
    const { first, every } = habits[this.#name];
    while (!this.#isOut && this.#next < until) {
      await timetable.wait(Math.max(0, this.#next - timetable.now()));
      if (this.#jar === undefined) {
        this.#steal(visits);
        this.#next += this.#jar === undefined ? HOUR : first;
      } else {
        await this.#come(this.#jar, visits);
        this.#next += every;
      }
    }
  }

  #steal(visits: number): void {
    const { people, story, timetable } = this.#world;
    const [victim] = people;
    if (!victim.isLoggedIn || victim.handle === undefined) return;
    this.#jar = victim.jar.copy();
    this.#stolen = { at: timetable.now(), visits, handle: victim.handle };
    story.tell(`a thief copies ${victim.user}'s cookies`);
  }

  async #come(jar: Jar, visits: number): Promise<void> {
    const { people, habits, story, storage, timetable } = this.#world;
    const [victim] = people;
    this.hasActed = true;
    const page = await habits.visit(victim.stranger("the thief", this.#name === "polling" ? jar.copy() : jar));
    const isLoggedIn = await habits.isLoggedIn(page);
    const since = timetable.now() - this.#stolen.at;
    const ended = (await storage?.session(this.#stolen.handle))?.endReason;
    if (isLoggedIn === false) {
      this.#isOut = true;
      this.caughtAfter = since;
      story.tell(`the thief is out, ${Math.round(since / HOUR)} hours after the theft`);
    } else if (isLoggedIn === true) {
      this.answered += 1;
      if (ended !== undefined) this.#blame("outlived", `the thief was let in with a session that had ended (${ended})`);
      else if (since > PATIENCE.time && visits - this.#stolen.visits > PATIENCE.visits)
        this.#blame(
          "thief",
          `the thief was still let in ${Math.round(since / HOUR)} hours after the theft, though ${victim.user} kept coming`,
        );
    }
  }

  #blame(kind: "outlived" | "thief", message: string): void {
    this.#world.story.blame(kind, message);
    this.#isOut = true;
  }
}
