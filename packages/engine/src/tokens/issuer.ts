import {
  type Millis,
  millis,
  type SessionRecord,
  type SigningAlgorithm,
  type SigningKeyKind,
  singleFlight,
} from "@pawl/storage";
import { accessTokenFormats, issueAccessToken } from "./access-token.js";
import type { AccessTokenSigner } from "./access-token-format.js";
import { audienceRuleOf, oauthClaims } from "./audience-rule.js";
import { type RandomSource, randomUuid } from "../random.js";
import { antiCsrfToken } from "./anti-csrf.js";
import { accessTokenLife, type Policy } from "../policy.js";
import type { RefreshTokenClaims, RefreshTokenSeal } from "./refresh-token.js";
import { EngineError } from "../errors.js";
import { handleOf } from "../session-handle.js";
import { identityOf, isBound } from "../sessions/facts.js";
import type { AccessTokenClaims, AccessTokenForm, IssuedSession, IssuedToken, OAuthClaims } from "../session.js";
import type { SigningKeys } from "../keys/signing-keys.js";

/** How an answer is to be written. */
interface IssueStyle {
  readonly form: AccessTokenForm;
  /** Taken where the form allows it; the policy's unless given. */
  readonly algorithm: SigningAlgorithm | undefined;
  readonly keyKind: SigningKeyKind;
}

/** Writes the tokens of an answer; decides nothing. */
export interface Issuer {
  /**
   * Tokens for a row: the access token for `next`, the refresh token as `refresh` says, sealed anew.
   * @throws EngineError `acting` for a row that acts, in a form that cannot say so.
   */
  session(
    row: SessionRecord,
    refresh: RefreshTokenClaims,
    issue: IssueStyle & { readonly now: Millis },
  ): Promise<IssuedSession>;
  /** The key that signs now; the first of its algorithm and kind is made. */
  signer(
    algorithm: SigningAlgorithm,
    keyKind: SigningKeyKind,
    now: Millis,
  ): AccessTokenSigner | Promise<AccessTokenSigner>;
  /** Signs claims as they are. @throws EngineError `acting` as `session`. */
  accessToken(
    claims: AccessTokenClaims,
    issue: Omit<IssueStyle, "form"> & { readonly now: Millis },
  ): Promise<IssuedToken>;
}

export const createIssuer = ({
  policy,
  seal,
  signingKeys,
  random,
}: {
  readonly policy: Policy;
  readonly seal: RefreshTokenSeal;
  readonly signingKeys: SigningKeys;
  readonly random: RandomSource;
}): Issuer => {
  const life = accessTokenLife(policy);
  const rule = audienceRuleOf(policy);
  const ready = new Set<string>();

  /** Makes the first key of an algorithm and kind. */
  const ensure = singleFlight(async (algorithm: SigningAlgorithm, keyKind: SigningKeyKind): Promise<void> => {
    await signingKeys.ensure(algorithm, keyKind);
    ready.add(`${algorithm} ${keyKind}`);
  });

  /** Synchronous when the key is known, which is nearly always: a needless await costs two turns of the queue. */
  const signer = (
    algorithm: SigningAlgorithm,
    keyKind: SigningKeyKind,
    now: Millis,
  ): AccessTokenSigner | Promise<AccessTokenSigner> =>
    ready.has(`${algorithm} ${keyKind}`)
      ? signingKeys.signer(algorithm, keyKind, now)
      : ensure(algorithm, keyKind).then(() => signingKeys.signer(algorithm, keyKind, now));

  const signerFor = (
    form: AccessTokenForm,
    { algorithm: wanted = policy.signingAlgorithm, keyKind }: Omit<IssueStyle, "form">,
    now: Millis,
  ): AccessTokenSigner | Promise<AccessTokenSigner> => {
    const { algorithms } = accessTokenFormats[form];
    return signer(algorithms.includes(wanted) ? wanted : algorithms[0], keyKind, now);
  };

  const oauthFor = (form: AccessTokenForm): OAuthClaims | undefined =>
    rule && form === "pawl" ? { ...oauthClaims(rule), tokenId: randomUuid(random) } : undefined;

  return {
    signer,

    async accessToken(claims, { now, ...style }) {
      checkExpressible(claims);
      const signed = { ...claims, oauth: oauthFor(claims.form) };
      return issueAccessToken(signed, await signerFor(claims.form, style, now));
    },

    async session(row, refresh, { now, form, ...style }) {
      const { tenantId, expiresAt } = row;
      const handle = handleOf(row);
      const { userId, actor, payload, payloadText, payloadVersion, auth, until } = identityOf(row, now);
      const bound = isBound(row);
      const csrf = refresh.antiCsrf ? { antiCsrfToken: antiCsrfToken(refresh.secret, row.id) } : undefined;
      const claims: AccessTokenClaims = {
        form,
        handle,
        tenantId,
        userId,
        seq: row.next,
        ...(row.current < row.next && { parentSeq: row.current }),
        ...csrf,
        payload,
        payloadVersion,
        auth,
        ...(actor !== undefined && { actor }),
        oauth: oauthFor(form),
        ...(bound && { bound }),
        issuedAt: now,
        expiresAt: millis(Math.min(now + life, expiresAt, row.idleExpiresAt, until ?? expiresAt)),
      };
      checkExpressible(claims);
      const found = signerFor(form, style, now);
      return {
        session: { handle, tenantId, userId, actor, payload, payloadVersion, auth, ...(bound && { bound }) },
        accessToken: issueAccessToken(claims, found instanceof Promise ? await found : found, payloadText),
        refreshToken: { token: seal.seal(refresh), expiry: expiresAt, createdTime: refresh.iat },
        ...csrf,
      };
    },
  };
};

/** A token that named the other user alone would be a lie to whoever reads it. */
const checkExpressible = ({ form, actor }: AccessTokenClaims): void => {
  if (actor !== undefined && form !== "pawl")
    throw new EngineError(
      "acting",
      `the session acts for another user, which an access token of the form ${form} cannot say: end that first, or let it run out`,
    );
};
