import type { Pawl } from "@pawl/node";

/** What the sessions of the kit's application carry. */
export type KitPayload = { readonly role: "admin" | "user" };
export type KitPawl = Pawl<KitPayload>;

/** What a handler can still call when the head of its answer has been sent. */
export interface LateCalls {
  /** For the user `alice` with the role `user`. */
  createSession(): Promise<unknown>;
  /** Of the request's session, to the role `admin`. */
  updatePayload(): Promise<void>;
  signOut(): Promise<void>;
}

/** How the kit takes part in what the application does. */
export interface Hooks {
  /** `GET /slow` waits for it before it answers, `GET /stream` between its two parts, with what it can still call then. */
  wait(calls?: LateCalls): Promise<void>;
}

export interface Served {
  /**
   * `http://127.0.0.1:port`, without a slash; `https://` where TLS counts for the application, and `h2://` and `h2c://` for
   * HTTP/2 with and without TLS.
   */
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/**
 * Serves the kit's application on the real framework with the adapter, as its users would write it:
 *
 * - `GET /public` answers `public`, whoever asks
 * - `POST /login?role=admin` creates a session of the user `alice` and sets the cookie `app=1` besides: `{}`
 * - `GET /me` requires a session: `{ userId, role }`
 * - `GET /maybe` asks for one: `{ userId }`, null where there is none
 * - `DELETE /users/1` requires one whose role is `admin`: `{}`
 * - `POST /save` requires one and replaces its payload by `{ role: "admin" }`: `{}`
 * - `GET /vault` requires one with `{ maxAge: "10m", actor: false }`: `{}`
 * - `POST /confirm` requires one and steps it up with `{ methods: ["otp"] }`: `{}`
 * - `POST /act` requires one and makes it act for `bob` with the role `user`, or for itself again where it acts: `{}`
 * - `GET /slow` requires one, then waits for the hook: `{}`
 * - `GET /throws` requires one, then throws an `Error` that the framework answers with 500
 * - `GET /redirect` requires one, sets the cookie `app=2` and redirects to `/public` with 302
 * - `GET /stream` requires one and sends `one`, waits for the hook, and sends `two`
 * - `POST /leave` signs out: `{}`
 */
export type Serve = (pawl: KitPawl, hooks: Hooks) => Promise<Served>;

/** Where a framework, or a server before it, answers by itself; each with the reason. */
export interface OwnAnswers {
  /** It answers 500 where `Host` is no host, or the target of a request is none. */
  readonly failsAtOddHosts?: string;
  /** It names the target of a request in an answer of its own, whatever host stands there. */
  readonly namesTargets?: string;
  /** It holds a streamed answer back until it is whole. */
  readonly holdsStreams?: string;
  /** Its answer to an `Error` that a handler throws is not the adapter's to add to: the cookies of a refresh are lost with it. */
  readonly losesCookiesOfErrors?: string;
  /** It refuses a form that comes without an `Origin`, as from an identity provider. */
  readonly refusesForms?: string;
}
