import type { DemoStore } from "./demo-state.js";
import { buttonById, byId, html } from "./element.js";
import { heldBy } from "./lineage.js";
import { foretell, foretoldOfBound } from "./narration.js";

/** The thief's jar, how far the theft has come, and what a replay would meet now. */
export const drawThief = (store: DemoStore): void => {
  const { session, lineage, jar, refused } = store.state;
  const { isBound, settings } = store;
  const stolen = lineage === undefined || jar === undefined ? undefined : heldBy(lineage, "thief");
  const caught = lineage?.end?.kind === "theft";
  const caughtInTheAct = lineage?.end?.kind === "theft" && lineage.end.by === "thief";
  const forecast = store.forecast();

  setText(
    byId("jar"),
    stolen === undefined ? "holds nothing" : `holds token ${stolen.seq} · ${stolen.fingerprint?.slice(0, 6) ?? ""}`,
  );
  const done = [
    stolen !== undefined || caught,
    forecast === "second_tab" || forecast === "unconfirmed" || forecast === "caught" || caughtInTheAct,
    forecast === "caught" || caughtInTheAct,
    caught,
  ];
  const isWorthless = [stolen !== undefined, refused !== undefined, refused === "and_owner_went_on"];
  if (isBound)
    drawSteps(isWorthless, [
      "The thief copies your whole cookie jar",
      "The thief replays the refresh token, without your browser’s key",
      "Your page goes on: make a call",
    ]);
  else
    drawSteps(done, [
      "The thief copies your refresh token",
      "Your page refreshes: wait for the ring, make a call",
      `Your page calls again, more than ${store.settings.reuseWindow} s later`,
      "The thief replays the copy",
    ]);
  const waits = { window: store.settings.reuseWindow * 1000, wait: store.provableIn() };
  const place = byId("forecast");
  const foretold = isBound && forecast === "nothing" ? foretoldOfBound : foretell(forecast, waits);
  setText(place, caught ? "Caught. The session is over for both." : foretold);
  place.dataset.forecast = caught ? "over" : forecast;
  place.dataset.provable = String(waits.wait <= 0);

  setText(buttonById("steal"), settings.https ? "Copy the cookie jar" : "Copy the token");
  buttonById("steal").disabled = session === undefined;
  buttonById("replay").disabled = stolen === undefined;
  buttonById("thief-call").disabled = stolen?.issuedAt === undefined && !(settings.https && stolen !== undefined);
};

const drawSteps = (done: readonly boolean[], steps: readonly string[]): void => {
  const place = byId("steps");
  const next = done.indexOf(false);
  const items = steps.map((text, index) =>
    html("li", done[index] === true ? "done" : index === next && done.at(-1) === false ? "next" : "", text),
  );
  const state = items.map((item) => `${item.className} ${item.textContent}`).join();
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.replaceChildren(...items);
};

const setText = (place: HTMLElement, text: string): void => {
  if (place.textContent !== text) place.textContent = text;
};
