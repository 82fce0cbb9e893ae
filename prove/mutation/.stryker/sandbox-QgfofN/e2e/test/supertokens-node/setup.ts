import { decodeProtectedHeader } from "jose";
import { afterAll, beforeAll } from "vitest";
import type { TestCore } from "../core.js";
import { type CountingProxy, countingProxy } from "../counting-proxy.js";
import { type Application, type ApplicationOptions, startApplication } from "./application.js";
import type { Login } from "./sdk.js";
import type { SdkVersion } from "./sdk-version.js";
import type { Visitor, VisitorOptions } from "./visitor.js";

let users = 0;

export interface Setup extends Application {
  /** Stands between the application and the core, and counts. */
  readonly proxy: CountingProxy;
  /** A user of this test alone. */
  readonly userId: string;
  /** Logs a new visitor in; what the core was asked for it is not counted. */
  loggedIn(login?: Partial<Login>, options?: VisitorOptions): Promise<Visitor>;
}

/**
 * One application on a core for all tests of a `describe`, with a proxy between them that counts: to load an SDK takes
 * longer than most tests.
 * @returns what hands it to a test, with a user of its own.
 */
export const sharedSetup = (version: SdkVersion, core: () => TestCore, options?: ApplicationOptions): (() => Setup) => {
  let proxy: CountingProxy;
  let application: Application;
  beforeAll(async () => {
    proxy = await countingProxy(core().host);
    application = await startApplication(version, `http://127.0.0.1:${proxy.host.port}`, options);
  });
  afterAll(async () => {
    await application.close();
    await proxy.close();
  });
  return () => {
    const userId = `user-${++users}`;
    return {
      ...application,
      proxy,
      userId,
      async loggedIn(login, visitorOptions) {
        const visitor = application.newVisitor(visitorOptions);
        const { status, message } = await visitor.login({ userId, ...login });
        if (status !== 200) throw new Error(`the login failed: ${status} ${message}`);
        proxy.take();
        return visitor;
      },
    };
  };
};

/** The ways of holding tokens that a version has. */
export const modesOf = ({ features }: SdkVersion) =>
  features.has("headerMode") ? (["cookie", "header"] as const) : (["cookie"] as const);

/** `version` in the header of an access token. */
export const tokenVersionOf = (visitor: Visitor): unknown =>
  decodeProtectedHeader(visitor.tokens.get("access") ?? "")["version"];
