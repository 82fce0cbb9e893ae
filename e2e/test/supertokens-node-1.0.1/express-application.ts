import express from "express";
import type { Request, RequestHandler, Response } from "express";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Application, Client, Host, Outcome, TokenName, VerifyOptions } from "./client.js";
import { expressSdk, failureOutcome } from "./sdk.js";

/** An answer of the application, as far as it concerns sessions. */
export interface Answer {
  readonly headers: Headers;
  readonly setCookies: readonly string[];
  readonly body: Outcome & Readonly<Record<string, unknown>>;
}

/** A browser as far as cookies go: keeps what it is given, whatever its time, until it is emptied; sends what it has. */
export interface Browser extends Client {
  copy(): Browser;
  /** @param headers sent besides the cookies. */
  call(method: string, path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The answer to the last call. */
  readonly last: Answer | undefined;
}

/** An Express application on the entry `supertokens-node`, listening on a free port. */
export const expressApplication = async (
  hosts: readonly Host[],
  parser?: RequestHandler,
): Promise<Application<Browser>> => {
  const sdk = expressSdk();
  sdk.init([...hosts]);
  const app = express();
  if (parser) app.use(parser);
  const answer =
    (handler: (request: Request, response: Response) => Promise<unknown>): RequestHandler =>
    (request, response, next) => {
      handler(request, response)
        .then(
          (body) => response.json(body ?? {}),
          (failure: unknown) => response.status(400).json(failureOutcome(failure)),
        )
        .catch(next);
    };
  app.post(
    "/login",
    answer(async (request, response) => {
      const session = await sdk.createNewSession(response, String(request.query["user"]), { role: "a" }, { note: 1 });
      return { userId: session.getUserId(), payload: session.getJWTPayload() };
    }),
  );
  app.post(
    "/login-and-out",
    answer(async (request, response) =>
      (await sdk.createNewSession(response, String(request.query["user"]))).revokeSession(),
    ),
  );
  app.get(
    "/me",
    answer(async (request, response) => {
      const session = await sdk.getSession(request, response, request.query["csrf"] === "yes");
      return { userId: session.getUserId(), payload: session.getJWTPayload() };
    }),
  );
  app.get(
    "/data",
    answer(async (request, response) => (await sdk.getSession(request, response, false)).getSessionData()),
  );
  app.put(
    "/data",
    answer(async (request, response) =>
      (await sdk.getSession(request, response, false)).updateSessionData({ note: request.query["note"] }),
    ),
  );
  app.post(
    "/session/refresh",
    answer(async (request, response) => ({ userId: (await sdk.refreshSession(request, response)).getUserId() })),
  );
  app.post(
    "/logout",
    answer(async (request, response) => (await sdk.getSession(request, response, true)).revokeSession()),
  );
  app.options("/me", (_, response) => {
    sdk.setRelevantHeadersForOptionsAPI(response);
    response.json({});
  });
  const server = await new Promise<Server>((listening) => {
    const started: Server = app.listen(0, "127.0.0.1", () => listening(started));
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    sdk,
    newClient: () => browserOf(base, new Map(), undefined),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
};

const browserOf = (base: string, tokens: Map<TokenName, string>, antiCsrf: string | undefined): Browser => {
  const keep = (line: string): void => {
    const [name, value = ""] = (line.split(";")[0] ?? "").split("=");
    if (value === "") tokens.delete(name as TokenName);
    else tokens.set(name as TokenName, decodeURIComponent(value));
  };
  const outcomeOf = async (call: Promise<Answer>): Promise<Outcome> => {
    const { errType, userId, message, robbed } = (await call).body;
    if (errType === undefined) return { userId: String(userId) };
    return robbed ? { errType, robbed } : { errType, message: String(message) };
  };
  const browser: { -readonly [Member in keyof Browser]: Browser[Member] } = {
    tokens,
    antiCsrf,
    last: undefined,
    async call(method, path, headers = {}) {
      const cookie = [...tokens].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("; ");
      const result = await fetch(base + path, { method, headers: { cookie, ...headers } });
      const setCookies = result.headers.getSetCookie();
      for (const line of setCookies) keep(line);
      browser.antiCsrf = result.headers.get("anti-csrf") ?? browser.antiCsrf;
      const body = (await result.json()) as Answer["body"];
      return (browser.last = { headers: result.headers, setCookies, body });
    },
    login: (userId) => outcomeOf(browser.call("POST", `/login?user=${userId}`)),
    verify(options: VerifyOptions = {}) {
      const { check = true } = options;
      const sent = "antiCsrf" in options ? options.antiCsrf : browser.antiCsrf;
      return outcomeOf(
        browser.call("GET", `/me?csrf=${check ? "yes" : "no"}`, sent === undefined ? {} : { "anti-csrf": sent }),
      );
    },
    refresh: () => outcomeOf(browser.call("POST", "/session/refresh")),
    copy: () => browserOf(base, new Map(tokens), browser.antiCsrf),
  };
  return browser;
};
