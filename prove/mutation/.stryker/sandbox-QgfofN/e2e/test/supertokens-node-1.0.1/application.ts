import type { RequestHandler } from "express";
import type * as ExpressEntry from "supertokens-node";
import { onTestFinished } from "vitest";
import type { TestCore } from "../core.js";
import { type CountingProxy, countingProxy } from "../counting-proxy.js";
import { type Browser, expressApplication } from "./express-application.js";
import { sessionApplication } from "./session-application.js";

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

/** The entry `supertokens-node`, in an Express application. */
export const expressEntry = (parser?: RequestHandler): Entry<Browser> => ({
  name: "supertokens-node@1.0.1 in Express",
  start: (hosts) => expressApplication(hosts, parser),
});

/** Both entries of the package. */
export const entries: readonly Entry[] = [
  expressEntry(),
  { name: "supertokens-node@1.0.1/session", start: (hosts) => sessionApplication(hosts) },
];

/** Starts an application that is closed after the test. */
export const startApplication = async <Visitor extends Client>(
  entry: Entry<Visitor>,
  hosts: readonly Host[],
): Promise<Application<Visitor>> => {
  const application = await entry.start(hosts);
  onTestFinished(() => application.close());
  return application;
};

let users = 0;

export interface Setup<Visitor extends Client> extends Application<Visitor> {
  readonly proxy: CountingProxy;
  /** A user of this test alone. */
  readonly userId: string;
  /** Logs a new client in; what the core was asked for it is not counted. */
  loggedIn(): Promise<Visitor>;
}

/** An application on a core, with a proxy between them that counts. */
export const setup = async <Visitor extends Client>(entry: Entry<Visitor>, core: TestCore): Promise<Setup<Visitor>> => {
  const proxy = await countingProxy(core.host);
  onTestFinished(() => proxy.close());
  const application = await startApplication(entry, [proxy.host]);
  const userId = `user-${++users}`;
  return {
    ...application,
    proxy,
    userId,
    async loggedIn() {
      const client = application.newClient();
      const { errType, message } = await client.login(userId);
      if (errType !== undefined) throw new Error(`the login failed: ${errType} ${message}`);
      proxy.take();
      return client;
    },
  };
};
