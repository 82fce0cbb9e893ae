import type { DemoStore } from "./demo-state.js";
import { buttonById, byId } from "./element.js";
import { endingOf, type Narration } from "./narration.js";

/** Who is logged in, and what can be done. */
export const drawSession = ({ state, isBound }: Pick<DemoStore, "state" | "isBound">): void => {
  const { session } = state;
  byId("login").hidden = session !== undefined;
  byId("session").hidden = session === undefined;
  const identity = byId("identity");
  identity.hidden = session === undefined;
  identity.textContent =
    session === undefined
      ? ""
      : `${session.userId} · session ${session.handle.slice(0, 8)} · token ${session.seq}${isBound ? " · bound" : ""}`;
  const lose = buttonById("lose");
  lose.setAttribute("aria-pressed", String(state.losing));
  // In a bound session the browser refreshes, out of reach of this page.
  lose.disabled = state.losing || isBound;
};

/** Why the session is over. */
export const drawEnding = ({ state: { ending }, settings }: DemoStore): void => {
  const place = byId("ending");
  place.hidden = ending === undefined;
  if (ending === undefined) return;
  const { title, text } = endingOf(ending, settings.idleMinutes);
  place.dataset.reason = ending;
  byId("ending-title").textContent = title;
  byId("ending-text").textContent = text;
  byId("ending-reason").textContent = `reason: ${ending}`;
};

export const drawNarration = (narration: Narration): void => {
  byId("narration-title").textContent = narration.title;
  byId("narration-text").textContent = narration.text;
  byId("narration-title").parentElement?.setAttribute("data-tone", narration.tone);
};
