import type * as ExpressEntry from "supertokens-node";

/** Where an SDK looks for a core. */
export interface Host {
  readonly hostname: string;
  readonly port: number;
}

export type TokenName = "sAccessToken" | "sRefreshToken" | "sIdRefreshToken";

/** What a call came to, whichever entry it went through; the members that do not apply are left out. */
export interface Outcome {
  readonly userId?: string;
  readonly errType?: number;
  readonly message?: string;
  /** With a theft. */
  readonly robbed?: { readonly sessionHandle: string; readonly userId: string };
}

export interface VerifyOptions {
  /** Whether the application wants the anti-CSRF token compared; true unless given. */
  readonly check?: boolean;
  /** The token that is sent; the client's own unless given, none when undefined. */
  readonly antiCsrf?: string | undefined;
}

/** Somebody who is logged in by an application, and holds what it was given. */
export interface Client {
  /** Under the names of the cookies; a test may change them. */
  readonly tokens: Map<TokenName, string>;
  readonly antiCsrf: string | undefined;
  login(userId: string): Promise<Outcome>;
  verify(options?: VerifyOptions): Promise<Outcome>;
  refresh(): Promise<Outcome>;
  /** Somebody else who holds the same. */
  copy(): Client;
}

/** What both entries of the SDK export alike. */
export type CommonSdk = Pick<
  typeof ExpressEntry,
  | "Error"
  | "getAllSessionHandlesForUser"
  | "revokeAllSessionsForUser"
  | "revokeSessionUsingSessionHandle"
  | "getSessionData"
  | "updateSessionData"
>;

/** An application on one entry of the SDK, with a copy of the SDK of its own. */
export interface Application<Visitor extends Client = Client> {
  readonly sdk: CommonSdk;
  newClient(): Visitor;
  close(): Promise<void>;
}

export interface Entry<Visitor extends Client = Client> {
  readonly name: string;
  start(hosts: readonly Host[]): Promise<Application<Visitor>>;
}
