import { type Millis, millis, type SessionRecord, type SigningAlgorithm, type SigningKeyKind } from "@pawl/storage";
import { issueAccessToken } from "./access-token.js";
import { antiCsrfToken } from "./anti-csrf.js";
import type { Policy } from "./policy.js";
import type { RefreshTokenClaims, RefreshTokenSeal } from "./refresh-token.js";
import { handleOf } from "./session-handle.js";
import type { AccessTokenClaims, AccessTokenForm, IssuedSession, IssuedToken, JsonObject } from "./session.js";
import type { SigningKeys } from "./signing-keys.js";

/** How an answer is to be written. */
interface IssueStyle {
  readonly form: AccessTokenForm;
  readonly keyKind: SigningKeyKind;
}

/** Writes the tokens of an answer; decides nothing. */
export interface Issuer {
  /** Tokens for a row: the access token for `next`, the refresh token as `refresh` says, sealed anew. */
  session(
    row: SessionRecord,
    refresh: RefreshTokenClaims,
    issue: IssueStyle & { readonly now: Millis },
  ): Promise<IssuedSession>;
  /** Signs claims as they are. */
  accessToken(
    claims: AccessTokenClaims,
    issue: { readonly keyKind: SigningKeyKind; readonly now: Millis },
  ): Promise<IssuedToken>;
}

export const createIssuer = ({
  policy,
  seal,
  signingKeys,
}: {
  readonly policy: Policy;
  readonly seal: RefreshTokenSeal;
  readonly signingKeys: SigningKeys;
}): Issuer => {
  const ensured = new Map<string, Promise<void>>();

  /** Makes the first key of an algorithm and kind; many that ask at once wait for the same one. */
  const ensure = (algorithm: SigningAlgorithm, keyKind: SigningKeyKind): Promise<void> => {
    const name = `${algorithm} ${keyKind}`;
    let made = ensured.get(name);
    if (made === undefined) {
      made = signingKeys.ensure(algorithm, keyKind);
      ensured.set(name, made);
      made.catch(() => ensured.delete(name));
    }
    return made;
  };

  const accessToken: Issuer["accessToken"] = async (claims, { keyKind, now }) => {
    const algorithm = claims.form === "v1" ? "RS256" : policy.signingAlgorithm;
    await ensure(algorithm, keyKind);
    return issueAccessToken(claims, signingKeys.signer(algorithm, keyKind, now));
  };

  return {
    accessToken,

    async session(row, refresh, { form, keyKind, now }) {
      const { tenantId, userId, expiresAt } = row;
      const handle = handleOf(row);
      const payload = JSON.parse(row.payload) as JsonObject;
      const csrf = refresh.antiCsrf ? { antiCsrfToken: antiCsrfToken(refresh.secret, row.id) } : {};
      const claims: AccessTokenClaims = {
        form,
        handle,
        tenantId,
        userId,
        seq: row.next,
        ...(row.current < row.next ? { parentSeq: row.current } : {}),
        ...csrf,
        payload,
        issuedAt: now,
        expiresAt: millis(Math.min(now + accessTokenLife(policy), expiresAt, row.idleExpiresAt)),
      };
      return {
        session: { handle, tenantId, userId, payload },
        accessToken: await accessToken(claims, { keyKind, now }),
        refreshToken: { token: seal.seal(refresh), expiry: expiresAt, createdTime: refresh.iat },
        ...csrf,
      };
    },
  };
};

/**
 * How long an access token may live. With an idle timeout at most half of it: uses between two refreshes may go
 * unreported, so whoever is active must come to refresh before idleness would end the session.
 */
const accessTokenLife = ({ accessTokenValidity, idleTimeout }: Policy): number =>
  idleTimeout === undefined ? accessTokenValidity : Math.min(accessTokenValidity, Math.ceil(idleTimeout / 2));
