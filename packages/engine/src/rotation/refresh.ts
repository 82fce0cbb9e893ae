import {
  decideRotation,
  type Millis,
  type RotationAttempt,
  type SessionRecord,
  type SigningAlgorithm,
  type SigningKeyKind,
  StorageError,
  type Storage,
} from "@pawl/storage";
import { antiCsrfTokenMatches } from "../tokens/anti-csrf.js";
import { isUnanswered, judgeProof, type Proven, releaseChange, settlingChange } from "../binding/bound-session.js";
import type { Challenges } from "../binding/challenges.js";
import type { Counts } from "../counts/counts.js";
import { fastForwardEvent, forgedTokenEvent, tokenReuseEvent, unprovenRefreshEvent } from "../events.js";
import type { Issuer } from "../tokens/issuer.js";
import { lifetimesOf, type Policy, usePolicyOf } from "../policy.js";
import type { TokenOpener } from "./opened-tokens.js";
import { presentedTokens } from "./presented-tokens.js";
import type { TheftAction } from "./theft-action.js";
import { isOverAge, isWithinOwnLife } from "./refresh-token-age.js";
import { antiCsrfTokenOf, claimedHash, type RefreshTokenClaims } from "../tokens/refresh-token.js";
import { handleOf, parseHandle } from "../session-handle.js";
import { hasRunOut, settleActing } from "../sessions/acting.js";
import { endingOf } from "../sessions/explanation.js";
import { checkForm } from "../sessions/session-input.js";
import type { AccessTokenForm, RefreshOutcome, RefreshSessionInput, UnprovenReason } from "../session.js";

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
const ELSEWHERE = unauthorised("other_session", "no refresh token of the bound session was presented");
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

/** What a client says of the key of a session. */
interface ProofOffered {
  /** Whether the browser itself says that it holds one. */
  readonly isNamed: boolean;
  readonly proof: string | undefined;
  /** Whether it tells nothing where there is none. */
  readonly isExpected: boolean;
}

const messages: Readonly<Record<UnprovenReason, string>> = {
  missing: "the session is bound to a key, which did not prove this refresh",
  challenge: "the session is bound to a key, which has to sign a new challenge",
  foreign: "the session is bound to another key than the one that signed",
  unbound: "the session is not bound to a device, which is required",
};

/** What tells a copy of a session's refresh tokens from another. */
type TokenCopy = Pick<RefreshTokenClaims, "seq" | "iat" | "parent">;

interface Refresh {
  readonly refreshSession: (input: RefreshSessionInput) => Promise<RefreshOutcome>;
  /** As a refresh by a token with these claims, for what stands in its place. */
  readonly presentClaims: (
    claims: RefreshTokenClaims,
    input: Pick<RefreshSessionInput, "form" | "algorithm" | "keyKind" | "enableAntiCsrf">,
  ) => Promise<RefreshOutcome>;
}

/** Refreshes sessions: opens the token, lets storage do the ordinary mint, decides and applies the rest. */
export const createRefresh = ({
  policy,
  storage,
  openTokens,
  issuer,
  theftAction,
  challenges,
  counts,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
  readonly openTokens: TokenOpener;
  readonly issuer: Issuer;
  readonly theftAction: TheftAction;
  readonly challenges: Challenges;
  readonly counts: Pick<Counts, "add">;
}): Refresh => {
  const lifetimes = lifetimesOf(policy);
  const usePolicy = usePolicyOf(policy);
  const mustBeBound = policy.deviceBinding === "require";

  const styleOf = (input: Parameters<Refresh["presentClaims"]>[1]): RefreshStyle => ({
    form: checkForm(input.form),
    algorithm: input.algorithm,
    keyKind: input.keyKind,
    antiCsrf: input.enableAntiCsrf ?? policy.enableAntiCsrf,
  });

  const refreshSession: Refresh["refreshSession"] = async (input) => {
    const style = styleOf(input);
    let refused: RefreshOutcome | undefined;
    const opening = openTokens([input.refreshToken, ...(input.otherRefreshTokens ?? [])]);
    const opener = opening instanceof Promise ? await opening : opening;
    const { boundSession, proof, skippedSessions = [] } = input;
    const only = boundSession === undefined ? undefined : (parseHandle(boundSession)?.id ?? null);
    for (const claims of presentedTokens(input, opener)) {
      if (only !== undefined && only !== claims.id) continue;
      const isNamed = only !== undefined || skippedSessions.some((handle) => parseHandle(handle)?.id === claims.id);
      const offered = { isNamed, proof, isExpected: input.unprovenIsExpected === true };
      const outcome = isCsrfSafe(claims, input) ? await refresh(claims, style, offered) : NO_ANTI_CSRF;
      if (outcome.kind === "refreshed") return outcome;
      // A theft ends only its own session: an attacker may have planted that token beside the one the browser uses. Nor may
      // any token beside it hide that a bound session is live.
      if (refused === undefined || rankOf(outcome) > rankOf(refused)) refused = outcome;
    }
    return refused ?? (only === undefined ? NO_TOKEN : ELSEWHERE);
  };

  return {
    refreshSession,
    presentClaims: (claims, input) => refresh(claims, styleOf(input), NOTHING_OFFERED),
  };

  async function refresh(
    claims: RefreshTokenClaims,
    style: RefreshStyle,
    offered: ProofOffered,
  ): Promise<RefreshOutcome> {
    const { id, seq, iat, secret } = claims;
    // Refused before the store decides: a token from an old log must neither rotate nor end the session as stolen.
    if (isOverAge(claims, policy, storage.now())) {
      const row = await storage.getSession(id);
      if (row === undefined || !isWithinOwnLife(claims, row, policy, storage.now())) return EXPIRED;
    }
    const { form, algorithm, keyKind, antiCsrf } = style;
    const { isNamed, isExpected } = offered;
    // Only a browser that names a bound session, and a policy that wants all to be, cost this read.
    const known = isNamed || mustBeBound ? await storage.getSession(id) : undefined;
    const proven: Proven = known === undefined ? NO_PROOF : judgeProof(known, offered.proof, challenges);
    const attempt: RotationAttempt = {
      id,
      seq,
      iat,
      secretHash: claimedHash(claims),
      window: policy.reuseWindow,
      lifetimes,
      ...(proven.kind === "proven" && { proof: proven.thumbprint }),
      ...(keyKind && { keyKind }),
    };
    if (mustBeBound && known?.bound === "" && isGenuine(known, attempt, storage.now()))
      return unproven(known, "unbound");
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
      if (minted && record !== undefined) {
        counts.add("refresh", record.tenantId);
        return answer(record, newest(record, now), now);
      }
      const decision = decideRotation(record, { ...attempt, parent: claims.parent }, now);
      if (record === undefined) return ended(record, now);
      switch (decision.kind) {
        case "absent":
          await theftAction.finish(record);
          return ended(record, now);
        case "forged":
          await storage.appendEvents([forgedTokenEvent(record, now)]);
          return FORGED;
        case "unproven": {
          const why = proven.kind === "unproven" ? proven.why : "foreign";
          if (why === "missing" && !isNamed && !mustBeBound && isUnanswered(record, attempt, now)) {
            await storage.changeSession(id, releaseChange(record, now));
            break;
          }
          if (why === "foreign" || (why === "missing" && !isNamed && !isExpected))
            await storage.appendEvents([unprovenRefreshEvent(record, why, now)]);
          return unproven(record, why);
        }
        case "keep":
          return answer(await noteActivity(await noteProof(record), now), claims, now);
        case "repeat":
          return answer(await noteActivity(await noteProof(record), now), newest(record, now), now);
        case "fast_forward": {
          const events = [fastForwardEvent(record, decision.seq, now)];
          const applied = await storage.applyRotation(record, { ...decision, events });
          if (applied.kind === "conflict") break;
          const { record: forwarded, now: at } = applied;
          return answer(await noteActivity(forwarded, at), newest(forwarded, at), at);
        }
        case "reuse": {
          const theft = await theftAction.apply(record, tokenReuseEvent(record, claims.seq, now));
          if (theft !== undefined) return theft;
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
   * Notes the first proof of a key, where no rotation shows it: from now on nobody can say that the browser never heard.
   * @returns the row after it; its rotation stays as the caller knows it.
   */
  async function noteProof(record: SessionRecord): Promise<SessionRecord> {
    const change = settlingChange(record);
    const result = change && (await storage.changeSession(record.id, change));
    if (result?.kind !== "changed") return record;
    const { facts, factsVersion } = result.record;
    return { ...record, facts, factsVersion };
  }

  function unproven(record: SessionRecord, why: UnprovenReason): RefreshOutcome {
    const { id, tenantId, userId } = record;
    const session = { handle: handleOf(record), tenantId, userId };
    const challenge = challenges.toRefresh(id);
    return { kind: "unproven", why, message: messages[why], session, challenge };
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
};

const NOTHING_OFFERED: ProofOffered = { isNamed: false, proof: undefined, isExpected: false };
const NO_PROOF: Proven = { kind: "unproven", why: "missing" };

/** Whether a token is of this session, and the session live. */
const isGenuine = (row: SessionRecord, token: RotationAttempt, now: Millis): boolean => {
  const { kind } = decideRotation(row, token, now);
  return kind !== "absent" && kind !== "forged";
};

/** Which refusal counts where there are several: what would clear the tokens of a live session counts least. */
const rankOf = ({ kind }: RefreshOutcome): number => (kind === "unproven" ? 2 : kind === "token_reuse" ? 1 : 0);

/** The newest token of a row, sealed now. */
const newest = ({ current, next }: SessionRecord, now: Millis): TokenCopy => ({
  seq: next,
  iat: now,
  parent: current,
});

const isCsrfSafe = (claims: RefreshTokenClaims, input: RefreshSessionInput): boolean =>
  input.enableAntiCsrf !== true ||
  !claims.antiCsrf ||
  antiCsrfTokenMatches(antiCsrfTokenOf(claims), input.antiCsrfToken);
