import {
  type AccessTokenForm,
  type ActAsInput,
  activityInterval,
  type CreateSessionInput,
  type JsonObject,
  parseHandle,
  type RefusedOutcome,
  type RegenerateOutcome,
  type RevokeCause,
  type SessionEngine,
  type SessionHandle,
} from "@pawl/engine";
import {
  DEFAULT_PAGE_LIMIT,
  openApi,
  type ProblemCode,
  type RouteResponse,
  type RouteBody,
  type RouteName,
  type RouteQuery,
  type Written,
} from "@pawl/protocol";
import {
  type EventSelector,
  millis,
  type PageRequest,
  type SessionSelector,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import type { CoreConfig } from "../../config/core-config.js";
import type { StreamReply } from "../../server/dialect.js";
import { eventBody, explanationBody, issuedSessionBody, verifiedSessionBody } from "./answers.js";
import type { ProblemDetail } from "./problem-reply.js";
import { feedStream } from "./feed-stream.js";

/** A request to one operation, checked against its schemas. */
export interface Call<Name extends RouteName> {
  readonly body: RouteBody<Name>;
  readonly query: RouteQuery<Name>;
  /** The `{handle}` of the path, decoded; empty where the path has none. */
  readonly handle: string;
  /** `Last-Event-ID`, of a reader that resumes a stream. */
  readonly lastEventId: string | undefined;
}

/** The outcome of an operation. */
export type CallOutcome<Name extends RouteName> =
  | { readonly ok: Written<RouteResponse<Name>> }
  | { readonly problem: ProblemCode; readonly detail?: ProblemDetail }
  | { readonly stream: StreamReply };

type Handlers = {
  readonly [Name in RouteName]: (call: Call<Name>) => CallOutcome<Name> | Promise<CallOutcome<Name>>;
};

export interface HandlerOptions {
  readonly engine: SessionEngine;
  readonly config: Pick<CoreConfig, "cookies" | "keyKind">;
  /** Version of the package, for the description. */
  readonly version: string;
  /** Milliseconds between two comments on a silent stream. */
  readonly heartbeat: number;
}

/** Of access tokens, where a request does not say. */
const FORM: AccessTokenForm = "pawl";

const NOT_FOUND = { problem: "session_not_found" } as const;

/** Every operation of our API over the engine. */
export const createHandlers = ({ engine, config, version, heartbeat }: HandlerOptions): Handlers => {
  const { policy } = engine;
  const { cookies, keyKind } = config;
  const description = openApi(version);
  // The schemas have checked what is cast here; brands are for the engine's own code.
  return {
    async createSession({ body }) {
      const input = { keyKind, form: FORM, ...(body as CreateSessionInput) };
      return { ok: issuedSessionBody(await engine.createSession(input)) };
    },
    async refreshSession({ body }) {
      const outcome = await engine.refreshSession({ form: FORM, ...body });
      switch (outcome.kind) {
        case "refreshed":
          return { ok: { minted: outcome.minted, ...issuedSessionBody(outcome) } };
        case "unauthorised":
          return { problem: "unauthorised", detail: { detail: outcome.message, reason: outcome.reason } };
        case "token_reuse": {
          const { handle, userId, tenantId } = outcome.session;
          return { problem: "token_theft_detected", detail: { sessionHandle: handle, userId, tenantId } };
        }
      }
    },
    async verifySession({ body }) {
      const outcome = await engine.verifyAccessToken(body);
      if (outcome.kind === "valid") return { ok: verifiedSessionBody(outcome.claims) };
      const problem = outcome.kind === "try_refresh" ? "try_refresh_token" : "unauthorised";
      return { problem, detail: { detail: outcome.message } };
    },
    async regenerateSession({ body: { accessToken, payload, ...change } }) {
      return regenerated(await engine.regenerateAccessToken(accessToken, payload as JsonObject | undefined, change));
    },
    async stepUp({ body }) {
      return regenerated(await engine.stepUp(body.accessToken, body.auth));
    },
    async actAs({ body: { accessToken, ...input } }) {
      return regenerated(await engine.actAs(accessToken, input as ActAsInput));
    },
    async actAsSelf({ body }) {
      return regenerated(await engine.actAsSelf(body.accessToken));
    },
    async reportUses({ body }) {
      await engine.reportUses(
        body.uses.map(({ handle, seq, issuedAt }) => ({
          handle: handle as SessionHandle,
          seq,
          issuedAt: millis(issuedAt),
        })),
      );
      return { ok: undefined };
    },
    async revokeSessions({ body }) {
      const { reason, detail } = body;
      const cause: RevokeCause = { reason, detail };
      if ("handles" in body) return { ok: { revoked: await engine.revokeSessions(body.handles, cause) } };
      if ("allOfTenant" in body) {
        const { limit, after } = body;
        const tenantId = body.allOfTenant as TenantId;
        if (limit === undefined) return { ok: { revoked: await engine.revokeTenant(tenantId, cause) } };
        const { items, next } = await engine.revokeSomeOfTenant(tenantId, { limit, after }, cause);
        return { ok: { revoked: items, next } };
      }
      const user = body as Parameters<SessionEngine["revokeAllForUser"]>[0];
      return { ok: { revoked: await engine.revokeAllForUser(user, cause) } };
    },
    async listSessions({ query }) {
      const { items, next } = await engine.listSessions(query as SessionSelector, pageOf(query));
      return { ok: { sessions: items, next } };
    },
    async listSessionHandles({ query }) {
      const handles = await engine.listSessionHandles(
        query as { readonly userId: UserId; readonly tenantId?: TenantId },
      );
      return { ok: { handles: handles } };
    },
    async getSession({ handle }) {
      const session = await engine.getSession(handle);
      return session === undefined ? NOT_FOUND : { ok: session };
    },
    async explainSession({ handle }) {
      return { ok: explanationBody(await engine.explainSession(handle)) };
    },
    async updateSessionData({ handle, body }) {
      const as = body.as as UserId | undefined;
      return (await engine.updateSessionData(handle, body.data as JsonObject, { as })) ? { ok: undefined } : NOT_FOUND;
    },
    async updatePayload({ handle, body: { payload, ...change } }) {
      const changed = await engine.updatePayload(handle, payload as JsonObject, { form: FORM, ...change });
      return changed === undefined ? NOT_FOUND : { ok: changed };
    },
    async listEvents({ query }) {
      const selector = eventSelector(query);
      if (selector === undefined) return { ok: { events: [] } };
      const { items, next } = await engine.listEvents(selector, pageOf(query));
      return { ok: { events: items.map(eventBody), next } };
    },
    async watchRevocations({ query, lastEventId }) {
      return { stream: await feedStream(engine, { cursor: lastEventId ?? query.cursor, heartbeat }) };
    },
    keySet: () => ({ ok: { keys: engine.keySet().keys } }),
    settings: () => ({
      ok: {
        cookieDomain: cookies.domain,
        cookieSecure: cookies.secure,
        accessTokenPath: cookies.accessTokenPath,
        refreshTokenPath: cookies.refreshApiPath,
        enableAntiCsrf: policy.enableAntiCsrf,
        checkDatabase: policy.checkDatabase,
        accessTokenValidity: policy.accessTokenValidity,
        reuseWindow: policy.reuseWindow,
        activityInterval: activityInterval(policy),
      },
    }),
    listSigningKeys: () => ({ ok: { keys: engine.listSigningKeys() } }),
    async rotateSigningKey({ body }) {
      return { ok: await engine.rotateSigningKey(body.algorithm) };
    },
    openApi: () => ({ ok: description }),
  };
};

const regenerated = (outcome: RegenerateOutcome | RefusedOutcome): CallOutcome<"stepUp"> => {
  if (outcome.kind === "regenerated") {
    const { session, accessToken, changedAt } = outcome;
    return { ok: { session, accessToken, changedAt } };
  }
  const { kind, message: detail } = outcome;
  return kind === "refused"
    ? { problem: "acting_refused", detail: { detail, why: outcome.why } }
    : { problem: kind, detail: { detail } };
};

const pageOf = ({ limit = DEFAULT_PAGE_LIMIT, after }: RouteQuery<"listSessions">): PageRequest => ({ limit, after });

/** @returns undefined when no session can have the handle. */
const eventSelector = ({ handle, userId, tenantId, type }: RouteQuery<"listEvents">): EventSelector | undefined => {
  const named = handle === undefined ? undefined : parseHandle(handle);
  if (handle !== undefined && named === undefined) return undefined;
  return {
    sessionId: named?.id,
    tenantId: (tenantId as TenantId | undefined) ?? named?.tenantId,
    userId: userId as UserId | undefined,
    types: type && [type],
  };
};
