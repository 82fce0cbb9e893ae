import type { RequestHandler } from "express";
import { onTestFinished } from "vitest";
import type { TestCore } from "../core.js";
import { type CountingProxy, countingProxy } from "../counting-proxy.js";
import type { Application, Client, Entry, Host } from "./client.js";
import { type Browser, expressApplication } from "./express-application.js";
import { sessionApplication } from "./session-application.js";

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
