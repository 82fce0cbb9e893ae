import {
  type Millis,
  millis,
  MOST_ENDED_FOR_LIMIT,
  NEVER,
  PUBLIC_TENANT,
  type SessionId,
  type SessionRecord,
  type Storage,
} from "@pawl/storage";
import type { Challenges } from "../binding/challenges.js";
import type { Counts } from "../counts/counts.js";
import { EngineError } from "../errors.js";
import type { Policy } from "../policy.js";
import type { RandomSource } from "../random.js";
import type { Revocation } from "../revocation/revocation.js";
import type { RevocationMarks } from "../revocation/revocation-feed.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf, newSessionId } from "../session-handle.js";
import type { Issuer } from "../tokens/issuer.js";
import { secretHash } from "../tokens/refresh-token.js";
import { factsText } from "./facts.js";
import { loginTexts } from "./provider-login.js";
import { type CheckedSession, checkForm, checkNewSession } from "./session-input.js";
import type { Tenants } from "./tenants.js";

const SECRET_BYTES = 32;

/** Creates sessions: checks what the application gives, writes the row, and issues the first tokens. */
export const createSessionCreation =
  ({
    policy,
    storage,
    random,
    tenants,
    revocation,
    marks,
    issuer,
    challenges,
    counts,
  }: {
    readonly policy: Policy;
    readonly storage: Storage;
    readonly random: RandomSource;
    readonly tenants: Pick<Tenants, "get">;
    readonly revocation: Pick<Revocation, "revokeSessions" | "revokeSurplus">;
    readonly marks: RevocationMarks;
    readonly issuer: Issuer;
    readonly challenges: Pick<Challenges, "toRegister">;
    readonly counts: Pick<Counts, "add">;
  }): SessionEngine["createSession"] =>
  async (input) => {
    const { tenantId = PUBLIC_TENANT } = input;
    const mustExist = input.tenantMustExist === true && tenantId !== PUBLIC_TENANT;
    if (mustExist && (await tenants.get(tenantId)) === undefined) throw tenantUnknown();
    const form = checkForm(input.form);
    const session = checkNewSession(input, form);
    input.checkPayload?.(session.payload);
    const now = storage.now();
    const secret = random.bytes(SECRET_BYTES);
    const record = firstRow(policy, { id: newSessionId(session, random), session, secret, now, createdAt: now });
    const { maxSessionsPerUser } = policy;
    const limits = maxSessionsPerUser === undefined ? undefined : { maxPerUser: maxSessionsPerUser };
    const surplus = await storage.createSession(record, limits);
    marks.mark(surplus, { at: now, reason: "session_limit" });
    counts.add("login", record.tenantId);
    // The login has succeeded: where this fails the next one goes on with it.
    if (maxSessionsPerUser !== undefined && surplus.length >= MOST_ENDED_FOR_LIMIT)
      await revocation.revokeSurplus(record, maxSessionsPerUser).catch(() => undefined);
    // Removing a tenant marks it removed first and then ends its sessions: either that saw this session, or we see the mark.
    if (mustExist && (await tenants.get(tenantId)) === undefined) {
      await revocation.revokeSessions([handleOf(record)], { detail: "tenant removed" });
      throw tenantUnknown();
    }
    const antiCsrf = input.enableAntiCsrf ?? policy.enableAntiCsrf;
    const refresh = { id: record.id, seq: 0, iat: now, antiCsrf, secret };
    const style = { form, algorithm: input.algorithm, keyKind: record.keyKind, now };
    if (input.bindable !== true || policy.deviceBinding === "off") return issuer.session(record, refresh, style);
    const registration = challenges.toRegister(record);
    return { ...(await issuer.session(record, refresh, style)), registration };
  };

/** What tells a new row from another one. */
interface FirstRow {
  readonly id: SessionId;
  readonly session: CheckedSession;
  readonly secret: Buffer;
  readonly now: Millis;
  /** When the session began: no later than now. */
  readonly createdAt: Millis;
}

/** The row of a session that nobody has refreshed yet. It is over at once where its absolute timeout has passed. */
export const firstRow = (policy: Policy, { id, session, secret, now, createdAt }: FirstRow): SessionRecord => {
  const { device, address, identityProvider } = session;
  const lastEnd = createdAt + (policy.absoluteTimeout ?? Number.POSITIVE_INFINITY);
  // Named one by one: Node 20 makes a slow object of a spread that further members follow, at 9 µs each.
  return {
    tenantId: session.tenantId,
    userId: session.userId,
    payload: session.payload,
    data: session.data,
    facts: factsOfLogin(session.auth, now),
    factsVersion: 0,
    payloadVersion: 0,
    bound: "",
    keyKind: session.keyKind,
    id,
    secretHash: secretHash(secret),
    current: 0,
    next: 0,
    issuedAt: millis(0),
    createdAt,
    lastActiveAt: now,
    expiresAt: millis(Math.min(now + policy.refreshTokenValidity, lastEnd)),
    idleExpiresAt: policy.idleTimeout === undefined ? NEVER : millis(now + policy.idleTimeout),
    ...(identityProvider !== undefined && loginTexts(identityProvider)),
    ...(device !== undefined && { device }),
    ...(address !== undefined && { address }),
  };
};

/** A login that says nothing is known by its time. */
const factsOfLogin = (auth: CheckedSession["auth"], now: Millis): string =>
  auth === undefined ? "{}" : factsText({ auth: { ...auth, at: millis(Math.min(now, auth.at ?? now)) } });

const tenantUnknown = (): EngineError => new EngineError("tenant_unknown", "there is no such tenant");
