import {
  decideRotation,
  type EventRecord,
  type Millis,
  type RotationAttempt,
  type SessionRecord,
  type SigningAlgorithm,
  type SigningKeyKind,
  StorageError,
  type Storage,
} from "@pawl/storage";
import { antiCsrfToken, antiCsrfTokenMatches } from "../tokens/anti-csrf.js";
import { EngineError } from "../errors.js";
import { fastForwardEvent, forgedTokenEvent, tokenReuseEvent } from "../events.js";
import type { Issuer } from "../tokens/issuer.js";
import { lifetimesOf, type Policy, usePolicyOf } from "../policy.js";
import { presentedTokens } from "./presented-tokens.js";
import type { MasterKeyRing } from "../keys/master-key-ring.js";
import { type RefreshTokenClaims, secretHash } from "../tokens/refresh-token.js";
import type { RevocationMarks } from "../revocation/revocation-feed.js";
import { handleOf } from "../session-handle.js";
import { hasRunOut, settleActing } from "../sessions/acting.js";
import { endingOf } from "../sessions/explanation.js";
import { checkForm } from "../sessions/session-input.js";
import type { AccessTokenForm, RefreshOutcome, RefreshSessionInput } from "../session.js";

/** A row changes under a refresh only when a competitor wins; losing this often in one refresh means something is wrong. */
const MAX_ROUNDS = 64;

type Unauthorised = Extract<RefreshOutcome, { kind: "unauthorised" }>;

const unauthorised = (why: Unauthorised["why"], message: string): Unauthorised => ({
  kind: "unauthorised",
  why,
  message,
});

const NO_TOKEN = unauthorised("invalid_token", "the refresh token is none of ours");
const NO_ANTI_CSRF = unauthorised("anti_csrf", "anti-CSRF token missing, or not matching");
const NO_SESSION = unauthorised("no_session", "the session does not exist or has ended");
const EXPIRED = unauthorised("no_session", "the refresh token has expired");
const REPLACED: Unauthorised = {
  ...unauthorised("no_session", "a login has just replaced the session"),
  reason: "replaced",
};
/**
 * The refusal of a genuine token. A row stands until its last token has expired, so it still tells why the session ended;
 * `replaced` is told only while requests may be on their way that were sent before the login.
 */
const ended = (row: SessionRecord | undefined, now: Millis): Unauthorised => {
  const reason = endingOf({ row, events: [], now })?.reason;
  if (reason !== "replaced") return { ...NO_SESSION, reason };
  return wasJustReplaced(row, now) ? REPLACED : NO_SESSION;
};
const FORGED = unauthorised("forged_token", "the refresh token is not this session's");

/** For how long after a login a refresh may arrive that was sent before its answer, ms. */
const IN_FLIGHT = 60_000;

const wasJustReplaced = (record: SessionRecord | undefined, now: Millis): boolean =>
  record?.endReason === "replaced" && now - (record.endedAt ?? 0) < IN_FLIGHT;

/** How the answer to a refresh is to be written. */
interface RefreshStyle {
  readonly form: AccessTokenForm;
  readonly algorithm: SigningAlgorithm | undefined;
  readonly keyKind: SigningKeyKind | undefined;
  readonly antiCsrf: boolean;
}

/** What tells a copy of a session's refresh tokens from another. */
type TokenCopy = Pick<RefreshTokenClaims, "seq" | "iat" | "parent">;

/** Refreshes sessions: opens the token, lets storage do the ordinary mint, decides and applies the rest. */
export const createRefresh = ({
  policy,
  storage,
  ring,
  issuer,
  marks,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
  readonly ring: Pick<MasterKeyRing, "refreshTokens" | "loadKeysOf">;
  readonly issuer: Issuer;
  readonly marks: RevocationMarks;
}): ((input: RefreshSessionInput) => Promise<RefreshOutcome>) => {
  const lifetimes = lifetimesOf(policy);
  const usePolicy = usePolicyOf(policy);

  return async (input) => {
    const style = {
      form: checkForm(input.form),
      algorithm: input.algorithm,
      keyKind: input.keyKind,
      antiCsrf: input.enableAntiCsrf ?? policy.enableAntiCsrf,
    };
    let refused: RefreshOutcome | undefined;
    const loading = ring.loadKeysOf([input.refreshToken, ...(input.otherRefreshTokens ?? [])]);
    if (loading !== undefined) await loading;
    for (const claims of presentedTokens(input, ring.refreshTokens)) {
      const outcome = isCsrfSafe(claims, input) ? await refresh(claims, style) : NO_ANTI_CSRF;
      if (outcome.kind === "refreshed") return outcome;
      // A theft ends only its own session: an attacker may have planted that token beside the one the browser uses.
      if (refused === undefined || outcome.kind === "token_reuse") refused = outcome;
    }
    return refused ?? NO_TOKEN;
  };

  async function refresh(claims: RefreshTokenClaims, style: RefreshStyle): Promise<RefreshOutcome> {
    const { id, seq, iat, secret } = claims;
    // Refused before the store decides: a token from an old log must neither rotate nor end the session as stolen.
    if (storage.now() - iat > policy.refreshTokenValidity && !(await isWithinOwnLife(claims))) return EXPIRED;
    const { form, algorithm, keyKind, antiCsrf } = style;
    const attempt: RotationAttempt = {
      id,
      seq,
      iat,
      secretHash: secretHash(secret),
      window: policy.reuseWindow,
      lifetimes,
      ...(keyKind && { keyKind }),
    };
    let minted = false;
    const answer = async (record: SessionRecord, copy: TokenCopy, now: Millis): Promise<RefreshOutcome> => {
      const row = hasRunOut(record, now) ? await settleActing(storage, record, now) : record;
      const token = { id, secret, antiCsrf, seq: copy.seq, iat: copy.iat, parent: copy.parent };
      const issued = await issuer.session(row, token, { form, algorithm, keyKind: keyKind ?? row.keyKind, now });
      return { kind: "refreshed", minted, ...issued };
    };

    for (let round = 0; round < MAX_ROUNDS; round++) {
      const rotated = await storage.rotate(attempt);
      const { record, now } = rotated;
      ({ minted } = rotated);
      if (minted && record !== undefined) return answer(record, newest(record, now), now);
      const decision = decideRotation(record, { ...attempt, parent: claims.parent }, now);
      if (record === undefined || decision.kind === "absent") return ended(record, now);
      switch (decision.kind) {
        case "forged":
          await storage.appendEvents([forgedTokenEvent(record, now)]);
          return FORGED;
        case "unproven":
          throw new EngineError("invalid_input", "the session is bound to a key, which did not prove this refresh");
        case "keep":
          return answer(await noteActivity(record, now), claims, now);
        case "repeat":
          return answer(await noteActivity(record, now), newest(record, now), now);
        case "fast_forward": {
          const events = [fastForwardEvent(record, decision.seq, now)];
          const applied = await storage.applyRotation(record, { ...decision, events });
          if (applied.kind === "conflict") break;
          const { record: forwarded, now: at } = applied;
          return answer(await noteActivity(forwarded, at), newest(forwarded, at), at);
        }
        case "reuse": {
          const ended = await applyTheftAction(record, tokenReuseEvent(record, claims.seq, now));
          if (ended !== undefined) return ended;
          break;
        }
        case "mint":
          // The row changed between the guard and its reading, or the window ended just then: ask again.
          break;
      }
    }
    throw new StorageError("unavailable", "the session kept changing under the refresh; try again");
  }

  /**
   * Counts an answer that rotates nothing as activity, once per activity interval: a client that refreshes only inside the
   * reuse window is active all the same. @returns the row after it.
   */
  async function noteActivity(record: SessionRecord, now: Millis): Promise<SessionRecord> {
    const { idleTimeout } = policy;
    const noted =
      idleTimeout === undefined ? Math.max(record.lastActiveAt, record.issuedAt) : record.idleExpiresAt - idleTimeout;
    if (now - noted < usePolicy.activityInterval) return record;
    // A use of the confirmed token confirms nothing.
    const [moved] = await storage.reportUses([{ id: record.id, seq: record.current, iat: now }], usePolicy);
    return moved === undefined ? record : { ...record, idleExpiresAt: moved.idleExpiresAt };
  }

  /**
   * Whether a token sealed longer ago than refresh tokens live today has nevertheless not expired. The newest token of a
   * session lives as long as the row, which may have been written under another policy. One that was rotated is
   * still answered inside the window, to the second tab; and later, should its answer have been lost, where the store
   * had rotated it at an age beyond today's validity, which shows that it was sealed for longer.
   */
  async function isWithinOwnLife({ id, seq, iat }: RefreshTokenClaims): Promise<boolean> {
    const row = await storage.getSession(id);
    if (row === undefined || seq < row.current) return false;
    if (seq >= row.next) return true;
    return storage.now() - row.issuedAt <= policy.reuseWindow || row.issuedAt - iat > policy.refreshTokenValidity;
  }

  /** Applies the policy's theft action. @returns undefined when the row has changed. */
  async function applyTheftAction(record: SessionRecord, event: EventRecord): Promise<RefreshOutcome | undefined> {
    const { tenantId, userId } = record;
    const session = { handle: handleOf(record), tenantId, userId };
    if (policy.theftAction === "report") {
      await storage.appendEvents([event]);
      return { kind: "token_reuse", session, ended: [] };
    }
    const scope = policy.theftAction === "revoke_user" ? "user" : "session";
    const applied = await storage.applyRotation(record, { kind: "end", scope, reason: "token_reuse", events: [event] });
    if (applied.kind === "conflict") return undefined;
    return { kind: "token_reuse", session, ended: marks.mark(applied.ended, applied.now) };
  }
};

/** The newest token of a row, sealed now. */
const newest = ({ current, next }: SessionRecord, now: Millis): TokenCopy => ({
  seq: next,
  iat: now,
  parent: current,
});

const isCsrfSafe = (claims: RefreshTokenClaims, input: RefreshSessionInput): boolean =>
  input.enableAntiCsrf !== true ||
  !claims.antiCsrf ||
  antiCsrfTokenMatches(antiCsrfToken(claims.secret, claims.id), input.antiCsrfToken);
