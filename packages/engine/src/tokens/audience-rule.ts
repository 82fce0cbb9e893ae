import { EngineError } from "../errors.js";
import type { AccessTokenClaims, OAuthClaims } from "../session.js";

/** Who makes access tokens, and for whom: the claims `iss` and `aud` (RFC 9068 section 2.2). */
export interface AudienceRule {
  readonly issuer: string;
  /** A token is accepted that names one of them. */
  readonly audience: readonly string[];
}

/** The rule, where both are configured. */
export const audienceRuleOf = ({
  issuer,
  audience,
}: {
  readonly issuer?: string | undefined;
  readonly audience?: readonly string[] | undefined;
}): AudienceRule | undefined => (issuer === undefined || audience === undefined ? undefined : { issuer, audience });

/** What tokens say by the rule, besides an id. The application is its own client. */
export const oauthClaims = ({ issuer, audience }: AudienceRule): Omit<OAuthClaims, "tokenId"> => ({
  issuer,
  audience,
  clientId: audience[0] ?? "",
});

/** What is wrong with the URL of an issuer (RFC 8414 section 2): the end of "issuer must be …". */
export const issuerFault = (issuer: string): string | undefined => {
  const url = /^[\x21-\x7e]+$/.test(issuer) && URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isLocal = url?.protocol === "http:" && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  const isPlain = url !== undefined && !/[?#]/.test(issuer) && url.username === "" && url.password === "";
  return isPlain && (isLocal || url.protocol === "https:")
    ? undefined
    : "an https URL without query, fragment and user name (http on localhost alone)";
};

/** @throws EngineError `invalid_input` for an issuer that is no such URL, an empty audience, or one without the other. */
export const checkAudienceRule = ({
  issuer,
  audience,
}: {
  readonly issuer?: string | undefined;
  readonly audience?: readonly string[] | undefined;
}): void => {
  if (issuer === undefined && audience === undefined) return;
  if (issuer === undefined || audience === undefined)
    throw new EngineError("invalid_input", "issuer and audience are given together, or neither is");
  const fault = issuerFault(issuer);
  if (fault !== undefined) throw new EngineError("invalid_input", `issuer must be ${fault}`);
  if (audience.length === 0 || audience.some((one) => one === ""))
    throw new EngineError("invalid_input", "audience must name one API at least");
};

/**
 * Whether a token is one that the rule admits. Forms of other SDKs say neither, and are what their protocols describe: the
 * rule is not about them.
 */
export const isAdmitted = (rule: AudienceRule | undefined, { form, oauth }: AccessTokenClaims): boolean =>
  rule === undefined ||
  form !== "pawl" ||
  (oauth?.issuer === rule.issuer && oauth.audience.some((one) => rule.audience.includes(one)));
