import type { AccessTokenView, DemoSettings, Role } from "./answers.js";
import { type Forecast, forecastReplay } from "./forecast.js";
import { confirmNewest, heldBy, type Holder, type Lineage } from "./lineage.js";
import { type Narration, welcome } from "./narration.js";
import type { WebEndReason } from "./pawl-web/index.js";

/** Everything the page shows. Times are the server's clock, ms. */
export interface DemoState {
  readonly session?: AccessTokenView | undefined;
  readonly lineage?: Lineage | undefined;
  /** The role that the session has on the server, as the administrator knows it. */
  readonly role?: Role | undefined;
  /** Why the session ended, where this tab did not end it. */
  readonly ending?: WebEndReason | undefined;
  /** Name of the thief's cookie jar on the demo server. */
  readonly jar?: string | undefined;
  /** What the thief was refused in a bound session, and whether its owner has gone on since. */
  readonly refused?: "just_now" | "and_owner_went_on" | undefined;
  /** The answer of the next refresh will be lost. */
  readonly losing: boolean;
  readonly narration: Narration;
  /** When the newest token was issued, to whomever. */
  readonly turnedAt: number;
}

/** Holds what the page shows and calls `onChange` after each change. */
export class DemoStore {
  readonly settings: DemoSettings;
  readonly #onChange: () => void;
  #state: DemoState = { losing: false, narration: welcome, turnedAt: 0 };
  #clockOffset = 0;

  constructor(settings: DemoSettings, onChange: () => void) {
    this.settings = settings;
    this.#onChange = onChange;
  }

  get state(): DemoState {
    return this.#state;
  }

  show(change: Partial<DemoState>): void {
    this.#state = { ...this.#state, ...change };
    this.#onChange();
  }

  /** Changes the lineage, if there is one. */
  draw(change: (lineage: Lineage) => Lineage): void {
    const { lineage } = this.#state;
    if (lineage === undefined) return;
    const changed = change(lineage);
    this.show({ lineage: changed, ...(changed.newest > lineage.newest ? { turnedAt: this.now() } : {}) });
  }

  setClock(serverNow: number): void {
    this.#clockOffset = serverNow - Date.now();
  }

  /** The server's clock. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }

  /**
   * Milliseconds until a call with the newest token counts as proof that it arrived: its age must exceed the reuse
   * window, and tokens tell their age in whole seconds.
   */
  provableIn(): number {
    const { lineage } = this.#state;
    const newest = lineage?.tokens.filter(({ seq }) => seq === lineage.newest) ?? [];
    const issuedAt = Math.max(0, ...newest.map((token) => token.issuedAt ?? 0));
    return issuedAt + 1_000 + this.settings.reuseWindow * 1_000 - this.now();
  }

  /** Takes note of an answered call. @returns whether it newly proved that the holder's token had arrived */
  confirm(holder: Holder): boolean {
    const { lineage } = this.#state;
    const held = lineage === undefined ? undefined : heldBy(lineage, holder);
    if (lineage === undefined || held?.seq !== lineage.newest || this.provableIn() > 0) return false;
    if (lineage.confirmed === lineage.newest) return false;
    this.draw((current) => confirmNewest(current, held.seq));
    return true;
  }

  /** Whether the session is bound to this browser's device, as its access token says. */
  get isBound(): boolean {
    return this.#state.session?.claims["dbsc"] === true;
  }

  /** What a replay of the stolen token would meet now. */
  forecast(): Forecast {
    const { lineage, turnedAt } = this.#state;
    const window = this.settings.reuseWindow * 1000;
    return forecastReplay(lineage, { sinceTurn: this.now() - turnedAt, window, isBound: this.isBound });
  }
}
