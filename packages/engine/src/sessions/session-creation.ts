import { type Millis, millis, NEVER, PUBLIC_TENANT, type SessionRecord, type Storage } from "@pawl/storage";
import { EngineError } from "../errors.js";
import type { Policy } from "../policy.js";
import type { RandomSource } from "../random.js";
import type { RevocationMarks } from "../revocation/revocation-feed.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf, newSessionId } from "../session-handle.js";
import type { Issuer } from "../tokens/issuer.js";
import { secretHash } from "../tokens/refresh-token.js";
import { factsText } from "./facts.js";
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
  }: {
    readonly policy: Policy;
    readonly storage: Storage;
    readonly random: RandomSource;
    readonly tenants: Pick<Tenants, "get">;
    readonly revocation: Pick<SessionEngine, "revokeSessions">;
    readonly marks: RevocationMarks;
    readonly issuer: Issuer;
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
    const { device, address, link } = session;
    // Named one by one: Node 20 makes a slow object of a spread that further members follow, at 9 µs each.
    const record: SessionRecord = {
      tenantId: session.tenantId,
      userId: session.userId,
      payload: session.payload,
      data: session.data,
      facts: factsOfLogin(session.auth, now),
      factsVersion: 0,
      payloadVersion: 0,
      bound: "",
      keyKind: session.keyKind,
      id: newSessionId(session, random),
      secretHash: secretHash(secret),
      current: 0,
      next: 0,
      issuedAt: millis(0),
      createdAt: now,
      lastActiveAt: now,
      expiresAt: millis(
        now + Math.min(policy.refreshTokenValidity, policy.absoluteTimeout ?? Number.POSITIVE_INFINITY),
      ),
      idleExpiresAt: policy.idleTimeout === undefined ? NEVER : millis(now + policy.idleTimeout),
      ...(link !== undefined && { link }),
      ...(device !== undefined && { device }),
      ...(address !== undefined && { address }),
    };
    const { maxSessionsPerUser } = policy;
    const limits = maxSessionsPerUser === undefined ? undefined : { maxPerUser: maxSessionsPerUser };
    marks.mark(await storage.createSession(record, limits), now);
    // Removing a tenant marks it removed first and then ends its sessions: either that saw this session, or we see the mark.
    if (mustExist && (await tenants.get(tenantId)) === undefined) {
      await revocation.revokeSessions([handleOf(record)], { detail: "tenant removed" });
      throw tenantUnknown();
    }
    const antiCsrf = input.enableAntiCsrf ?? policy.enableAntiCsrf;
    const refresh = { id: record.id, seq: 0, iat: now, antiCsrf, secret };
    return issuer.session(record, refresh, { form, algorithm: input.algorithm, keyKind: record.keyKind, now });
  };

/** A login that says nothing is known by its time. */
const factsOfLogin = (auth: CheckedSession["auth"], now: Millis): string =>
  auth === undefined ? "{}" : factsText({ auth: { ...auth, at: millis(Math.min(now, auth.at ?? now)) } });

const tenantUnknown = (): EngineError => new EngineError("tenant_unknown", "there is no such tenant");
