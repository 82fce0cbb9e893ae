import type { DemoStore } from "./demo-state.js";
import { buttonById, byId, html } from "./element.js";
import { heldBy } from "./lineage.js";
import { foretell } from "./narration.js";

/** The thief's jar, how far the theft has come, and what a replay would meet now. */
export const drawThief = (store: DemoStore): void => {
  const { session, lineage, jar } = store.state;
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
  drawSteps(done, [
    "The thief copies your refresh token",
    "Your page refreshes: wait for the ring, make a call",
    `Your page calls again, more than ${store.settings.reuseWindow} s later`,
    "The thief replays the copy",
  ]);
  const waits = { window: store.settings.reuseWindow * 1000, wait: store.provableIn() };
  const place = byId("forecast");
  setText(place, caught ? "Caught. The session is over for both." : foretell(forecast, waits));
  place.dataset.forecast = caught ? "over" : forecast;
  place.dataset.provable = String(waits.wait <= 0);

  buttonById("steal").disabled = session === undefined;
  buttonById("replay").disabled = stolen === undefined;
  buttonById("thief-call").disabled = stolen?.issuedAt === undefined;
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
