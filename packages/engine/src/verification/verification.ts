import { isDeepStrictEqual } from "node:util";
import {
  isLive,
  type SessionRecord,
  type SigningAlgorithm,
  type SigningKeyKind,
  singleFlight,
  type Storage,
  type UseNote,
} from "@pawl/storage";
import type { AuthenticateOutcome, KeyedAccessTokenVerifier } from "./access-token-verifier.js";
import type { Issuer } from "../tokens/issuer.js";
import { decodeJsonObject } from "../tokens/jwt.js";
import { type Policy, usePolicyOf } from "../policy.js";
import type { SessionEngine, UseReport } from "../session-engine.js";
import { parseHandle } from "../session-handle.js";
import { payloadText } from "../sessions/session-input.js";
import type { AccessTokenClaims, JsonObject, VerifyInput, VerifyOutcome } from "../session.js";
import type { SigningKeys } from "../keys/signing-keys.js";

/** Keys are read again for a token of an unknown key, at most this often, in milliseconds. */
const RELOAD_INTERVAL = 1000;
/** Uses confirmed in one call of storage. */
const USES_PER_BATCH = 500;

const GONE = {
  kind: "unauthorised",
  why: "no_session",
  message: "the session does not exist or has ended",
} as const satisfies VerifyOutcome;

/** The methods that start from an access token. */
export const createVerification = ({
  policy,
  storage,
  verifier,
  signingKeys,
  issuer,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
  readonly verifier: KeyedAccessTokenVerifier;
  readonly signingKeys: SigningKeys;
  readonly issuer: Issuer;
}): Pick<SessionEngine, "verifyAccessToken" | "confirmAccessToken" | "regenerateAccessToken" | "reportUses"> => {
  const usePolicy = usePolicyOf(policy);
  let loadedAt = Number.NEGATIVE_INFINITY;
  const reloadKeys = singleFlight(async () => {
    const started = storage.now();
    await signingKeys.reload();
    loadedAt = started;
  });

  /**
   * Checks a token; when its key is not known here yet, once more after reading the keys, unless they were just read. A
   * reading that failed does not count: the next caller has to learn of the trouble too.
   */
  const withFreshKeys = async <Outcome extends VerifyOutcome | AuthenticateOutcome>(
    check: () => Outcome,
  ): Promise<Outcome> => {
    const outcome = check();
    if (outcome.kind !== "try_refresh" || outcome.why !== "unknown_key") return outcome;
    // Absolute, so that a clock that was set back does not lock the keys out.
    if (Math.abs(storage.now() - loadedAt) < RELOAD_INTERVAL) return outcome;
    await reloadKeys();
    return check();
  };

  const liveRowOf = async (claims: AccessTokenClaims): Promise<SessionRecord | undefined> => {
    const named = parseHandle(claims.handle);
    const row = named && (await storage.getSession(named.id));
    return row !== undefined && row.tenantId === named?.tenantId && isLive(row, storage.now()) ? row : undefined;
  };

  const asksDatabase = (input: VerifyInput): boolean => input.checkDatabase ?? policy.checkDatabase;

  return {
    async verifyAccessToken(input) {
      const outcome = await withFreshKeys(() => verifier.verify(input));
      if (outcome.kind !== "valid" || !asksDatabase(input)) return outcome;
      return (await liveRowOf(outcome.claims)) === undefined ? GONE : outcome;
    },

    async confirmAccessToken(input) {
      const outcome = await withFreshKeys(() =>
        input.heedRevocations === true ? verifier.verify(input) : verifier.verifyIgnoringRevocation(input),
      );
      if (outcome.kind !== "valid") return outcome;
      const { claims } = outcome;
      const asks = asksDatabase(input);
      if (claims.parentSeq === undefined && !asks) return outcome;

      const row = claims.parentSeq === undefined ? await liveRowOf(claims) : await confirmUse(claims);
      if (row === undefined) return GONE;
      const { parentSeq, ...clean } = claims;
      const settled = parentSeq !== undefined && row.current === claims.seq;
      const stored = asks ? (JSON.parse(row.payload) as JsonObject) : claims.payload;
      const stale = asks && !isDeepStrictEqual(stored, claims.payload);
      if (!settled && !stale) return outcome;

      const now = storage.now();
      const renewed: AccessTokenClaims = { ...(settled ? clean : claims), payload: stored, issuedAt: now };
      const style = { keyKind: row.keyKind, ...signedWith(input.accessToken), now };
      return { kind: "valid", claims: renewed, accessToken: await issuer.accessToken(renewed, style) };
    },

    async regenerateAccessToken(accessToken, payload) {
      const outcome = await withFreshKeys(() => verifier.authenticate(accessToken));
      if (outcome.kind !== "authentic")
        return { kind: "unauthorised", why: "invalid_token", message: "the access token is none of ours" };
      const { claims } = outcome;
      const text = payload === undefined ? undefined : payloadText(payload, claims.form);
      const named = parseHandle(claims.handle);
      if (text !== undefined) {
        const changed = named && (await storage.changeSession(named.id, { payload: text }));
        if (changed?.kind !== "changed") return GONE;
      }
      const row = await liveRowOf(claims);
      if (row === undefined) return GONE;

      const { handle, tenantId, userId } = claims;
      const now = storage.now();
      const stored = JSON.parse(row.payload) as JsonObject;
      const session = { handle, tenantId, userId, payload: stored };
      if (now >= claims.expiresAt) return { kind: "regenerated", session };
      const renewed: AccessTokenClaims = { ...claims, payload: stored, issuedAt: now };
      const style = { keyKind: row.keyKind, ...signedWith(accessToken), now };
      return { kind: "regenerated", session, accessToken: await issuer.accessToken(renewed, style) };
    },

    async reportUses(uses) {
      const notes = uses.map(noteOf).filter((note) => note !== undefined);
      for (let start = 0; start < notes.length; start += USES_PER_BATCH)
        await storage.reportUses(notes.slice(start, start + USES_PER_BATCH), usePolicy);
    },
  };

  async function confirmUse(claims: AccessTokenClaims): Promise<SessionRecord | undefined> {
    const note = noteOf(claims);
    const [row] = note === undefined ? [] : await storage.reportUses([note], usePolicy);
    return row?.tenantId === claims.tenantId ? row : undefined;
  }
};

/** @returns undefined for a handle that names no session and numbers that no token carries. */
const noteOf = ({ handle, seq, issuedAt }: UseReport): UseNote | undefined => {
  const named = parseHandle(handle);
  if (named === undefined || !Number.isSafeInteger(seq) || seq < 0 || !Number.isSafeInteger(issuedAt)) return undefined;
  return { id: named.id, seq, iat: issuedAt };
};

/** Algorithm and kind of the key that signed an authentic token, the latter where the token says. */
const signedWith = (
  accessToken: string,
): { readonly algorithm: SigningAlgorithm; readonly keyKind?: SigningKeyKind } => {
  const { kid, alg } = decodeJsonObject(accessToken.slice(0, accessToken.indexOf(".")), "base64url") ?? {};
  const algorithm = alg as SigningAlgorithm;
  return typeof kid === "string" ? { algorithm, keyKind: kid.startsWith("d-") ? "dynamic" : "static" } : { algorithm };
};
