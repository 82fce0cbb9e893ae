import type { IntrospectOutcome, SessionEngine } from "@pawl/engine";
import type { ReceiveLogout } from "@pawl/engine/identity-provider";
import { type OAuthErrorCode, oauthErrorOf, type OAuthRoute, oauthRoutes, problems } from "@pawl/protocol";
import type { CoreConfig } from "../../config/core-config.js";
import type { Logger } from "pino";
import type { CoreReply, Dialect, Operation } from "../../server/dialect.js";
import { withoutHead } from "../../server/request-target.js";
import { createPathTable } from "../path-table.js";
import { readForm } from "./form.js";
import { introspectionBody } from "./introspection-body.js";
import { metadata, metadataPath } from "./metadata.js";

interface OAuthDialectOptions {
  readonly engine: Pick<SessionEngine, "policy" | "introspectToken" | "revokeToken">;
  readonly config: Pick<CoreConfig, "apiKeys">;
  readonly receiveLogout: ReceiveLogout;
  readonly log: Logger;
}

const PREFIX = "/oauth/";
const METADATA_CACHE = "public, max-age=300";
const JSON_TYPE = "application/json; charset=utf-8";

/** How a key may be sent, of which RFC 6749 section 5.2 wants the caller told. */
const CHALLENGE = ["WWW-Authenticate", 'Bearer realm="pawl", Basic realm="pawl"'];

const oauthError = (status: number, error: OAuthErrorCode, description: string): CoreReply => ({
  status,
  contentType: JSON_TYPE,
  body: JSON.stringify({ error, error_description: description }),
});

const jsonReply = (body: object): CoreReply => ({ status: 200, contentType: JSON_TYPE, body: JSON.stringify(body) });

/**
 * What gateways, programs without an SDK of ours and identity providers ask, as their specifications say: RFC 7662, RFC 7009,
 * RFC 8414 and OpenID Connect Back-Channel Logout 1.0.
 */
export const createOAuthDialect = ({ engine, config, receiveLogout, log }: OAuthDialectOptions): Dialect => {
  /** Answers what is asked about the token of a form. */
  const aboutToken =
    (answer: (token: string, hint: string | undefined) => Promise<CoreReply>): Operation["handle"] =>
    (request) => {
      const form = readForm(request);
      if ("fault" in form) return oauthError(form.status, "invalid_request", form.fault);
      const token = form.parameters.get("token") ?? "";
      if (token === "") return oauthError(400, "invalid_request", "the parameter token is missing");
      return answer(token, form.parameters.get("token_type_hint"));
    };

  const { issuer } = engine.policy;
  const described = issuer === undefined ? {} : metadata(issuer, { hasKeys: config.apiKeys.length > 0 });
  const handlers: Readonly<Record<keyof typeof oauthRoutes, Operation["handle"]>> = {
    introspectToken: aboutToken(async (token, hint) => {
      const outcome: IntrospectOutcome = await engine.introspectToken(token, {
        admitsRefreshTokens: hint === "refresh_token",
      });
      return jsonReply(introspectionBody(outcome, issuer));
    }),
    revokeToken: aboutToken(async (token) => {
      const outcome = await engine.revokeToken(token, { reason: "logout", detail: "token revocation (RFC 7009)" });
      return outcome === "unsupported"
        ? oauthError(400, "unsupported_token_type", "a JWT that is no session's cannot be revoked")
        : { status: 200, body: "" };
    }),
    authorizationServer: () => ({ ...jsonReply(described), cacheControl: METADATA_CACHE }),
    async backchannelLogout(request) {
      const form = readForm(request);
      if ("fault" in form) return oauthError(400, "invalid_request", form.fault);
      const outcome = await receiveLogout(form.parameters.get("logout_token") ?? "");
      if (outcome.kind === "ended") return jsonReply({ ended: outcome.ended.length });
      if (outcome.kind === "refused") {
        log.info(outcome.message);
        return oauthError(400, "invalid_request", outcome.message);
      }
      log.warn({ err: outcome.cause }, outcome.message);
      return { ...oauthError(503, "temporarily_unavailable", outcome.message), headers: ["Retry-After", "1"] };
    },
  };

  const paths: Readonly<Record<keyof typeof oauthRoutes, string | undefined>> = {
    introspectToken: oauthRoutes.introspectToken.path,
    revokeToken: oauthRoutes.revokeToken.path,
    backchannelLogout: oauthRoutes.backchannelLogout.path,
    authorizationServer: issuer && metadataPath(issuer),
  };
  const table = createPathTable(
    (Object.entries(oauthRoutes) as [keyof typeof oauthRoutes, OAuthRoute][]).flatMap(([name, { method, access }]) => {
      const path = paths[name];
      return path === undefined ? [] : [[method, path, { name: `oauth ${name}`, access, handle: handlers[name] }]];
    }),
  );
  return {
    find: (method, path) => table.find(withoutHead(method), path),
    owns: (path) => path.startsWith(PREFIX),
    refuse(problem, { detail }) {
      const { status, title } = problems[problem];
      const reply = oauthError(status, oauthErrorOf(problem), detail ?? title);
      return status === 401 ? { ...reply, headers: CHALLENGE } : reply;
    },
  };
};
