import { type CookieView, refreshPath, type SessionErrorCode } from "./answers.js";
import { expireAccessToken, explain, lookAtCookies } from "./demo-endpoints.js";
import type { DemoStore } from "./demo-state.js";
import { beginLineage, endLineage, heldBy, loseAnswer, turn } from "./lineage.js";
import * as say from "./narration.js";
import type { RequestLog } from "./request-log.js";
import { type CallResult, type LoggedRequest, SessionClient } from "./session-client.js";

/** The API of the application that needs a session. */
export const apiPath = "/api/greeting";

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What the visitor's own browser does. */
export class Browser {
  readonly #store: DemoStore;
  readonly #log: RequestLog;
  readonly #client: SessionClient;
  #refreshes = 0;
  #lost = false;

  constructor(store: DemoStore, log: RequestLog) {
    this.#store = store;
    this.#log = log;
    this.#client = new SessionClient({
      onRequest: (answered) => this.#note(answered),
      onRefreshed: () => this.#refreshed(),
      onRefreshLost: () => this.#answerLost(),
    });
  }

  /** Takes up the session that the cookies hold, after the page was loaded. */
  async takeUp(): Promise<void> {
    const view = await this.#look("seen");
    if (view.accessToken !== undefined) this.#store.show({ narration: say.seenAgain });
    else if (view.refreshFingerprint !== undefined) await this.call();
  }

  /** Another tab may have turned the session meanwhile. */
  async lookAgain(): Promise<void> {
    if (this.#store.state.session !== undefined) await this.#look("seen");
  }

  async logIn(name: string): Promise<void> {
    const result = await this.#client.call("POST", "/login", { name });
    if (result.kind !== "answered") return this.#store.show({ narration: say.unknown });
    const { status, body } = result.answered;
    if (status !== 200) return this.#store.show({ narration: say.refused(body.message ?? "") });
    this.#forget();
    this.#store.show({ lineage: undefined });
    await this.#look("login");
    this.#store.show({ narration: say.loggedIn(this.#store.settings.accessLifetime) });
  }

  /** Makes a protected call, refreshing where needed; a quiet one is spoken of only when it changed something. */
  async call(how: { readonly quiet: boolean } = { quiet: false }): Promise<void> {
    const result = await this.#callApi();
    const { session } = this.#store.state;
    if (result.kind !== "answered" || session === undefined) return;
    const confirmed = !result.refreshed && this.#store.confirm("you");
    const survived = result.refreshed && this.#lost;
    this.#lost = false;
    if (how.quiet && !result.refreshed && !confirmed) return;
    this.#store.show({
      narration: survived
        ? say.survived(session.seq)
        : say.called({ refreshed: result.refreshed, confirmed, seq: session.seq }),
    });
  }

  async callFive(): Promise<void> {
    const before = this.#refreshes;
    const results = await Promise.all(Array.from({ length: 5 }, () => this.#callApi()));
    const { session } = this.#store.state;
    if (session === undefined || results.some((result) => result.kind !== "answered")) return;
    this.#lost = false;
    const refreshes = this.#refreshes - before;
    if (refreshes === 0) this.#store.confirm("you");
    this.#store.show({ narration: say.calledFive(refreshes, session.seq) });
  }

  loseNextAnswer(): void {
    this.#client.loseNextRefreshAnswer();
    this.#store.show({ losing: true, narration: say.losing });
  }

  async expire(): Promise<void> {
    await expireAccessToken();
    const { session } = this.#store.state;
    if (session === undefined) return;
    this.#store.show({ session: { ...session, expiresAt: this.#store.now() }, narration: say.expired });
  }

  async logOut(where: "here" | "everywhere"): Promise<void> {
    const result = await this.#client.call("POST", where === "here" ? "/logout" : "/logout/everywhere");
    if (result.kind === "ended") return this.#learnWhy(result.code);
    if (result.kind === "unknown") return this.#store.show({ narration: say.unknown });
    this.#forget();
    this.#store.draw((lineage) => endLineage(lineage, { kind: "ended", label: "logged out" }));
    this.#store.show({ narration: say.loggedOut(where, result.answered.body.ended ?? 0) });
  }

  /** After the thief was caught the browser finds out with its next request. */
  async findOut(): Promise<void> {
    for (let attempt = 0; attempt < 20 && this.#store.state.session !== undefined; attempt++) {
      await pause(attempt === 0 ? 700 : 200);
      await this.#callApi();
    }
  }

  async #callApi(): Promise<CallResult> {
    const result = await this.#client.call("GET", apiPath);
    if (result.kind === "ended") await this.#learnWhy(result.code);
    if (result.kind === "unknown") this.#store.show({ narration: say.unknown });
    return result;
  }

  #note(answered: LoggedRequest): void {
    if (answered.path === refreshPath && answered.status === 200) this.#refreshes += 1;
    const ended = answered.code === "unauthorised" || answered.code === "token_theft_detected";
    this.#log.add({
      who: "you",
      method: answered.method,
      path: answered.path,
      status: answered.status,
      tone: answered.status === 200 ? "good" : ended ? "bad" : "note",
      words: say.wordsOf(answered, this.#store.state.session?.seq),
    });
  }

  async #refreshed(): Promise<void> {
    await this.#look("seen");
    this.#store.show({ losing: this.#client.losesNext });
  }

  #answerLost(): void {
    this.#lost = true;
    this.#store.show({ losing: this.#client.losesNext, narration: say.lostAnswer });
    this.#store.draw(loseAnswer);
  }

  async #look(how: "login" | "seen"): Promise<CookieView> {
    const view = await lookAtCookies();
    this.#store.setClock(view.now);
    const { accessToken, refreshFingerprint } = view;
    if (accessToken === undefined) return view;
    const { session, lineage } = this.#store.state;
    const received = {
      seq: accessToken.seq,
      fingerprint: refreshFingerprint,
      issuedAt: accessToken.issuedAt,
    };
    this.#store.show({ session: accessToken });
    if (session?.handle === accessToken.handle && lineage !== undefined)
      this.#store.draw((known) => turn(known, "you", received));
    else
      this.#store.show({
        lineage: beginLineage(received, how),
        turnedAt: accessToken.issuedAt,
      });
    return view;
  }

  async #learnWhy(code: SessionErrorCode): Promise<void> {
    const { session, lineage } = this.#store.state;
    if (session === undefined) return;
    this.#forget();
    const held = lineage === undefined ? undefined : heldBy(lineage, "you");
    if (held !== undefined && code === "token_theft_detected")
      this.#store.draw((drawn) => endLineage(drawn, { kind: "theft", by: "you", seq: held.seq }));
    const explanation = await explain(session.handle);
    const theft = explanation.reason === "token_reuse";
    this.#store.draw((drawn) => endLineage(drawn, { kind: "ended", label: theft ? "theft" : "session ended" }));
    this.#store.show({ ending: { theft, explanation }, narration: say.foundOut({ theft }) });
  }

  /** The session is over for this browser; the drawing stays until the next login. */
  #forget(): void {
    this.#lost = false;
    this.#store.show({ session: undefined, ending: undefined, jar: undefined });
  }
}
