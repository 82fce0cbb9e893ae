import express from "express";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { SessionRequest } from "supertokens-node-24/framework/express";
import type { VerifySessionOptions } from "supertokens-node-24/recipe/session";
import { type Login, loadSdk, type Sdk } from "./sdk.js";
import type { SdkVersion } from "./sdk-version.js";
import { type Action, type Visitor, type VisitorOptions, visitorOf } from "./visitor.js";

type SessionConfig = Parameters<Sdk["session"]["init"]>[0] & { readonly jwt?: { readonly enable: boolean } };

/** How an application configures the SDK; each has a copy of its own. */
export interface ApplicationOptions {
  /** The configuration of the Session recipe, or what makes it from the package that is loaded. */
  readonly session?: SessionConfig | ((sdk: Sdk) => SessionConfig);
  readonly apiKey?: string;
}

export interface Application {
  readonly sdk: Sdk;
  /** The `iss` of what it signs. */
  readonly issuer: string;
  newVisitor(options?: VisitorOptions): Visitor;
  /** Runs something in the application behind `verifySession`, at a path of its own. */
  offer(action: Action, options?: VerifySessionOptions): string;
  /** What the application itself failed with since the last call, and answered 500. */
  failures(): readonly string[];
  close(): Promise<void>;
}

/**
 * An Express application on a version of the SDK, as its documentation builds one.
 * @param connectionUri of one core, or of several with `;` between them.
 */
export const startApplication = async (
  version: SdkVersion,
  connectionUri: string,
  { session = {}, apiKey }: ApplicationOptions = {},
): Promise<Application> => {
  const app = express();
  const server = await new Promise<Server>((listening) => {
    const started: Server = app.listen(0, "127.0.0.1", () => listening(started));
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const sdk = loadSdk(version);
  sdk.supertokens.init({
    framework: "express",
    supertokens: { connectionURI: connectionUri, ...(apiKey === undefined ? {} : { apiKey }) },
    appInfo: { appName: "e2e", apiDomain: base, websiteDomain: "http://localhost:3000" },
    recipeList: [sdk.session.init(typeof session === "function" ? session(sdk) : session)],
    telemetry: false,
  });

  const logins = new Map<string, Login>();
  const actions: { readonly action: Action; readonly options: VerifySessionOptions | undefined }[] = [];
  const answer =
    (handler: (request: Request, response: Response) => Promise<unknown>): RequestHandler =>
    (request, response, next) =>
      void handler(request, response).then((body) => response.json({ body: body ?? null }), next);
  app.use(sdk.express.middleware());
  app.post(
    "/login/:place",
    answer(async (request, response) => {
      const made = await sdk.login(request, response, logins.get(String(request.params["place"])) as Login);
      return { userId: made.getUserId(), handle: made.getHandle() };
    }),
  );
  app.all(
    "/actions/:place",
    (request, response, next) => {
      const { options } = actions[Number(request.params["place"])] ?? {};
      void sdk.verifySession(options)(request as unknown as SessionRequest, response, next);
    },
    answer(async (request) => {
      const { session: found } = request as unknown as SessionRequest;
      const { action } = actions[Number(request.params["place"])] ?? {};
      return action?.((found && Object.assign(Object.create(found) as object, sdk.wrap(found))) as never);
    }),
  );
  app.use(sdk.express.errorHandler());
  const failed: string[] = [];
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    failed.push(error.message);
    response.status(500).json({ message: error.message });
  });

  const offer: Application["offer"] = (action, options) => `/actions/${actions.push({ action, options }) - 1}`;
  return {
    sdk,
    issuer: `${base}/auth`,
    offer,
    newVisitor: (options) =>
      visitorOf(options, {
        base,
        offer,
        offerLogin(login) {
          logins.set(String(logins.size), login);
          return `/login/${logins.size - 1}`;
        },
      }),
    failures: () => failed.splice(0),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
};
