import { isDeepStrictEqual } from "node:util";
import type { SessionRecord, Storage, UseNote } from "@pawl/storage";
import type { KeyedAccessTokenVerifier } from "./access-token-verifier.js";
import type { WithFreshKeys } from "./fresh-keys.js";
import { signedWith } from "../tokens/access-token.js";
import type { Issuer } from "../tokens/issuer.js";
import { type Policy, usePolicyOf } from "../policy.js";
import type { SessionEngine, UseReport } from "../session-engine.js";
import { parseHandle } from "../session-handle.js";
import { identityOf } from "../sessions/facts.js";
import { liveRowOf } from "../sessions/session-rows.js";
import type { AccessTokenClaims, VerifyInput, VerifyOutcome } from "../session.js";
import { tryRefresh } from "./try-refresh.js";

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
  withFreshKeys,
  issuer,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
  readonly verifier: KeyedAccessTokenVerifier;
  readonly withFreshKeys: WithFreshKeys;
  readonly issuer: Issuer;
}): Pick<SessionEngine, "verifyAccessToken" | "confirmAccessToken" | "reportUses"> => {
  const usePolicy = usePolicyOf(policy);
  const asksDatabase = (input: VerifyInput): boolean => input.checkDatabase ?? policy.checkDatabase;

  return {
    async verifyAccessToken(input) {
      const outcome = await withFreshKeys(() => verifier.verify(input));
      if (outcome.kind !== "valid" || !asksDatabase(input)) return outcome;
      const row = await liveRowOf(storage, outcome.claims.handle);
      if (row === undefined) return GONE;
      return outcome.claims.payloadVersion < row.payloadVersion ? tryRefresh("outdated") : outcome;
    },

    async confirmAccessToken(input) {
      const outcome = await withFreshKeys(() =>
        input.heedRevocations === true ? verifier.verify(input) : verifier.verifyIgnoringFeeds(input),
      );
      if (outcome.kind !== "valid") return outcome;
      const { claims } = outcome;
      const asks = asksDatabase(input);
      if (claims.parentSeq === undefined && !asks) return outcome;

      // Before the row is read: a token must not be dated later than what it says.
      const now = storage.now();
      const row = claims.parentSeq === undefined ? await liveRowOf(storage, claims.handle) : await confirmUse(claims);
      if (row === undefined) return GONE;
      const { userId, actor, payload, payloadVersion, auth } = identityOf(row, now);
      if (userId !== claims.userId || actor?.userId !== claims.actor?.userId) return tryRefresh("outdated");
      const { parentSeq, ...clean } = claims;
      const settled = parentSeq !== undefined && row.current === claims.seq;
      const stale = asks && !isDeepStrictEqual(payload, claims.payload);
      if (!settled && !stale) return outcome;

      const current = { userId, actor, payload, payloadVersion, auth, issuedAt: now };
      const renewed: AccessTokenClaims = { ...(settled ? clean : claims), ...current };
      const style = { keyKind: row.keyKind, ...signedWith(input.accessToken), now };
      return { kind: "valid", claims: renewed, accessToken: await issuer.accessToken(renewed, style) };
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
