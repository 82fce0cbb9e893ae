import type { DemoState, Ending } from "./demo-state.js";
import { buttonById, byId } from "./element.js";
import type { Narration } from "./narration.js";

/** Who is logged in, and what can be done. */
export const drawSession = (state: DemoState): void => {
  const { session } = state;
  byId("login").hidden = session !== undefined;
  byId("session").hidden = session === undefined;
  const identity = byId("identity");
  identity.hidden = session === undefined;
  identity.textContent =
    session === undefined ? "" : `${session.userId} · session ${session.handle.slice(0, 8)} · token ${session.seq}`;
  const lose = buttonById("lose");
  lose.setAttribute("aria-pressed", String(state.losing));
  lose.disabled = state.losing;
};

/** The alarm, or the plain end of a session. */
export const drawEnding = (ending: Ending | undefined): void => {
  const place = byId("ending");
  place.hidden = ending === undefined;
  if (ending === undefined) return;
  const { theft, explanation } = ending;
  place.dataset.reason = explanation.reason ?? "unknown";
  byId("ending-title").textContent = theft ? "Theft caught: your session was ended" : "Your session was ended";
  byId("ending-text").textContent = theft
    ? "Somebody else used a copy of your refresh token. Both of you are out; nothing more can be done with it."
    : "It was not this browser that ended it. Log in again to go on.";
  byId("ending-reason").textContent = `The server’s record: ${explanation.summary}`;
};

export const drawNarration = (narration: Narration): void => {
  byId("narration-title").textContent = narration.title;
  byId("narration-text").textContent = narration.text;
  byId("narration-title").parentElement?.setAttribute("data-tone", narration.tone);
};
