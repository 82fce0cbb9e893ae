import { svg } from "./element.js";

const radius = 52;
const around = 2 * Math.PI * radius;

/** A ring that runs empty as the access token nears its end. Times are milliseconds of the page's clock. */
export class LifetimeRing {
  readonly #arc = svg("circle", { class: "arc", r: radius, "stroke-dasharray": around });
  readonly #seconds = svg("text", { class: "seconds", y: 4 });
  readonly #label = svg("text", { class: "unit", y: 24 });
  readonly #picture: SVGElement;

  constructor(place: HTMLElement) {
    this.#picture = svg(
      "svg",
      { viewBox: "-64 -64 128 128", role: "img" },
      svg("circle", { class: "track", r: radius }),
      this.#arc,
      this.#seconds,
      this.#label,
    );
    place.append(this.#picture);
  }

  draw(token: { readonly expiresAt: number; readonly lifetime: number } | undefined, now: number): void {
    const left = token === undefined ? 0 : Math.max(0, token.expiresAt - now);
    const share = token === undefined ? 0 : Math.min(1, left / token.lifetime);
    const state = token === undefined ? "none" : left === 0 ? "expired" : share < 0.25 ? "ending" : "good";
    this.#picture.setAttribute("class", state);
    this.#arc.setAttribute("stroke-dashoffset", String(around * (1 - share)));
    const seconds = (left / 1000).toFixed(left < 100_000 ? 1 : 0);
    this.#seconds.textContent = state === "none" ? "–" : state === "expired" ? "0" : seconds;
    this.#label.textContent = state === "none" ? "no token" : state === "expired" ? "expired" : "seconds left";
    this.#picture.setAttribute(
      "aria-label",
      state === "good" || state === "ending" ? `${seconds} seconds left` : state,
    );
  }
}
