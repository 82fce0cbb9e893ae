import { oauthRoutes, routes } from "@pawl/protocol";

/** Where the metadata of an issuer stands: its path comes after the well-known one (RFC 8414 section 3.1). */
export const metadataPath = (issuer: string): string =>
  oauthRoutes.authorizationServer.path + new URL(issuer).pathname.replace(/\/$/, "");

/**
 * What an OAuth client or resource server has to know of the core (RFC 8414 section 2). It logs nobody in, so there is no
 * response type; the member is there because it is required.
 */
export const metadata = (issuer: string, { hasKeys }: { readonly hasKeys: boolean }): object => {
  const base = issuer.replace(/\/$/, "");
  return {
    issuer,
    jwks_uri: base + routes.keySet.path,
    introspection_endpoint: base + oauthRoutes.introspectToken.path,
    introspection_endpoint_auth_methods_supported: hasKeys ? ["Bearer", "client_secret_basic"] : ["none"],
    revocation_endpoint: base + oauthRoutes.revokeToken.path,
    revocation_endpoint_auth_methods_supported: hasKeys ? ["client_secret_basic"] : ["none"],
    response_types_supported: [],
  };
};
