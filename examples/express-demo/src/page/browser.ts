import type { CookieView, Role } from "./answers.js";
import { expireAccessToken, lookAtCookies } from "./demo-endpoints.js";
import type { DemoStore } from "./demo-state.js";
import { askToConfirm } from "./confirmation.js";
import { beginLineage, endLineage, heldBy, loseAnswer, turn } from "./lineage.js";
import * as say from "./narration.js";
import type { WebEndReason } from "./pawl-web/index.js";
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
  #lost = false;
  /** Whether the vault has asked. */
  #asked = false;
  #rangAlarm = false;

  constructor(store: DemoStore, log: RequestLog) {
    this.#store = store;
    this.#log = log;
    this.#client = new SessionClient({
      onStepUp: () => this.#confirm(),
      onRequest: (answered) => this.#note(answered),
      onTokensLost: () => this.#tokensLost(),
      onEnded: (reason) => this.#ended(reason),
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
    await this.#look("seen");
  }

  async logIn(name: string): Promise<void> {
    const result = await this.#client.call("POST", "/login", { name });
    if (result.kind !== "answered") return this.#store.show({ narration: say.unknown });
    const { status, body } = result;
    if (status !== 200) return this.#store.show({ narration: say.refused(body.message ?? "") });
    this.#forget();
    this.#store.show({ lineage: undefined });
    await this.#look("login");
    this.#store.show({ narration: say.loggedIn(this.#store.settings.accessLifetime) });
    if (this.#store.settings.https) await this.#awaitBinding();
  }

  /** Looks whether the browser binds the session: it brings its key right after the login, and tells no page of it. */
  async #awaitBinding(): Promise<void> {
    for (let attempt = 0; attempt < 10 && !this.#store.isBound; attempt++) {
      await pause(200);
      await this.#look("seen");
    }
    if (this.#store.isBound) this.#store.show({ narration: say.bound });
  }

  /** Makes a protected call, refreshing where needed; a quiet one is spoken of only when it changed something. */
  async call(how: { readonly quiet: boolean } = { quiet: false }): Promise<void> {
    const before = this.#seq();
    const result = await this.#callApi();
    const seq = this.#seq();
    if (result.kind !== "answered" || seq === undefined) return;
    if (this.#store.state.refused === "just_now") this.#store.show({ refused: "and_owner_went_on" });
    const refreshed = seq !== before;
    const confirmed = !refreshed && this.#store.confirm("you");
    const survived = refreshed && this.#lost;
    this.#lost = false;
    if (how.quiet && !refreshed && !confirmed) return;
    this.#store.show({ narration: survived ? say.survived(seq) : say.called({ refreshed, confirmed, seq }) });
  }

  async callFive(): Promise<void> {
    const before = this.#seq();
    const results = await Promise.all(Array.from({ length: 5 }, () => this.#callApi()));
    const seq = this.#seq();
    if (seq === undefined || results.some((result) => result.kind !== "answered")) return;
    this.#lost = false;
    const refreshes = seq - (before ?? seq);
    if (refreshes === 0) this.#store.confirm("you");
    this.#store.show({ narration: say.calledFive(refreshes, seq) });
  }

  /** Does what only an editor may. */
  async publish(): Promise<void> {
    const before = this.#store.state.session;
    const left = (before?.expiresAt ?? 0) - this.#store.now();
    const result = await this.#client.call("POST", "/api/article");
    if (result.kind === "unknown") return this.#store.show({ narration: say.unknown });
    if (result.kind !== "answered") return;
    const wasOld = before?.claims["pver"] !== this.#store.state.session?.claims["pver"];
    this.#store.show({
      narration: result.status === 200 ? say.published : say.notPublished(wasOld ? left : undefined),
    });
  }

  /** Opens what wants a user who has just proved who they are. */
  async openVault(): Promise<void> {
    this.#asked = false;
    const result = await this.#client.call("GET", "/api/vault");
    if (result.kind === "unknown") return this.#store.show({ narration: say.unknown });
    if (result.kind !== "answered") return;
    this.#store.show({ narration: result.status === 200 ? say.vaultOpened(this.#asked) : say.vaultClosed });
  }

  #confirm(): Promise<void> {
    this.#asked = true;
    this.#store.show({ narration: say.askedToConfirm });
    return askToConfirm();
  }

  loseNextAnswer(): void {
    this.#client.loseNextTokens();
    this.#store.show({ losing: true, narration: say.losing });
  }

  async expire(): Promise<void> {
    await expireAccessToken();
    const { isBound, state } = this.#store;
    const { session } = state;
    if (session === undefined) return;
    this.#store.show({
      session: { ...session, expiresAt: this.#store.now() },
      narration: isBound ? say.expiredBound : say.expired,
    });
  }

  async logOut(where: "here" | "everywhere"): Promise<void> {
    const result = await this.#client.call("POST", where === "here" ? "/logout" : "/logout/everywhere");
    if (result.kind === "unknown") return this.#store.show({ narration: say.unknown });
    if (result.kind === "answered")
      this.#store.show({ ending: undefined, narration: say.loggedOut(where, result.body.ended ?? 0) });
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
    if (result.kind === "unknown") this.#store.show({ narration: say.unknown });
    return result;
  }

  /** Place of the refresh token that this browser holds. */
  #seq(): number | undefined {
    return this.#store.state.session?.seq;
  }

  async #note(answered: LoggedRequest): Promise<void> {
    // Of a refresh that the browser itself has made no answer tells.
    if (answered.turned || this.#store.isBound) await this.#look("seen");
    this.#rangAlarm = answered.code === "TOKEN_THEFT";
    this.#log.add({
      who: "you",
      method: answered.method,
      path: answered.path,
      status: answered.status,
      tone: answered.status === 200 ? "good" : say.isEnd(answered) ? "bad" : "note",
      words: say.wordsOf(answered, this.#seq()),
    });
    this.#store.show({ losing: this.#client.losesNext });
  }

  #tokensLost(): void {
    this.#lost = true;
    this.#store.show({ losing: false, narration: say.lostAnswer });
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
    const role = accessToken.claims["role"] as Role;
    // The administrator knows better than a token that is old.
    this.#store.show({
      session: accessToken,
      role: session?.handle === accessToken.handle ? this.#store.state.role : role,
    });
    if (session?.handle === accessToken.handle && lineage !== undefined)
      this.#store.draw((known) => turn(known, "you", received));
    else
      this.#store.show({
        lineage: beginLineage(received, how),
        turnedAt: accessToken.issuedAt,
      });
    return view;
  }

  /** In this tab or in another one. */
  #ended(reason: WebEndReason): void {
    const { session, lineage } = this.#store.state;
    if (session === undefined) return;
    this.#forget();
    const held = lineage && heldBy(lineage, "you");
    if (held !== undefined && this.#rangAlarm)
      this.#store.draw((drawn) => endLineage(drawn, { kind: "theft", by: "you", seq: held.seq }));
    this.#store.draw((drawn) => endLineage(drawn, { kind: "ended", label: say.endOf(reason) }));
    this.#store.show({ ending: reason, narration: say.foundOut(reason) });
  }

  /** The session is over for this browser; the drawing stays until the next login. */
  #forget(): void {
    this.#lost = false;
    this.#store.show({ session: undefined, ending: undefined, jar: undefined, refused: undefined });
  }
}
