import { Browser } from "./browser.js";
import { getSettings } from "./demo-endpoints.js";
import { DemoStore } from "./demo-state.js";
import { buttonById, byId, inputById } from "./element.js";
import { LifetimeRing } from "./lifetime-ring.js";
import { LineageDrawing } from "./lineage-drawing.js";
import { unknown } from "./narration.js";
import { Administrator, drawAdministrator } from "./administrator.js";
import { RequestLog } from "./request-log.js";
import { drawThief } from "./thief-card.js";
import { Thief } from "./thief.js";
import { drawToken } from "./token-card.js";
import { drawEnding, drawNarration, drawSession } from "./session-card.js";

const store = new DemoStore(await getSettings(), draw);
const log = new RequestLog(byId("log"));
const browser = new Browser(store, log);
const thief = new Thief(store, log, browser);
const administrator = new Administrator(store);
const ring = new LifetimeRing(byId("ring"));
const lineage = new LineageDrawing(byId("lineage"));
const { settings } = store;

byId("mode").textContent = settings.mode === "core" ? "with a core" : "embedded";
byId("backend").textContent = settings.backend;

/** Draws what changes with the state; what only changes with time is drawn by `tick`. */
function draw(): void {
  const { state } = store;
  drawSession(store);
  drawEnding(store);
  drawNarration(state.narration);
  drawAdministrator(state);
  drawToken(byId("token"), state.session);
  lineage.draw(state.lineage);
  byId("lineage-empty").hidden = state.lineage !== undefined;
  tick();
}

function tick(): void {
  const { session } = store.state;
  ring.draw(session && { expiresAt: session.expiresAt, lifetime: settings.accessLifetime * 1000 }, store.now());
  drawThief(store);
}

/** Runs what the visitor or the clock asked for; when the demo server is gone, the page says so and stays. */
const attempt = async (act: () => Promise<void> | void): Promise<void> => {
  try {
    await act();
  } catch {
    store.show({ narration: unknown });
  }
};

/** Runs an action on click; while it runs the button looks at rest. */
const onClick = (id: string, act: () => Promise<void> | void): void => {
  const button = buttonById(id);
  const run = async (): Promise<void> => {
    button.dataset.busy = "yes";
    await attempt(act);
    delete button.dataset.busy;
  };
  button.addEventListener("click", () => void run());
};

onClick("call", () => browser.call());
onClick("five", () => browser.callFive());
onClick("publish", () => browser.publish());
onClick("vault", () => browser.openVault());
onClick("take-role", () => administrator.change("reader"));
onClick("give-role", () => administrator.change("editor"));
onClick("lose", () => browser.loseNextAnswer());
onClick("expire", () => browser.expire());
onClick("logout", () => browser.logOut("here"));
onClick("logout-everywhere", () => browser.logOut("everywhere"));
onClick("steal", () => thief.steal());
onClick("replay", () => thief.replay());
onClick("thief-call", () => thief.call());

byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(() => browser.logIn(inputById("name").value.trim()));
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void attempt(() => browser.lookAgain());
});

const keepCalling = inputById("keep-calling");
const interval = Math.min(5, Math.max(1, Math.round(settings.accessLifetime / 4)));
byId("keep-calling-label").textContent = `Call by itself every ${interval} s, as a live page does`;
setInterval(() => {
  if (keepCalling.checked && store.state.session !== undefined) void attempt(() => browser.call({ quiet: true }));
}, interval * 1000);

addEventListener("resize", draw);

draw();
await attempt(() => browser.takeUp());
setInterval(tick, 100);
