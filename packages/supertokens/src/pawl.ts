import { StorageError } from "@pawl/storage";
import { checkUserIdText, createTheftReports, type JsonObject, type KeySet } from "@pawl/engine";
import {
  coreDurations,
  createWarnings,
  EMBEDDED_COOKIES,
  openBackend,
  policyOf,
  type SessionBackend,
  UseReports,
} from "@pawl/node/backend";
import { cookieSettings } from "./cookie-settings.js";
import { NodeExchange, type NodeRequest } from "@pawl/node/http";
import type { NodeResponse } from "./response.js";
import {
  createInExchange,
  getInExchange,
  readInExchange,
  refreshInExchange,
  requireAccessToken,
} from "./exchange-sessions.js";
import { type FetchRequest, requestHeaders } from "./fetch-exchange.js";
import type { CsrfRules } from "./csrf.js";
import { type PageRefresh, refreshForPage } from "./page-refresh.js";
import type { OpenedPawl } from "./opened-pawl.js";
import { checkPawlOptions, isForCore, type PawlOptions } from "./options.js";
import { setPreflightHeaders } from "./preflight-headers.js";
import { createSessionCookies } from "./session-cookies.js";
import { readSessionData, writeSessionData } from "./session-data.js";
import { asSessionError, generalError } from "./session-error.js";
import type { Session } from "./session-object.js";
import {
  createTokens,
  refreshTokens,
  requireTokens,
  type SessionTokens,
  type TokenInfo,
  type TokenSession,
  verifyTokens,
} from "./token-sessions.js";
import { createUserSessions, type Run, type UserSessions } from "./user-sessions.js";

/** The functions without a request: tokens in, tokens out. They fail as those of `Pawl` do. */
export interface PawlTokens<Payload extends object = JsonObject, Data extends object = JsonObject> {
  createNewSession(userId: string, jwtPayload?: Payload, sessionData?: Data): Promise<SessionTokens<Payload>>;
  getSession(
    accessToken: string,
    antiCsrfToken: string | null | undefined,
    doAntiCsrfCheck: boolean,
    idRefreshToken: string | null | undefined,
  ): Promise<{ readonly session: TokenSession<Payload>; readonly accessToken?: TokenInfo }>;
  refreshSession(refreshToken: string): Promise<SessionTokens<Payload>>;
}

/** What `readSession` found. */
export type ReadSession<Payload extends object = JsonObject> =
  | { readonly kind: "valid"; readonly handle: string; readonly userId: string; readonly payload: Payload }
  | { readonly kind: "try_refresh" | "none" };

/**
 * Sessions over one backend. All functions throw `SessionError`: `GENERAL_ERROR` whenever nothing is known of the
 * session (a store or a network failure), and then no cookie is touched.
 */
export interface Pawl<Payload extends object = JsonObject, Data extends object = JsonObject> {
  /** Logs a user in: creates a session and puts its cookies and headers into the answer. */
  createNewSession(
    res: NodeResponse,
    userId: string,
    jwtPayload?: Payload,
    sessionData?: Data,
  ): Promise<Session<Payload, Data>>;
  /**
   * The session of a request. Reads nothing but the request in the usual case.
   * @throws SessionError `TRY_REFRESH_TOKEN`; `UNAUTHORISED`, with the cookies cleared.
   */
  getSession(req: NodeRequest, res: NodeResponse, doAntiCsrfCheck: boolean): Promise<Session<Payload, Data>>;
  /**
   * Hands in the refresh token of a request for new tokens.
   * @throws SessionError `UNAUTHORISED` or `TOKEN_THEFT_DETECTED`, with the cookies cleared.
   */
  refreshSession(req: NodeRequest, res: NodeResponse): Promise<Session<Payload, Data>>;
  /**
   * The session of a request for a page that is being rendered: nothing is changed, so it may be asked anywhere and any
   * number of times. `try_refresh`: there may be a session, and a refresh would tell, where the answer can set cookies.
   * @throws SessionError `GENERAL_ERROR`.
   */
  readSession(req: NodeRequest | FetchRequest): Promise<ReadSession<Payload>>;
  /** What the route `GET /session/refresh` does, for the adapters of frameworks. @throws SessionError `GENERAL_ERROR`. */
  refreshForPage(req: NodeRequest, res: NodeResponse, mark: string | undefined): Promise<PageRefresh>;
  /** Ends all sessions of a user. @returns how many. */
  revokeAllSessionsForUser(userId: string): Promise<number>;
  getAllSessionHandlesForUser(userId: string): Promise<string[]>;
  /** Ends a session; no cookie is touched. @returns whether it was live. */
  revokeSessionUsingSessionHandle(handle: string): Promise<boolean>;
  /** @throws SessionError `UNAUTHORISED` when there is no such session. */
  getSessionData(handle: string): Promise<Data>;
  /** Replaces the data. @throws SessionError `UNAUTHORISED` when there is no such session. */
  updateSessionData(handle: string, data: Data): Promise<void>;
  /** The headers a cross-origin preflight needs. */
  setRelevantHeadersForOptionsAPI(res: NodeResponse): void;

  readonly sessions: UserSessions<Payload, Data>;
  readonly tokens: PawlTokens<Payload, Data>;
  /** What the options say of requests that other sites may have a hand in; for the adapters of frameworks. */
  readonly csrf: CsrfRules;
  /** The path of the refresh cookie; undefined until a core that decides it has answered. For the adapters of frameworks. */
  readonly refreshTokenPath: string | undefined;
  /** The public keys that verify access tokens, for other services (JWK set, RFC 7517 section 5). */
  keySet(): Promise<KeySet>;
  /** Resolves when the backend is open. @throws SessionError `GENERAL_ERROR` when it cannot be opened. */
  ready(): Promise<void>;
  /** Sends what waits in the background and lets go of the backend. Nothing else works afterwards. */
  close(): Promise<void>;
}

/**
 * Sessions over an engine in process (`{ storage }`) or a core (`{ core }`). Instances share nothing. The backend is
 * opened in the background, beginning now; where that fails, the next call tries again, and fails if it fails.
 * @throws SessionError `GENERAL_ERROR` for an option that cannot be right.
 */
export const createPawl = <Payload extends object = JsonObject, Data extends object = JsonObject>(
  options: PawlOptions,
): Pawl<Payload, Data> => {
  checkPawlOptions(options);
  let opened: OpenedPawl | undefined;
  let opening: Promise<OpenedPawl> | undefined;
  let closed = false;

  const open = async (): Promise<OpenedPawl> => {
    if (closed) throw generalError("this instance was closed");
    opening ??= openPawl(options)
      .then((pawl) => (opened = pawl))
      .finally(() => (opening = undefined));
    return opening;
  };

  const run: Run = async (work) => {
    try {
      return await work(opened ?? (await open()));
    } catch (error) {
      throw asSessionError(error);
    }
  };

  const pawl: Pawl = {
    createNewSession: (res, userId, jwtPayload = {}, sessionData = {}) =>
      run((it) =>
        createInExchange(it, new NodeExchange(res.req, res), { userId, payload: jwtPayload, data: sessionData }),
      ),

    // What every request goes through: as `run`, but without a wait where none is needed.
    async getSession(req, res, doAntiCsrfCheck) {
      try {
        const exchange = new NodeExchange(req, res);
        // What can be said without a backend does not wait for one.
        if (opened === undefined) requireAccessToken(exchange);
        const found = getInExchange(opened ?? (await open()), exchange, doAntiCsrfCheck);
        return found instanceof Promise ? await found : found;
      } catch (error) {
        throw asSessionError(error);
      }
    },

    refreshSession: (req, res) => run((it) => refreshInExchange(it, new NodeExchange(req, res))),

    readSession: ({ headers }) =>
      run(async (it) => {
        const exchange = new NodeExchange({ headers: requestHeaders(headers) }, NO_ANSWER);
        const reading = await readInExchange(it, exchange);
        if (reading.kind !== "valid") return reading;
        const { handle, userId, payload } = reading.claims;
        return { kind: "valid", handle, userId, payload };
      }),

    refreshForPage: (req, res, mark) => run((it) => refreshForPage(it, new NodeExchange(req, res), mark)),

    revokeAllSessionsForUser: (userId) =>
      run(async ({ backend }) => (await backend.revokeUser({ userId: checkUserIdText(userId) })).length),

    getAllSessionHandlesForUser: (userId) =>
      run(async ({ backend }) => [...(await backend.listHandles(checkUserIdText(userId)))]),

    revokeSessionUsingSessionHandle: (handle) =>
      run(async ({ backend }) => (await backend.revoke([handle])).length === 1),

    getSessionData: (handle) => run(({ backend }) => readSessionData(backend, handle)),

    updateSessionData: (handle, data) => run(({ backend }) => writeSessionData(backend, handle, data)),

    setRelevantHeadersForOptionsAPI: setPreflightHeaders,

    sessions: createUserSessions(run),

    tokens: {
      createNewSession: (userId, jwtPayload = {}, sessionData = {}) =>
        run((it) => createTokens(it, { userId, payload: jwtPayload, data: sessionData })),
      async getSession(accessToken, antiCsrfToken, doAntiCsrfCheck, idRefreshToken) {
        requireTokens({ accessToken, idRefreshToken });
        return run((it) => verifyTokens(it, { accessToken, antiCsrfToken, doAntiCsrfCheck }));
      },
      refreshSession: (refreshToken) => run((it) => refreshTokens(it, refreshToken)),
    },

    get refreshTokenPath() {
      const { refreshTokenPath } = opened?.cookies.settings ?? options.cookies ?? {};
      return refreshTokenPath ?? (isForCore(options) ? undefined : EMBEDDED_COOKIES.refreshTokenPath);
    },

    csrf: { mode: options.csrf ?? "token", origins: options.origins ?? [] },

    keySet: () => run(({ backend }) => backend.keySet()),

    ready: () => run(async () => undefined),

    async close() {
      closed = true;
      const standing = await opening?.catch(() => undefined);
      const { uses, backend } = standing ?? opened ?? {};
      opened = undefined;
      await uses?.close();
      await backend?.close();
    },
  };
  // What goes wrong is told by the first call that needs it; a URL that no further try can mend, at once as well.
  open().catch((error: unknown) => {
    if (error instanceof StorageError && error.code === "invalid_url") process.emitWarning(error);
  });
  // What an application puts into a session comes back as it was: its types hold for both.
  return pawl as unknown as Pawl<Payload, Data>;
};

/** Reading a session writes nothing. */
const NO_ANSWER: NodeResponse = { getHeader: () => undefined, setHeader: () => undefined };

const openPawl = async (options: PawlOptions): Promise<OpenedPawl> => {
  const backend = await openBackend(
    isForCore(options) ? { ...options, ...coreDurations(options) } : { ...options, policy: policyOf(options, {}) },
  );
  try {
    const warnOnce = createWarnings();
    const makeCookies = ({ settings }: SessionBackend) => ({
      settings,
      cookies: createSessionCookies(cookieSettings(options.cookies ?? {}, settings), warnOnce),
    });
    let made = makeCookies(backend);
    const uses = new UseReports({
      send: (notes) => backend.reportUses(notes),
      settings: () => backend.settings,
    });
    return {
      backend,
      uses,
      theftReports: createTheftReports(),
      warnOnce,
      options,
      get cookies() {
        if (made.settings !== backend.settings) made = makeCookies(backend);
        return made.cookies;
      },
    };
  } catch (error) {
    await backend.close();
    throw error;
  }
};
