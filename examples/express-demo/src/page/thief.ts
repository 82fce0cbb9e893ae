import { refreshPath } from "./answers.js";
import { apiPath, type Browser } from "./browser.js";
import { callAsThief, copyRefreshToken, replayAsThief } from "./demo-endpoints.js";
import type { DemoStore } from "./demo-state.js";
import { copyToken, endLineage, heldBy, turn } from "./lineage.js";
import * as say from "./narration.js";
import type { RequestLog } from "./request-log.js";

/** What the thief does, with a cookie jar of its own on the demo server. */
export class Thief {
  readonly #store: DemoStore;
  readonly #log: RequestLog;
  readonly #victim: Browser;

  constructor(store: DemoStore, log: RequestLog, victim: Browser) {
    this.#store = store;
    this.#log = log;
    this.#victim = victim;
  }

  /** Copies the refresh token's cookie of this browser, or all its cookies where the server is asked to take them. */
  async steal(): Promise<void> {
    const { jar, fingerprint } = await copyRefreshToken(this.#store.state.jar);
    const { isBound } = this.#store;
    this.#store.draw((lineage) => copyToken(lineage, { fingerprint, isWorthless: isBound }));
    const narration = isBound ? say.stolenJar : say.stolen(this.#held()?.seq ?? 0);
    this.#store.show({ jar, narration, refused: undefined });
  }

  /** Hands the copied token in, as if it were the thief's own. */
  async replay(): Promise<void> {
    const { jar } = this.#store.state;
    const shown = this.#held();
    if (jar === undefined || shown === undefined) return;
    const foretold = this.#store.forecast();
    const answer = await replayAsThief(jar);
    const { holds } = answer;
    const theft = answer.code === "TOKEN_THEFT";
    this.#log.add({
      who: "thief",
      method: "POST",
      path: refreshPath,
      status: answer.status,
      tone: theft ? "bad" : "note",
      words: say.wordsOfReplay(answer, { shown: shown.seq, isBound: foretold === "bound" }),
    });
    if (holds !== undefined && answer.status === 200) this.#store.draw((lineage) => turn(lineage, "thief", holds));
    if (theft) this.#store.draw((lineage) => endLineage(lineage, { kind: "theft", by: "thief", seq: shown.seq }));
    const isRefused = foretold === "bound" && answer.status !== 200;
    this.#store.show({ narration: say.replayed(answer, foretold), ...(isRefused && { refused: "just_now" }) });
    if (theft) await this.#victim.findOut();
  }

  /** Calls the protected API with the access token that came with the thief's refresh. */
  async call(): Promise<void> {
    const { jar } = this.#store.state;
    if (jar === undefined) return;
    const answer = await callAsThief(jar);
    const passed = answer.status === 200;
    this.#log.add({
      who: "thief",
      method: "GET",
      path: apiPath,
      status: answer.status,
      tone: passed ? "bad" : "note",
      words: answer.message,
    });
    const confirmed = passed && this.#store.confirm("thief");
    this.#store.show({ narration: say.thiefCalled(answer, { confirmed }) });
  }

  #held() {
    const { lineage } = this.#store.state;
    return lineage === undefined ? undefined : heldBy(lineage, "thief");
  }
}
