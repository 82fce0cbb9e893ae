import type { ProblemCode } from "./problems.js";
import type { JsonSchema } from "./routes.js";
import { list, object, Text, UserId } from "./schemas.js";

/** One endpoint of an OAuth specification. Errors are `{ error, error_description }` (RFC 6749 section 5.2). */
export interface OAuthRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly summary: string;
  /** Members of the form that is posted. */
  readonly form?: JsonSchema;
  /** The body of its success, whose status is 200; without it there is none. */
  readonly success?: JsonSchema;
  readonly access: "open" | "verifier" | "full";
}

export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "access_denied"
  | "unsupported_token_type"
  | "server_error"
  | "temporarily_unavailable";

const errors: Partial<Record<ProblemCode, OAuthErrorCode>> = {
  api_key_invalid: "invalid_client",
  browser_refused: "access_denied",
  host_refused: "access_denied",
  address_refused: "access_denied",
  internal_error: "server_error",
  storage_unavailable: "temporarily_unavailable",
  shutting_down: "temporarily_unavailable",
};

/** What a refusal is called in OAuth (RFC 6749 sections 5.2 and 4.1.2.1). */
export const oauthErrorOf = (problem: ProblemCode): OAuthErrorCode => errors[problem] ?? "invalid_request";

/** What OAuth's endpoints answer when they refuse. */
export const OAuthError = object({ error: Text }, { error_description: Text });

const Seconds = { type: "integer", description: "Seconds since the Unix epoch" } as const;

const form = object({ token: Text }, { token_type_hint: Text });

/** What stands at the paths that OAuth's specifications describe; the rest of our HTTP API is `routes`. */
export const oauthRoutes = {
  introspectToken: {
    method: "POST",
    path: "/oauth/introspect",
    summary:
      'Token introspection (RFC 7662): whether a token is good now, and what it says. A refresh token is `{"active":false}` unless `token_type_hint` is `refresh_token`',
    form,
    success: object(
      { active: { type: "boolean", description: "Alone where it is false" } },
      {
        token_type: { const: "Bearer", description: "Of an access token" },
        iss: { ...Text, description: "With `access_token_issuer`; so are `aud`, `client_id` and `jti`" },
        aud: { anyOf: [Text, list(Text)] },
        client_id: Text,
        jti: Text,
        sub: UserId,
        act: { ...object({ sub: UserId }), description: "Whose session it is, while he acts for `sub`" },
        sid: { ...Text, description: "Session handle" },
        tId: { ...Text, description: "Tenant" },
        iat: Seconds,
        exp: Seconds,
        pver: { type: "integer", description: "How often the payload changed; of an access token" },
        auth_time: Seconds,
        amr: list(Text),
        acr: Text,
        cnf: { ...object({ jkt: Text }), description: "The key that has to prove each use of a refresh token" },
      },
    ),
    access: "verifier",
  },
  revokeToken: {
    method: "POST",
    path: "/oauth/revoke",
    summary: "Token revocation (RFC 7009): ends the session of a token; 200 also where there is none",
    form,
    access: "full",
  },
  authorizationServer: {
    method: "GET",
    path: "/.well-known/oauth-authorization-server",
    summary: "Metadata (RFC 8414), with `access_token_issuer` alone; below the path of an issuer that has one",
    success: object(
      { issuer: Text, jwks_uri: Text, response_types_supported: list(Text) },
      {
        introspection_endpoint: Text,
        introspection_endpoint_auth_methods_supported: list(Text),
        revocation_endpoint: Text,
        revocation_endpoint_auth_methods_supported: list(Text),
      },
    ),
    access: "open",
  },
  backchannelLogout: {
    method: "POST",
    path: "/oauth/backchannel-logout",
    summary:
      "OpenID Connect Back-Channel Logout 1.0: an identity provider of the configuration ends the sessions of the logins that its logout token names",
    form: object({ logout_token: Text }),
    success: object({ ended: { type: "integer", description: "How many sessions were live" } }),
    access: "open",
  },
} as const satisfies Readonly<Record<string, OAuthRoute>>;
