import {
  accessTokenFormatOf,
  type Authentication,
  type IntrospectOutcome,
  type OAuthClaims,
  type SessionSummary,
} from "@pawl/engine";
import type { Millis } from "@pawl/storage";

const SECOND = 1000;

const seconds = (time: Millis): number => Math.floor(time / SECOND);

/**
 * The answer of RFC 7662 section 2.2. The payload of an access token stands beside it, as in the token.
 * @param issuer of refresh tokens, which do not say it.
 */
export const introspectionBody = (outcome: IntrospectOutcome, issuer: string | undefined): object => {
  switch (outcome.kind) {
    case "inactive":
      return { active: false };
    case "access_token": {
      const { payload, payloadVersion, issuedAt, expiresAt, oauth } = outcome.claims;
      // Of whole seconds the claims tell the end.
      const cut = accessTokenFormatOf(outcome.claims).timeUnit === SECOND ? 1 : 0;
      return {
        ...payload,
        active: true,
        token_type: "Bearer",
        ...(oauth && oauthMembers(oauth)),
        ...sessionMembers(outcome.claims),
        iat: seconds(issuedAt) - cut,
        exp: seconds(expiresAt),
        pver: payloadVersion,
      };
    }
    case "refresh_token":
      return {
        active: true,
        ...(issuer !== undefined && { iss: issuer }),
        ...sessionMembers(outcome.session),
        iat: seconds(outcome.issuedAt),
        exp: seconds(outcome.expiresAt),
        cnf: outcome.bound === undefined ? undefined : { jkt: outcome.bound },
      };
  }
};

const oauthMembers = ({ issuer, audience, clientId, tokenId }: OAuthClaims): object => ({
  iss: issuer,
  aud: audience.length === 1 ? audience[0] : audience,
  client_id: clientId,
  jti: tokenId,
});

/** By the names that access tokens of our own form have. */
const sessionMembers = ({
  handle,
  tenantId,
  userId,
  actor,
  auth,
}: Pick<SessionSummary, "handle" | "tenantId" | "userId" | "actor" | "auth">): object => ({
  sub: userId,
  act: actor && { sub: actor.userId },
  sid: handle,
  tId: tenantId,
  ...authenticationMembers(auth),
});

const authenticationMembers = (auth: Authentication | undefined): object =>
  auth === undefined
    ? {}
    : {
        auth_time: seconds(auth.at),
        amr: auth.methods.length === 0 ? undefined : auth.methods,
        acr: auth.level,
      };
