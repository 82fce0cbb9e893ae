import { type IdentityProvider, isIdentityProvider } from "@pawl/engine";
import { key } from "./config-key.js";
import { mappings } from "./mappings.js";

/** Who may end the sessions of their logins. */
export const identityProviders = key({
  group: "Access",
  summary:
    "Identity providers (OpenID Connect) that may end the sessions of their logins, by POST /oauth/backchannel-logout.",
  type: mappings<IdentityProvider>({
    members: {
      issuer: "issuer",
      client_id: "clientId",
      jwks_uri: "jwksUri",
      tenant_id: "tenantId",
      across_tenants: "acrossTenants",
    },
    isRight: isIdentityProvider,
    accepted:
      "a list of mappings with issuer (a URL, to the letter) and client_id, perhaps jwks_uri, tenant_id (public unless given) and across_tenants; JSON in the environment variable",
  }),
  otherwise: "nobody may",
  example: [{ issuer: "https://id.example.com", clientId: "my-app" }],
});
