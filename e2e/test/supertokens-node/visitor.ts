import type { SessionContainer, VerifySessionOptions } from "supertokens-node-24/recipe/session";
import type { Login, SdkSession, Values } from "./sdk.js";

/** What an application does for a logged-in visitor; the result is answered as JSON. */
export type Action = (session: SdkSession & SessionContainer) => unknown;

export interface VisitorOptions {
  /** How it holds tokens, as browser SDKs ask for it with `st-auth-mode`. */
  readonly mode?: "cookie" | "header";
  /** Whether it sends the `rid` that custom-header CSRF protection wants; true unless given. */
  readonly sendsRid?: boolean;
}

/** An answer of an application. */
export interface Answer {
  readonly status: number;
  /** What an action returned, or the message of a refusal. */
  readonly body: unknown;
  readonly message?: string;
  readonly headers: Headers;
}

export type TokenName = "access" | "refresh";

export interface Act {
  /** How `verifySession` is called. */
  readonly options?: VerifySessionOptions;
  /** POST unless given: only what is not a GET is checked for CSRF. */
  readonly method?: "GET" | "POST";
}

/** A browser with the website's SDK, as far as tokens go: keeps what it is given, whatever its time. */
export interface Visitor {
  readonly tokens: ReadonlyMap<TokenName, string>;
  /** The anti-CSRF token that it sends; a test may change it. */
  antiCsrf: string | undefined;
  login(login: Login): Promise<Answer>;
  /** Has the application do something with its session. */
  act(action: Action, act?: Act): Promise<Answer>;
  refresh(): Promise<Answer>;
  signOut(): Promise<Answer>;
  /** Sends another token than the one it was given. */
  replace(name: TokenName, token: string): void;
  /** Somebody else who holds the same. */
  copy(): Visitor;
}

interface Backend {
  offer(action: Action, options?: VerifySessionOptions): string;
  readonly base: string;
  offerLogin(login: Login): string;
}

const cookieNames = { access: "sAccessToken", refresh: "sRefreshToken" } as const;
const headerNames = { access: "st-access-token", refresh: "st-refresh-token" } as const;
const tokenNames: readonly TokenName[] = ["access", "refresh"];

interface Held {
  readonly cookies: Map<string, string>;
  readonly headers: Map<TokenName, string>;
  antiCsrf: string | undefined;
}

export const visitorOf = (
  options: VisitorOptions = {},
  backend: Backend,
  held: Held = { cookies: new Map(), headers: new Map(), antiCsrf: undefined },
): Visitor => {
  const { mode = "cookie", sendsRid = true } = options;
  const { cookies, headers: headerTokens } = held;

  const keep = (answer: Headers): void => {
    for (const line of answer.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    for (const name of tokenNames) {
      const value = answer.get(headerNames[name]);
      if (value === "") headerTokens.delete(name);
      else if (value !== null) headerTokens.set(name, value);
    }
    held.antiCsrf = answer.get("anti-csrf") ?? held.antiCsrf;
  };
  const credentials = (name: TokenName): Record<string, string> => {
    const bearer = headerTokens.get(name);
    return {
      ...(cookies.size === 0 ? {} : { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join("; ") }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    };
  };
  const call = async (method: string, path: string, sent: TokenName): Promise<Answer> => {
    const result = await fetch(backend.base + path, {
      method,
      headers: {
        "st-auth-mode": mode,
        ...(sendsRid ? { rid: "session" } : {}),
        ...(held.antiCsrf === undefined ? {} : { "anti-csrf": held.antiCsrf }),
        ...credentials(sent),
      },
    });
    keep(result.headers);
    const json = (await result.json()) as Values;
    return {
      status: result.status,
      body: "body" in json ? json["body"] : json,
      ...(typeof json["message"] === "string" ? { message: json["message"] } : {}),
      headers: result.headers,
    };
  };

  return {
    get tokens() {
      if (mode === "header") return headerTokens;
      return new Map(
        tokenNames.flatMap((name) => {
          const value = cookies.get(cookieNames[name]);
          return value === undefined ? [] : [[name, decodeURIComponent(value)]];
        }),
      );
    },
    get antiCsrf() {
      return held.antiCsrf;
    },
    set antiCsrf(token) {
      held.antiCsrf = token;
    },
    login: (login) => call("POST", backend.offerLogin(login), "access"),
    act: (action, { options: verify, method = "POST" } = {}) => call(method, backend.offer(action, verify), "access"),
    refresh: () => call("POST", "/auth/session/refresh", "refresh"),
    signOut: () => call("POST", "/auth/signout", "access"),
    replace(name, token) {
      if (mode === "header") headerTokens.set(name, token);
      else cookies.set(cookieNames[name], encodeURIComponent(token));
    },
    copy: () => visitorOf(options, backend, { ...held, cookies: new Map(cookies), headers: new Map(headerTokens) }),
  };
};
