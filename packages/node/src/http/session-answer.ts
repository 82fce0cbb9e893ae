import type { IssuedSession, IssuedToken, SessionHandle, SessionSummary } from "@pawl/engine";
import type { WarnOnce } from "../application-hook.js";
import { lineBytes, warnOfLargeAnswer } from "./cookie-size.js";
import type { SessionCookies } from "./cookies.js";
import { offerRegistration } from "./device-headers.js";
import type { Exchange } from "./exchange.js";
import type { TokenTransfer } from "./token-transfer.js";
import { announceEnd, announceTokens, exposeAccessToken, exposeTokens } from "./announcement.js";

type Change = {
  readonly transfer: TokenTransfer;
  /** From when on its time runs; undefined: it never comes too late. */
  readonly since?: number | undefined;
} & (
  | { readonly kind: "tokens"; readonly issued: IssuedSession }
  | ({ readonly kind: "access" } & NewAccessToken)
  | { readonly kind: "told"; readonly session: SessionSummary; readonly accessToken: IssuedToken }
  | { readonly kind: "end" }
);

/** An access token of a session, beside which the refresh token stays. */
export interface NewAccessToken {
  /** As the token tells it. */
  readonly session: SessionSummary;
  readonly token: IssuedToken;
  /** Ms since the epoch. */
  readonly cookieExpiry: number;
  /** As of a login. */
  readonly registration?: string | undefined;
}

export interface AnswerRules {
  readonly cookies: SessionCookies;
  /** Where a browser brings the key of its device. */
  readonly devicePath: string;
  /** A clock that only goes forward, in ms. */
  readonly now: () => number;
  /** Whether more time has passed since then, by `now`, than a server may take of an exchange. */
  readonly isLate: (since: number, now: number) => boolean;
  /** Whether a session is known to have ended. */
  readonly hasEnded: (handle: SessionHandle) => boolean;
  readonly warnOnce: WarnOnce;
}

/**
 * What the answer to a request will tell its client about the session. The last word counts, and it is written when the
 * head of the answer is sent, so that each cookie is written once.
 *
 * An answer that comes late is a lost one: where more than a sixth of the reuse window has passed since the request came,
 * nothing is written, unless it is a login. The client keeps its older token, which stays valid as after any answer that was
 * lost. Written late, a token that was displaced meanwhile could come back into the jar, and the next refresh would look
 * like a theft; cookies that are cleared late could be those of the next login. Nor are tokens written of a session that has
 * ended meanwhile: the browser may have those of the login that replaced it.
 */
export class SessionAnswer {
  readonly #exchange: Exchange;
  readonly #rules: AnswerRules;
  #change: Change | undefined;

  constructor(exchange: Exchange, rules: AnswerRules) {
    this.#exchange = exchange;
    this.#rules = rules;
  }

  /** The tokens of a new session: nobody else can have newer ones. */
  login(issued: IssuedSession, transfer: TokenTransfer): void {
    this.#set({ kind: "tokens", issued, transfer });
  }

  /** New tokens; `since` is when the refresh began that they come from. */
  refreshed(
    issued: IssuedSession,
    { transfer, since }: { readonly transfer: TokenTransfer; readonly since: number },
  ): void {
    this.#set({ kind: "tokens", issued, transfer, since: Math.min(since, this.#seenAt()) });
  }

  /** A new access token beside the refresh token that the client has, or gets with this answer. */
  access(given: NewAccessToken, transfer: TokenTransfer): void {
    const change = this.#change;
    if (change?.kind === "tokens") {
      const { session, token: accessToken } = given;
      const registration = given.registration ?? change.issued.registration;
      this.#set({ ...change, issued: { ...change.issued, session, accessToken, registration } });
    } else this.#set({ kind: "access", ...given, transfer, since: this.#rules.now() });
  }

  /** Tells a page of the tokens that its browser has. */
  tell(session: SessionSummary, accessToken: IssuedToken): void {
    if (this.#change === undefined) this.#set({ kind: "told", session, accessToken, transfer: "cookie" });
  }

  /** The client is to forget the session. */
  end(transfer: TokenTransfer): void {
    this.#set({ kind: "end", transfer, since: this.#seenAt() });
  }

  #seenAt(): number {
    return this.#exchange.seenAt(this.#rules.now());
  }

  #set(change: Change): void {
    if (!this.#exchange.canWrite()) return;
    if (this.#change === undefined) this.#exchange.beforeHead(() => this.#write());
    this.#change = change;
  }

  #write(): void {
    const exchange = this.#exchange;
    const { cookies, warnOnce } = this.#rules;
    const change = this.#change;
    if (change === undefined || this.#isLost(change)) return;
    exchange.setHeader("Cache-Control", "no-store");
    if (change.kind === "told") announceTokens(exchange, change);
    else if (change.kind === "access") {
      const { session, token, cookieExpiry: expires } = change;
      if (change.transfer === "cookie")
        cookies.writeAccess(exchange, { token, isBound: session.bound === true, expires });
      else exposeAccessToken(exchange, token.token);
      this.#offerRegistration(change, change.registration);
      announceTokens(exchange, { session, accessToken: token });
    } else if (change.kind === "end") {
      if (change.transfer === "cookie") cookies.clear(exchange);
      announceEnd(exchange, change.transfer);
    } else {
      if (change.transfer === "cookie") cookies.write(exchange, change.issued);
      else exposeTokens(exchange, change.issued);
      this.#offerRegistration(change, change.issued.registration);
      const announced = announceTokens(exchange, change.issued);
      warnOfLargeAnswer(lineBytes(exchange.cookieLines()) + announced, warnOnce);
    }
  }

  #offerRegistration({ transfer }: Change, challenge: string | undefined): void {
    if (transfer === "cookie" && challenge !== undefined)
      offerRegistration(this.#exchange, challenge, this.#rules.devicePath);
  }

  #isLost(change: Change): boolean {
    const { now, isLate, hasEnded } = this.#rules;
    if (change.since === undefined) return false;
    if (change.kind === "end") return isLate(change.since, now());
    const { handle } = (change.kind === "tokens" ? change.issued : change).session;
    return isLate(change.since, now()) || hasEnded(handle);
  }
}
