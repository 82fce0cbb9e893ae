import {
  type AccessTokenForm,
  type ActAsInput,
  activityInterval,
  type AdoptSessionInput,
  type CreateSessionInput,
  type FormerSession,
  type JsonObject,
  type RefreshOutcome,
  type RefusedOutcome,
  type RegenerateOutcome,
  type RevokeCause,
  type SessionEngine,
  type SessionHandle,
  type SessionSummary,
} from "@pawl/engine";
import { openApi, type RouteResponse, type RouteBody, type Written } from "@pawl/protocol";
import { millis, type TenantId, type UserId } from "@pawl/storage";
import type { Webhooks } from "@pawl/engine/webhooks";
import type { CoreConfig } from "../../config/core-config.js";
import type { Nodes } from "../../server/nodes.js";
import { explanationBody, issuedSessionBody, verifiedSessionBody } from "./answers.js";
import type { CallOutcome, Handlers } from "./call.js";
import { audit } from "../../server/audit.js";
import { endingAct } from "./ending-act.js";
import type { DashboardAccess } from "../dashboard/dashboard-access.js";
import { feedStream } from "./feed-stream.js";
import { createOperationHandlers } from "./operation-handlers.js";
import { pageOf } from "./page-of.js";

export interface HandlerOptions {
  readonly engine: SessionEngine;
  readonly webhooks: Webhooks;
  readonly config: Pick<CoreConfig, "cookies" | "keyKind" | "settings">;
  readonly nodes: Pick<Nodes, "list">;
  /** Absent where the dashboard is not served. */
  readonly dashboard?: Pick<DashboardAccess, "createLink"> | undefined;
  /** Version of the package, for the description. */
  readonly version: string;
  /** Milliseconds between two comments on a silent stream. */
  readonly heartbeat: number;
}

/** Of access tokens, where a request does not say. */
const FORM: AccessTokenForm = "pawl";

const NOT_FOUND = { problem: "session_not_found" } as const;

/** Every operation of our API over the engine. */
export const createHandlers = (options: HandlerOptions): Handlers => {
  const { engine, webhooks, config, nodes, dashboard, version, heartbeat } = options;
  const { policy } = engine;
  const { cookies, keyKind } = config;
  const description = openApi(version);
  // The schemas have checked what is cast here; brands are for the engine's own code.
  const revoke = async (
    body: RouteBody<"revokeSessions">,
    cause: RevokeCause,
  ): Promise<{ readonly ok: Written<RouteResponse<"revokeSessions">> }> => {
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
  };

  return {
    ...createOperationHandlers({ engine, webhooks }),
    async createSession({ body }) {
      const input = { keyKind, form: FORM, ...(body as CreateSessionInput) };
      return { ok: issuedSessionBody(await engine.createSession(input)) };
    },
    async refreshSession({ body }) {
      return refreshed(await engine.refreshSession({ form: FORM, ...body }));
    },
    async adoptSession({ body }) {
      return refreshed(await engine.adoptSession({ keyKind, form: FORM, ...(body as AdoptSessionInput) }));
    },
    async refuseAdoption({ body: { reason = "revoked", ...former } }) {
      await engine.refuseAdoption(former as FormerSession, { reason });
      return { ok: undefined };
    },
    async bindSession({ body }) {
      const outcome = await engine.bindSession({ form: FORM, ...body });
      if (outcome.kind === "bound") {
        const { handle, challenge, issued } = outcome;
        return { ok: { handle, challenge, issued: issued && issuedSessionBody(issued) } };
      }
      return { problem: "binding_refused", detail: { detail: outcome.message, why: outcome.why } };
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
      const { accessToken, auth, bindable } = body;
      return regenerated(await engine.stepUp(accessToken, { ...auth, bindable }));
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
    async revokeSessions({ body, by }) {
      const { reason, detail } = body;
      const cause: RevokeCause = { reason, detail };
      const outcome = await revoke(body, cause);
      if (reason === "revoked_by_admin") await audit(engine.storage, endingAct(body, outcome.ok), by());
      return outcome;
    },
    async listSessions({ query }) {
      const { items, next } = await engine.listSessions(
        query as Parameters<SessionEngine["listSessions"]>[0],
        pageOf(query),
      );
      return { ok: { sessions: items, next } };
    },
    async listSessionHandles({ query }) {
      const handles = await engine.listSessionHandles(
        query as { readonly userId: UserId; readonly tenantId?: TenantId },
      );
      return { ok: { handles: handles } };
    },
    async liveSessions({ body: { handles } }) {
      const standings = await engine.liveOf(handles);
      const sessions = handles.flatMap((handle, index) => {
        const standing = standings[index];
        return standing === undefined ? [] : [{ handle, ...standing }];
      });
      return { ok: { sessions } };
    },
    async getSession({ handle, query }) {
      const session = await engine.getSession(handle, { as: query.as as UserId | undefined });
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
        deviceBinding: policy.deviceBinding,
        accessTokenValidity: policy.accessTokenValidity,
        reuseWindow: policy.reuseWindow,
        activityInterval: activityInterval(policy),
        issuer: policy.issuer,
        audience: policy.audience,
      },
    }),
    async createDashboardLink() {
      const link = await dashboard?.createLink();
      if (link === undefined)
        return { problem: "not_found", detail: { detail: "this core serves no dashboard: set dashboard: true" } };
      return { ok: { path: `/dashboard#link=${link.token}`, expiresAt: link.until } };
    },
    async listNodes() {
      return { ok: { now: engine.storage.now(), nodes: await nodes.list() } };
    },
    configuration: () => ({ ok: { settings: config.settings } }),
    openApi: () => ({ ok: description }),
  };
};

const ownerDetail = ({ handle, userId, tenantId }: Pick<SessionSummary, "handle" | "userId" | "tenantId">) => ({
  sessionHandle: handle,
  userId,
  tenantId,
});

const refreshed = (outcome: RefreshOutcome): CallOutcome<"refreshSession"> => {
  switch (outcome.kind) {
    case "refreshed":
      return { ok: { minted: outcome.minted, ...issuedSessionBody(outcome) } };
    case "unauthorised": {
      const { message: detail, reason, why } = outcome;
      return { problem: "unauthorised", detail: { detail, reason, why: why === "other_session" ? why : undefined } };
    }
    case "unproven": {
      const { message: detail, why, challenge } = outcome;
      return { problem: "unproven", detail: { detail, why, challenge, ...ownerDetail(outcome.session) } };
    }
    case "token_reuse":
      return { problem: "token_theft_detected", detail: ownerDetail(outcome.session) };
  }
};

const regenerated = (outcome: RegenerateOutcome | RefusedOutcome): CallOutcome<"stepUp"> => {
  if (outcome.kind === "regenerated") {
    const { session, accessToken, changedAt, registration } = outcome;
    return { ok: { session, accessToken, changedAt, registration } };
  }
  const { kind, message: detail } = outcome;
  return kind === "refused"
    ? { problem: "acting_refused", detail: { detail, why: outcome.why } }
    : { problem: kind, detail: { detail } };
};
