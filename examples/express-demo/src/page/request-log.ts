import { html } from "./element.js";
import type { Holder } from "./lineage.js";

/** One line of the log. */
interface LogLine {
  readonly who: Holder;
  readonly method: string;
  readonly path: string;
  readonly status: number | "lost";
  /** What happened, in words. */
  readonly words: string;
  readonly tone: "good" | "note" | "bad";
}

const kept = 60;

/** The list of requests, newest first; the oldest fall out. */
export class RequestLog {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  add(line: LogLine): void {
    const item = html(
      "li",
      line.who,
      html("time", "", new Date().toLocaleTimeString([], { hour12: false })),
      html("span", "who", line.who === "you" ? "you" : "thief"),
      html("code", "", `${line.method} ${line.path}`),
      html("span", "status", String(line.status)),
      html("p", "", line.words),
    );
    item.dataset.tone = line.tone;
    item.dataset.path = line.path;
    item.dataset.status = String(line.status);
    item.dataset.who = line.who;
    this.#list.prepend(item);
    while (this.#list.children.length > kept) this.#list.lastElementChild?.remove();
  }
}
