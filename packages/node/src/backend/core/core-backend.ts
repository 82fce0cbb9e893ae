import { isDeepStrictEqual } from "node:util";
import {
  type BindOutcome,
  type Changed,
  checkFormer,
  createLossReports,
  type CreateSessionInput,
  dataText,
  type IssuedSession,
  MAX_USER_ID_BYTES,
  parseHandle,
  payloadText,
  type Revoked,
  type SessionHandle,
  type SessionInformation,
  type SessionStanding,
  type VerifyInput,
  type VerifyOutcome,
} from "@pawl/engine";
import { createTelemetry } from "@pawl/engine/telemetry";
import { type ProblemCode, type RouteBody, type RouteResponse, routes } from "@pawl/protocol";
import { type Clock, millis, PUBLIC_TENANT, systemClock } from "@pawl/storage";
import { warnOfLostChanges } from "../../application-hook.js";
import { createCoreChanges } from "./core-changes.js";
import { CoreClient, type Reply } from "./core-client.js";
import { CoreHosts } from "./core-hosts.js";
import { createCoreOperation } from "./core-operation.js";
import { CoreKeys } from "./core-keys.js";
import { CoreVerifier } from "./core-verifier.js";
import type { CoreHost } from "./core-url.js";
import { FeedStream } from "./feed-stream.js";
import { Listeners } from "./listeners.js";
import { measuredBackend } from "./measured-backend.js";
import type { RefreshAnswer, SessionBackend, SessionHistory } from "../session-backend.js";

/** What no core could have given out as a handle or taken as a user id names nothing, and is not asked for. */
const isHandle = (handle: string): boolean => typeof handle === "string" && parseHandle(handle) !== undefined;
const isUserId = (userId: string): boolean => Buffer.byteLength(userId) <= MAX_USER_ID_BYTES;

/** No refresh token is as long; the engine in process refuses what is none without asking anybody. */
const isRefreshToken = (token: string): boolean => typeof token === "string" && token.length <= 1024;

/** Characters of the longest proof that a core reads. */
const LONGEST_PROOF = 4096;

/** What a core says of a refresh token that it has not sealed. */
const NONE_OF_OURS = "the refresh token is none of ours";

/** Durations are ms. */
export interface CoreBackendOptions {
  readonly core: readonly (CoreHost | string)[];
  readonly apiKey?: string | undefined;
  readonly tryTimeout: number;
  readonly callTimeout: number;
  readonly whenFeedIsCut?: "trust" | "ask" | undefined;
  readonly feedCutAfter: number;
  readonly clock?: Clock | undefined;
}

type Bound = Extract<BindOutcome, { kind: "bound" }>;

/** Handles in one call, as the core's API takes them. */
const MOST_HANDLES = 10_000;
/** Handles of which one call says how they stand, as the core's API takes them. */
const MOST_STANDINGS = 1000;
/** Sessions of a tenant that one call ends, so that it is answered long before it is given up. */
const TENANT_STEP = 500;

/**
 * The client of a core: our `/v1` API over HTTP. Tokens are verified here, with the core's public keys and what it tells of
 * revoked and changed sessions.
 * @throws SessionError `UNKNOWN` when no core answers.
 */
export const openCoreBackend = async (options: CoreBackendOptions): Promise<SessionBackend> => {
  const clock = options.clock ?? systemClock;
  const { tryTimeout, callTimeout, feedCutAfter } = options;
  const telemetry = createTelemetry();
  const hosts = new CoreHosts({ hosts: options.core, tryTimeout, callTimeout, apiKey: options.apiKey, telemetry });
  const core = new CoreClient(hosts);

  const learn = async () => {
    const learned = await core.get("settings");
    const verifier = new CoreVerifier(clock, learned, createLossReports(clock, warnOfLostChanges));
    const keys = new CoreKeys(verifier, () => core.get("keySet"));
    await keys.load().catch((error: unknown) => {
      keys.stop();
      throw error;
    });
    return { learned, verifier, keys };
  };

  const { learned, verifier, keys } = await learn().catch(async (error: unknown) => {
    hosts.close();
    telemetry.close();
    throw error;
  });
  let settings = settingsOf(learned);

  const [ends, changes] = [new Listeners<Revoked>(), new Listeners<Changed>()];
  const feed = new FeedStream({
    nextHost: () => hosts.urlsInTurn()[0] ?? "",
    path: routes.watchRevocations.path,
    headers: hosts.headers,
    // Settings change with a restart, and a restart cuts the feed: the node that is followed next knows the new ones.
    async prepare(only) {
      const told = settingsOf(await core.get("settings", { only }));
      if (!isDeepStrictEqual(told, settings)) settings = told;
      return { again: verifier.setRules(settings) };
    },
    onRevoked: (revoked) => {
      verifier.markRevoked(revoked.handle, revoked.at);
      ends.tell(revoked);
    },
    onChanged: (changed) => {
      verifier.markChanged(changed);
      changes.tell(changed);
    },
  });

  /** A session ended through this process is refused here before the feed tells. */
  const markRevoked = (handles: readonly string[]): readonly SessionHandle[] => {
    for (const handle of handles) verifier.markRevoked(handle as SessionHandle, clock.now());
    return handles as readonly SessionHandle[];
  };

  const verifyWithNewKeys = async (input: VerifyInput): Promise<VerifyOutcome> => {
    await keys.loadForUnknownKey();
    return askWhereNeeded(input, verifier.verify(input));
  };

  const askWhereNeeded = (input: VerifyInput, outcome: VerifyOutcome): VerifyOutcome | Promise<VerifyOutcome> => {
    const mustAsk = settings.checkDatabase || (options.whenFeedIsCut === "ask" && feed.cutFor > feedCutAfter);
    return outcome.kind === "valid" && mustAsk ? askCore(input.accessToken, outcome) : outcome;
  };

  const askCore = async (accessToken: string, outcome: VerifyOutcome): Promise<VerifyOutcome> => {
    const question = { body: { accessToken, checkDatabase: true } };
    const reply = await core.ask("verifySession", question, ["unauthorised", "try_refresh_token"]);
    if (reply.kind === "success") return outcome;
    const { code, message } = reply;
    // In itself the token is valid, as was found here: what a core has against it is newer than the token.
    return code === "unauthorised"
      ? { kind: "unauthorised", why: "no_session", message }
      : { kind: "try_refresh", why: "outdated", message };
  };

  telemetry.setGauge("pawl.feed.lag", () => feed.cutFor / 1000);
  telemetry.setGauge("pawl.revocations.known", () => verifier.marked);

  const backend: SessionBackend = {
    get settings() {
      return settings;
    },
    get signingAlgorithm() {
      return verifier.signingAlgorithm;
    },
    get audienceRule() {
      return verifier.audienceRule;
    },
    now: () => clock.now(),

    verify(input) {
      const outcome = verifier.verify(input);
      return outcome.kind === "try_refresh" && outcome.why === "unknown_key"
        ? verifyWithNewKeys(input)
        : askWhereNeeded(input, outcome);
    },

    async claimsOf(accessToken) {
      let authentic = verifier.authenticate(accessToken);
      if (authentic.kind === "try_refresh" && authentic.why === "unknown_key") {
        await keys.loadForUnknownKey();
        authentic = verifier.authenticate(accessToken);
      }
      return authentic.kind === "authentic" ? authentic.claims : undefined;
    },
    knowsEnded: (handle) => verifier.isRevoked(handle),
    isOvertaken: (told) => verifier.isOvertaken(told),

    async create({ auth, identityProvider, bindable, ...input }) {
      const body = { ...newSession(input), auth, identityProvider, bindable };
      return (await core.get("createSession", {
        body: body as RouteBody<"createSession">,
      })) as unknown as IssuedSession;
    },

    async refresh(input): Promise<RefreshAnswer> {
      const { refreshToken: presented, otherRefreshTokens = [], antiCsrfToken, form = "v5" } = input;
      const [refreshToken, ...others] = [presented, ...otherRefreshTokens].filter(isRefreshToken);
      if (refreshToken === undefined) return { kind: "unauthorised", message: NONE_OF_OURS, isOurs: false };
      // The anti-CSRF token only chooses among several.
      const more = others.length === 0 ? {} : { otherRefreshTokens: others, antiCsrfToken };
      const { boundSession, proof, skippedSessions, unprovenIsExpected } = input;
      const binding = { boundSession, proof, skippedSessions, unprovenIsExpected };
      const body = { refreshToken, ...more, form, ...binding } as RouteBody<"refreshSession">;
      return refreshAnswer(await core.ask("refreshSession", { body }, REFRESH_PROBLEMS));
    },

    async adopt(input) {
      checkFormer(input);
      const { former, until, createdAt } = input;
      const body = { ...newSession(input), former, until, createdAt } as RouteBody<"adoptSession">;
      return refreshAnswer(await core.ask("adoptSession", { body }, REFRESH_PROBLEMS));
    },

    async refuseAdoption({ former, userId, tenantId, until }, cause) {
      checkFormer({ former, until });
      await core.get("refuseAdoption", { body: { former, userId, tenantId, until, ...cause } });
    },

    async bind({ refreshTokens, proof, form = "v5" }) {
      if (proof.length > LONGEST_PROOF) return { kind: "refused", why: "proof", message: "this is no proof" };
      const body = { refreshTokens: refreshTokens.filter(isRefreshToken), proof, form } as RouteBody<"bindSession">;
      const reply = await core.ask("bindSession", { body }, ["binding_refused"]);
      if (reply.kind === "success") return { ...(reply.body as unknown as Bound), kind: "bound" };
      return { kind: "refused", why: reply.why as never, message: reply.message };
    },

    reportUses: (uses) => core.tell("reportUses", { body: { uses: [...uses] } }),

    async revoke(handles, cause) {
      const known = handles.filter(isHandle);
      const revoked: SessionHandle[] = [];
      for (let at = 0; at < known.length; at += MOST_HANDLES) {
        const asked = known.slice(at, at + MOST_HANDLES);
        const answer = await core.get("revokeSessions", { body: { handles: asked, ...cause } });
        // All of them: where the answer to an earlier attempt was lost, those that it ended are not told again.
        markRevoked(asked);
        revoked.push(...(answer.revoked as SessionHandle[]));
      }
      return revoked;
    },

    async revokeUser(user, cause) {
      if (!isUserId(user.userId)) return [];
      return markRevoked((await core.get("revokeSessions", { body: { ...user, ...cause } })).revoked);
    },

    async revokeTenant(tenantId, cause) {
      const revoked: SessionHandle[] = [];
      let after: string | undefined;
      do {
        const body = { allOfTenant: tenantId, limit: TENANT_STEP, after, ...cause };
        const answer = await core.get("revokeSessions", { body });
        revoked.push(...markRevoked(answer.revoked));
        after = answer.next;
      } while (after !== undefined);
      return revoked;
    },

    receiveLogout: (logoutToken) => core.receiveLogout(logoutToken),

    async get(handle, query = {}) {
      if (!isHandle(handle)) return undefined;
      const reply = await core.ask("getSession", { handle, query }, ["session_not_found"]);
      return reply.kind === "success" ? (reply.body as unknown as SessionInformation) : undefined;
    },

    async liveOf(handles) {
      const standings = new Map<string, SessionStanding>();
      const known = [...new Set(handles.filter(isHandle))];
      for (let at = 0; at < known.length; at += MOST_STANDINGS) {
        const body = { handles: known.slice(at, at + MOST_STANDINGS) };
        const { sessions } = await core.get("liveSessions", { body });
        for (const { handle, payloadVersion, liveUntil } of sessions)
          standings.set(handle, { payloadVersion, liveUntil: millis(liveUntil) });
      }
      return handles.map((handle) => standings.get(handle));
    },

    async list({ userId, tenantId = PUBLIC_TENANT }, page) {
      if (!isUserId(userId)) return { items: [] };
      const { sessions, next } = await core.get("listSessions", { query: { userId, tenantId, ...page } });
      return { items: sessions as unknown as SessionInformation[], ...(next === undefined ? {} : { next }) };
    },

    async listHandles(userId) {
      if (!isUserId(userId)) return [];
      return (await core.get("listSessionHandles", { query: { userId } })).handles as SessionHandle[];
    },

    ...createCoreChanges(core, { isHandle, markChanged: (changed) => verifier.markChanged(changed) }),

    async explain(handle) {
      if (!isHandle(handle))
        return {
          handle: typeof handle === "string" ? handle : "",
          status: "unknown",
          summary:
            "Nothing is known of this session: it never existed, or it ended so long ago that its events were deleted.",
          events: [],
        };
      const { events, ...history } = await core.get("explainSession", { handle });
      return { ...history, events: events.map(sessionEvent) } as SessionHistory;
    },

    operation: createCoreOperation(core),

    keySet: () => core.get("keySet"),

    subscribe: (listener) => ends.subscribe(listener),
    subscribeToChanges: (listener) => changes.subscribe(listener),

    async close() {
      feed.close();
      keys.stop();
      hosts.close();
    },
  };
  return measuredBackend(backend, telemetry);
};

/** What a core is told of a new session. @throws EngineError for what it would refuse, as the engine in process does. */
const newSession = (input: CreateSessionInput) => {
  const { userId, tenantId, payload = {}, data = {}, device, address, form = "v5", checkPayload } = input;
  const json = payloadText(payload, form);
  dataText(data);
  checkPayload?.(json);
  return { userId, tenantId, payload, data, device, address, form };
};

/** The problems that are answers to a refresh. */
const REFRESH_PROBLEMS: readonly ProblemCode[] = ["unauthorised", "unproven", "token_theft_detected"];

const refreshAnswer = (reply: Reply<"refreshSession">): RefreshAnswer => {
  if (reply.kind === "success")
    return { kind: "refreshed", ...(reply.body as unknown as IssuedSession & { readonly minted: boolean }) };
  const { code, message, reason, why, challenge, session } = reply;
  if (code === "unproven") return { kind: code, message, challenge, session };
  if (code !== "unauthorised") return { kind: "token_reuse", session };
  if (why === "other_session") return { kind: why };
  return { kind: code, message, reason, isOurs: message !== NONE_OF_OURS };
};

const settingsOf = (learned: RouteResponse<"settings">) => ({
  ...learned,
  accessTokenValidity: millis(learned.accessTokenValidity),
  reuseWindow: millis(learned.reuseWindow),
  activityInterval: millis(learned.activityInterval),
});

type CoreEvent = RouteResponse<"explainSession">["events"][number];

/** What both backends tell of an event. */
const sessionEvent = ({ at, type, reason, detail, count }: CoreEvent): object => ({
  at,
  type,
  ...(reason === undefined ? {} : { reason }),
  ...(detail === undefined ? {} : { detail }),
  count,
});
