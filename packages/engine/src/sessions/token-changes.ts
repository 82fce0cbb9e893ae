import { type Millis, millis, type SessionChange, type SessionRecord, type Storage, StorageError } from "@pawl/storage";
import { EngineError } from "../errors.js";
import type { Challenges } from "../binding/challenges.js";
import type { CountName, Counts } from "../counts/counts.js";
import type { Policy } from "../policy.js";
import type { ChangeMarks } from "../revocation/change-feed.js";
import type { AccessTokenClaims, RefusedOutcome, RegenerateOutcome, SessionSummary } from "../session.js";
import type { SessionEngine } from "../session-engine.js";
import { signedWith } from "../tokens/access-token.js";
import type { Issuer } from "../tokens/issuer.js";
import type { KeyedAccessTokenVerifier } from "../verification/access-token-verifier.js";
import type { WithFreshKeys } from "../verification/fresh-keys.js";
import { actingEnded, actingStarted, withoutActing } from "./acting.js";
import {
  actingAt,
  type Facts,
  factsText,
  type Identity,
  identityOf,
  isBound,
  type KeptActing,
  parseFacts,
} from "./facts.js";
import { checkActing, checkAuthentication, payloadText } from "./session-input.js";
import { liveRowOf } from "./session-rows.js";

/** A change fails only when another writer wins; losing this often means that something is wrong. */
const MAX_ROUNDS = 16;

const INVALID: RegenerateOutcome = {
  kind: "unauthorised",
  why: "invalid_token",
  message: "the access token is none of ours",
};
const GONE: RegenerateOutcome = {
  kind: "unauthorised",
  why: "no_session",
  message: "the session does not exist or has ended",
};
const OUTDATED: RegenerateOutcome = {
  kind: "outdated",
  message: "the session has changed since the access token was issued: refresh first",
};
const ACTING: RefusedOutcome = {
  kind: "refused",
  why: "acting",
  message: "the session acts for another user: end that first",
};
const ONESELF: RefusedOutcome = { kind: "refused", why: "self", message: "nobody acts for himself" };

type Regenerated = Extract<RegenerateOutcome, { kind: "regenerated" }>;

/** What a session is when it is decided what becomes of it. */
interface Standing {
  readonly row: SessionRecord;
  readonly facts: Facts;
  readonly identity: Identity;
  readonly claims: AccessTokenClaims;
  readonly now: Millis;
}

/** To change the session, to answer without a change, or to give an outcome. */
type Decision<Refusal> = { readonly change: SessionChange | undefined } | { readonly outcome: Refusal };

/** The methods that change a session by its access token, and give a new one. */
export const createTokenChanges = ({
  policy,
  storage,
  verifier,
  withFreshKeys,
  issuer,
  changes,
  challenges,
  counts,
}: {
  readonly policy: Pick<Policy, "longestActing" | "deviceBinding">;
  readonly storage: Pick<Storage, "now" | "getSession" | "changeSession">;
  readonly verifier: Pick<KeyedAccessTokenVerifier, "authenticate">;
  readonly withFreshKeys: WithFreshKeys;
  readonly issuer: Pick<Issuer, "accessToken">;
  readonly changes: ChangeMarks;
  readonly challenges: Pick<Challenges, "toRegister">;
  readonly counts: Pick<Counts, "add">;
}): Pick<SessionEngine, "regenerateAccessToken" | "stepUp" | "actAs" | "actAsSelf"> => {
  /** Reads the token, decides on the row, and decides again as long as somebody else is faster. */
  const change = async <Refusal = never>(
    accessToken: string,
    decide: (standing: Standing) => Decision<Refusal | RegenerateOutcome>,
    {
      bindable = false,
      counted,
    }: { readonly bindable?: boolean | undefined; readonly counted?: CountName | undefined } = {},
  ): Promise<RegenerateOutcome | Refusal> => {
    const authentic = await withFreshKeys(() => verifier.authenticate(accessToken));
    if (authentic.kind !== "authentic") return INVALID;
    const { claims } = authentic;
    // Before the row is read: a token must not seem newer than what it says.
    let now = storage.now();
    let row = await liveRowOf(storage, claims.handle);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (row === undefined) return GONE;
      const decision = decide({ row, facts: parseFacts(row.facts), identity: identityOf(row, now), claims, now });
      if ("outcome" in decision) return decision.outcome;
      if (decision.change === undefined) return answer({ row, claims, accessToken, now });
      const result = await storage.changeSession(row.id, decision.change);
      if (result.kind === "absent") return GONE;
      ({ record: row, now } = result);
      if (result.kind === "conflict") continue;
      if (counted !== undefined) counts.add(counted, row.tenantId);
      const isAnnounced = decision.change.announced === true;
      if (isAnnounced) changes.markChanged(row, now);
      const registration = bindable ? registrationOf(row) : undefined;
      const answered = await answer({ row, claims, accessToken, now });
      return { ...answered, ...(isAnnounced && { changedAt: now }), ...(registration && { registration }) };
    }
    throw new StorageError("unavailable", "the session kept changing; try again");
  };

  /** What binds a session that is not bound, until it is refreshed. */
  const registrationOf = (row: SessionRecord): string | undefined =>
    policy.deviceBinding === "off" || row.bound !== "" ? undefined : challenges.toRegister(row);

  const answer = async ({
    row,
    claims,
    accessToken,
    now,
  }: Pick<Standing, "row" | "claims" | "now"> & { readonly accessToken: string }): Promise<Regenerated> => {
    const { userId, actor, payload, payloadVersion, auth, until = claims.expiresAt } = identityOf(row, now);
    const { handle, tenantId } = claims;
    const bound = isBound(row);
    const session: SessionSummary = {
      handle,
      tenantId,
      userId,
      actor,
      payload,
      payloadVersion,
      auth,
      ...(bound && { bound }),
    };
    if (now >= claims.expiresAt) return { kind: "regenerated", session };
    const expiresAt = millis(Math.min(claims.expiresAt, until));
    const renewed = { ...claims, userId, actor, payload, payloadVersion, auth, bound, issuedAt: now, expiresAt };
    const style = { keyKind: row.keyKind, ...signedWith(accessToken), now };
    return { kind: "regenerated", session, accessToken: await issuer.accessToken(renewed, style) };
  };

  return {
    regenerateAccessToken: (accessToken, payload, { announced = true, expectedVersion } = {}) =>
      change(accessToken, ({ row, facts, identity, claims, now }) => {
        if (!speaksFor(claims, identity) || isOfBefore(row, claims, identity)) return { outcome: OUTDATED };
        if (payload === undefined) return { change: undefined };
        const text = payloadText(payload, claims.form);
        const { factsVersion, payloadVersion } = row;
        if (payloadVersion !== (expectedVersion ?? payloadVersion)) return { outcome: OUTDATED };
        const act = actingAt(facts, now);
        if (act === undefined)
          return { change: { payload: text, announced, expected: { factsVersion, payloadVersion: expectedVersion } } };
        // The owner's payload is written as it is: that is what raises the version.
        const changed = { facts: factsText({ ...facts, act: { ...act, payload } }), payload: row.payload };
        return { change: { ...changed, announced, expected: { factsVersion, payloadVersion } } };
      }),

    async stepUp(accessToken, input) {
      const { methods, level } = checkAuthentication(input);
      const { bindable } = input;
      return change<RefusedOutcome>(
        accessToken,
        ({ row, facts, identity, claims, now }) => {
          if (identity.actor !== undefined) return { outcome: ACTING };
          if (!speaksFor(claims, identity)) return { outcome: OUTDATED };
          const { factsVersion } = row;
          const changed = factsText({ auth: { at: now, methods, level }, device: facts.device });
          const events = actingEnded(row, now);
          return { change: { facts: changed, events, announced: true, expected: { factsVersion } } };
        },
        { bindable, counted: "step_up" },
      );
    },

    async actAs(accessToken, input) {
      const wanted = checkActing(input, policy);
      const begin = ({ row, facts, identity, claims, now }: Standing): Decision<RefusedOutcome | RegenerateOutcome> => {
        if (claims.form !== "pawl")
          throw new EngineError("invalid_input", "acting for a user takes an access token of the form pawl");
        if (identity.actor !== undefined) return { outcome: ACTING };
        // Whoever allowed it went by this token: by one that holds no more, nobody begins to act.
        if (!speaksFor(claims, identity) || claims.payloadVersion < row.payloadVersion) return { outcome: OUTDATED };
        if (wanted.userId === row.userId) return { outcome: ONESELF };
        const { userId, payload, data, reason } = wanted;
        const act: KeptActing = { userId, payload, data, reason, at: now, until: wholeSecond(now + wanted.lasts) };
        const events = [...actingEnded(row, now), ...actingStarted(row, act)];
        const expected = { factsVersion: row.factsVersion, payloadVersion: row.payloadVersion };
        return { change: { facts: factsText({ ...facts, act }), events, announced: true, expected } };
      };
      return change<RefusedOutcome>(accessToken, begin, { counted: "acting" });
    },

    actAsSelf: (accessToken) =>
      change(accessToken, ({ row, facts, now }) => {
        if (facts.act === undefined) return { change: undefined };
        const expected = { factsVersion: row.factsVersion };
        // The tokens of one that ran out have run out with it.
        const announced = actingAt(facts, now) !== undefined;
        return { change: { ...withoutActing(row, now), announced, expected } };
      }),
  };
};

/** Whether a token speaks for whom the session speaks for now. */
const speaksFor = (claims: AccessTokenClaims, { userId, actor }: Identity): boolean =>
  claims.userId === userId && claims.actor?.userId === actor?.userId;

/**
 * Whether a token of a bound session is of before a step-up: it may have been copied, and what its holder gets for it without
 * a proof must not say that he stepped up.
 */
const isOfBefore = ({ bound }: SessionRecord, { auth }: AccessTokenClaims, now: Identity): boolean =>
  bound !== "" && auth !== undefined && auth.at < wholeSecond(now.auth.at);

/** Where access tokens can end: no acting outlives the last of its tokens by the part of a second that they cannot say. */
const wholeSecond = (time: number): Millis => millis(Math.floor(time / 1000) * 1000);
