import { performance } from "node:perf_hooks";
import { dataText, type JsonObject, payloadText, type KeySet } from "@pawl/engine";
import { warnOf } from "./application-hook.js";
import { isSameOnAllPaths } from "./http/cookies.js";
import { type Exchange, readOnly } from "./http/exchange.js";
import type { LogoutAnswer } from "./backend/session-backend.js";
import type { Operation } from "./backend/operation.js";
import { type BackendOptions, checkPawlOptions, isForCore, type PawlOptions } from "./options/options.js";
import { type Conditions, requirementOf } from "./options/conditions.js";
import { createSession } from "./sessions/login.js";
import { newSession, type NewSession } from "./sessions/new-session.js";
import { findSession, type FindOptions, refreshSession, signOut } from "./sessions/request-sessions.js";
import { foundSession, requireSession } from "./sessions/requirement.js";
import { answerRoute, pathBelow, type RoutedPawl } from "./http/routes.js";
import { setCorsHeaders } from "./http/cors.js";
import { createSessions, type Run, type Sessions } from "./sessions/sessions.js";
import {
  refreshTokens,
  type SessionTokens,
  sessionTokens,
  type TokenSession,
  verifyToken,
} from "./sessions/token-sessions.js";
import { createShape } from "./sessions/schema.js";
import { answerDevice, untold } from "./sessions/device-route.js";
import { openServing } from "./sessions/open-serving.js";
import { asSessionError, type Serving } from "./sessions/serving.js";
import type { RequestSession, Session } from "./session.js";
import { type Answer, SessionError } from "./session-error.js";
import type { Loaded, LoadPayload, SessionInput } from "./session-input.js";

/** The session of a page that is being rendered. */
export type ReadSession<S> =
  | { readonly status: "valid"; readonly session: S }
  /** There may be a session: a refresh would tell, where the answer can set cookies. */
  | { readonly status: "try_refresh" }
  | { readonly status: "none" };

/**
 * Tokens without cookies, for protocols other than HTTP. Times are ms since the epoch.
 * @example
 * const { accessToken, refreshToken } = await pawl.tokens.create({ userId: "alice" });
 * const { userId } = await pawl.tokens.verify(accessToken);
 */
export interface Tokens<Payload extends object, PayloadInput extends object, DataInput extends object> {
  /** Logs a user in. @throws TypeError for an input that cannot be kept. */
  create(input: SessionInput<PayloadInput, DataInput>): Promise<SessionTokens<Payload>>;
  /** @throws SessionError `UNAUTHORISED`, `TRY_REFRESH`. */
  verify(accessToken: string): Promise<TokenSession<Payload>>;
  /** @throws SessionError `UNAUTHORISED`, `TOKEN_THEFT`. */
  refresh(refreshToken: string): Promise<SessionTokens<Payload>>;
}

/**
 * Sessions over one backend. What fails throws `SessionError`: `UNKNOWN` whenever nothing is known of the session, and
 * then no cookie is touched. Misuse is a `TypeError`.
 */
export interface Pawl<
  Payload extends object = JsonObject,
  Data extends object = JsonObject,
  PayloadInput extends object = Payload,
  DataInput extends object = Data,
> {
  /**
   * Logs a user in; the session that the request carried ends.
   * @throws SessionError `CSRF`; `FORBIDDEN` while the session of the request acts for a user.
   */
  createSession(
    exchange: Exchange,
    input: SessionInput<PayloadInput, DataInput>,
    options?: FindOptions,
  ): Promise<Session<Payload, Data, PayloadInput, DataInput>>;
  /**
   * The session of a request, refreshed in place where need be; undefined: nobody is logged in.
   * @throws SessionError `CSRF`; `TRY_REFRESH` where it cannot be refreshed in place.
   */
  getSession(
    exchange: Exchange,
    options?: FindOptions,
  ): Promise<Session<Payload, Data, PayloadInput, DataInput> | undefined>;
  /**
   * As `getSession`, but there has to be one.
   * @throws SessionError also `UNAUTHORISED`, `TOKEN_THEFT`, `FORBIDDEN`, `STEP_UP`; TypeError for conditions that cannot be right.
   */
  requireSession(
    exchange: Exchange,
    conditions?: Conditions<Payload, Data>,
  ): Promise<Session<Payload, Data, PayloadInput, DataInput>>;
  /**
   * For rendering: changes nothing, so it may be asked anywhere and any number of times.
   * @example
   * const read = await pawl.readSession(exchange);
   * if (read.status === "try_refresh") redirect(`/session/refresh?return=${encodeURIComponent(path)}`);
   */
  readSession(exchange: Exchange): Promise<ReadSession<Session<Payload, Data, PayloadInput, DataInput>>>;
  /** Hands in the refresh token of a request for new tokens. @throws SessionError `UNAUTHORISED`, `TOKEN_THEFT`, `CSRF`. */
  refreshSession(exchange: Exchange, options?: FindOptions): Promise<Session<Payload, Data, PayloadInput, DataInput>>;
  /** Ends the session of a request, if any, and clears its cookies. @throws SessionError `CSRF`. */
  signOut(exchange: Exchange, options?: FindOptions): Promise<void>;
  /**
   * Answers the routes (`POST <base>/session/refresh`, `GET <base>/session/refresh?return=/page`, `POST <base>/signout`,
   * `POST <base>/session/device` for browsers that bind sessions to their device, and `POST <base>/session/backchannel-logout`
   * for identity providers) and the preflights of the option `origins`. `routed.path` is the path that the framework routes by, where it is not the one
   * the browser asked for. Undefined: the request is for somebody else, and nothing was done to it.
   */
  handle(exchange: Exchange, routed?: { readonly path: string }): Answer | undefined | Promise<Answer | undefined>;

  readonly sessions: Sessions<Payload, Data, PayloadInput, DataInput>;
  readonly tokens: Tokens<Payload, PayloadInput, DataInput>;
  /** For who runs the application: counts, the audit trail, what webhooks have not got. */
  readonly operation: Operation;
  /** The public keys that verify access tokens, for other services (JWK set, RFC 7517 section 5). */
  keySet(): Promise<KeySet>;
  /**
   * Opens the backend, which the first use does otherwise.
   * @throws SessionError `UNKNOWN`; TypeError for a storage URL that is none, or whose package is not installed.
   */
  ready(): Promise<void>;
  /** Sends what waits in the background and lets go of the backend. Nothing else works afterwards. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type Require<S, Payload extends object, Data extends object> = (
  conditions?: Conditions<Payload, Data>,
) => (exchange: Exchange) => S | Promise<S>;

/** What other entries of this package ask of an instance. */
interface Inside {
  readonly required: Require<RequestSession, object, object>;
  readonly serving: () => Serving;
  /** Calls the listener when the instance is closed, which waits for it. */
  readonly onClose: (listener: () => Promise<void>) => void;
}

const insides = new WeakMap<object, Inside>();

/**
 * `requireSession` of an instance, for adapters: at once where nothing has to be waited for, which is the usual case.
 * @throws TypeError for conditions that cannot be right.
 */
export const requireAtOnce = <P extends object, D extends object, PI extends object, DI extends object>(
  pawl: Pawl<P, D, PI, DI>,
  conditions?: Conditions<P, D>,
): ((exchange: Exchange) => Session<P, D, PI, DI> | Promise<Session<P, D, PI, DI>>) => {
  const required = insides.get(pawl)?.required as Require<Session<P, D, PI, DI>, P, D> | undefined;
  return required?.(conditions) ?? ((exchange) => pawl.requireSession(exchange, conditions));
};

/** @throws TypeError for what `createPawl` has not made. */
export const insideOf = (pawl: object): Pick<Inside, "serving" | "onClose"> => {
  const inside = insides.get(pawl);
  if (inside === undefined) throw new TypeError("this takes what createPawl has made");
  return inside;
};

/** What `createPawl` is. */
interface CreatePawl {
  /** Where the application loads payloads, none has to be given. */
  <
    Payload extends object = JsonObject,
    Data extends object = JsonObject,
    PayloadInput extends object = Payload,
    DataInput extends object = Data,
  >(
    options: PawlOptions<Payload, Data, PayloadInput, DataInput> & {
      readonly loadPayload: LoadPayload<NoInfer<PayloadInput>>;
    },
  ): Pawl<Payload, Data, PayloadInput | Loaded, DataInput>;
  <
    Payload extends object = JsonObject,
    Data extends object = JsonObject,
    PayloadInput extends object = Payload,
    DataInput extends object = Data,
  >(
    options: PawlOptions<Payload, Data, PayloadInput, DataInput>,
  ): Pawl<Payload, Data, PayloadInput, DataInput>;
}

/**
 * Sessions over an engine in this process (`storage`) or a core (`core`). Nothing is opened before the first use.
 * @throws TypeError for an option that cannot be right.
 * @example
 * export const pawl = createPawl({ storage: "sqlite:./sessions.db" });
 * @example
 * // Types and a check at run time, by zod or whatever speaks Standard Schema.
 * const payload = z.object({ role: z.enum(["admin", "user"]) });
 * export const pawl = createPawl({ core: ["https://sessions.example.com"], apiKey, payload });
 */
export const createPawl: CreatePawl = (options: PawlOptions<object, object, object, object>): never => {
  const { payload, data, ...backendOptions } = options;
  checkPawlOptions(backendOptions);
  if (backendOptions.migratePayload !== undefined && payload === undefined)
    throw new TypeError("migratePayload needs the schema payload: without one, everything that is stored fits");
  return pawlOf(backendOptions, {
    payloads: createShape("payload", payload, (value) => payloadText(value, "pawl")),
    data: createShape("data", data, dataText),
  }) as never;
};

const UNAVAILABLE_WARNING_INTERVAL = 60_000;

/** Throws what a caller sees of a failure. Visitors are told to try again; whoever operates it learns why, once a minute. */
const createFailure = (now: () => number): ((error: unknown) => never) => {
  let warnedAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    const seen = asSessionError(error);
    const isFailure = seen instanceof SessionError && seen.code === "UNKNOWN" && seen.cause !== undefined;
    if (isFailure && now() - warnedAt >= UNAVAILABLE_WARNING_INTERVAL) {
      warnedAt = now();
      process.emitWarning(`requests are answered 503: ${seen.message}`, {
        type: "PawlWarning",
        code: "PAWL_UNAVAILABLE",
      });
    }
    throw seen;
  };
};

const CLOSED = "this instance was closed";

type Shapes = Pick<Serving, "payloads" | "data">;

const pawlOf = (options: BackendOptions, shapes: Shapes): Pawl<object, object> => {
  const { origins = [], basePath = "" } = options;
  const belowBase = pathBelow(basePath);
  // The machine's clock may be set back; the life of a request is counted by one that only goes forward.
  const { clock } = options;
  const monotonic = clock === undefined ? () => performance.now() : () => clock.now();
  const failed = createFailure(monotonic);
  let serving: Serving | undefined;
  let opening: Promise<Serving> | undefined;
  let closed = false;
  const closing: (() => Promise<void>)[] = [];

  const open = async (): Promise<Serving> => {
    if (closed) throw new TypeError(CLOSED);
    opening ??= openServing(options, { ...shapes, monotonic })
      .then((opened) => (serving = opened))
      .finally(() => (opening = undefined));
    return opening;
  };

  /** At once where the backend is open and the work waits for nothing, which is the usual case. */
  const attempt = <Result>(work: (it: Serving) => Result | Promise<Result>): Result | Promise<Result> => {
    try {
      const result = serving === undefined ? open().then(work) : work(serving);
      return result instanceof Promise ? result.catch(failed) : result;
    } catch (error) {
      return failed(error);
    }
  };

  const run: Run = async (work) => attempt(work);

  const receiveLogout = (logoutToken: string): Promise<LogoutAnswer> =>
    run(async ({ backend, warnOnce }) => {
      const answer = await backend.receiveLogout(logoutToken);
      if (answer.kind === "refused") warnOnce("PAWL_LOGOUT_REFUSED", answer.message);
      return answer;
    });

  const takesLogouts = isForCore(options) || (options.identityProviders ?? []).length > 0;
  const routing = {
    origins,
    isSameOnAllPaths: isSameOnAllPaths(options),
    receiveLogout: takesLogouts ? receiveLogout : undefined,
  };

  const required: Require<RequestSession, object, object> = (conditions) => {
    const requirement = requirementOf(conditions);
    return (exchange) => attempt((it) => requireSession(it, exchange, requirement));
  };

  const pawl: Pawl<object, object> = {
    createSession: (exchange, input, how) => run((it) => createSession(it, exchange, input as NewSession, how)),
    getSession: (exchange, how) =>
      run(async (it) => {
        const found = await findSession(it, exchange, how);
        if (found.kind === "none") return undefined;
        return foundSession(found);
      }),
    requireSession: async (exchange, conditions) => required(conditions)(exchange),
    readSession: (exchange) =>
      run(async (it) => {
        const settled = it.requests.known(exchange)?.found;
        const found = await (settled ?? findSession(it, readOnly(exchange), { csrf: false }));
        return found.kind === "session" ? { status: "valid", session: found.session } : { status: found.kind };
      }),
    refreshSession: (exchange, how) => run(async (it) => foundSession(await refreshSession(it, exchange, how))),
    signOut: (exchange, how) => run((it) => signOut(it, exchange, how)),
    handle(exchange, routed) {
      exchange.seenAt(monotonic());
      if (setCorsHeaders(exchange, origins)) return { status: 204, headers: {}, body: undefined };
      const path = belowBase(routed?.path ?? exchange.path());
      return path === undefined ? undefined : answerRoute(routes, exchange, { path, ...routing });
    },

    sessions: createSessions(run),

    tokens: {
      create: (input) => run(async (it) => sessionTokens(it, await newSession(it, input as NewSession))),
      verify: (accessToken) => run((it) => verifyToken(it, accessToken)),
      refresh: (refreshToken) => run((it) => refreshTokens(it, refreshToken)),
    },

    operation: {
      counts: (range) => run(({ backend }) => backend.operation.counts(range)),
      events: (filter) => run(({ backend }) => backend.operation.events(filter)),
      deliveries: (options) => run(({ backend }) => backend.operation.deliveries(options)),
      retryDelivery: (key, webhook) => run(({ backend }) => backend.operation.retryDelivery(key, webhook)),
      dropDelivery: (key, webhook) => run(({ backend }) => backend.operation.dropDelivery(key, webhook)),
    },

    keySet: () => run(({ backend }) => backend.keySet()),
    ready: () => run(() => undefined),
    async close() {
      closed = true;
      const { uses, backend } = (await opening?.catch(() => undefined)) ?? serving ?? {};
      serving = undefined;
      await Promise.all(closing.splice(0).map((listener) => listener()));
      await uses?.close();
      await backend?.close();
    },
    [Symbol.asyncDispose]: () => pawl.close(),
  };
  const routes: RoutedPawl = {
    ...pawl,
    // Whatever fails, the browser has to keep its key.
    answerDevice: (exchange) =>
      run((it) => answerDevice(it, exchange)).catch((error: unknown) => {
        if (!(error instanceof SessionError)) warnOf(error);
        return untold("nothing is known of the session");
      }),
  };
  insides.set(pawl, {
    required,
    serving() {
      if (serving === undefined) throw new TypeError(closed ? CLOSED : "this instance has not been used yet");
      return serving;
    },
    onClose: (listener) => void closing.push(listener),
  });
  return pawl;
};
