import { createHmac } from "node:crypto";
import {
  bucketOfUser,
  isLive,
  type Millis,
  millis,
  NEVER,
  type SessionId,
  type SessionRecord,
  type Storage,
} from "@pawl/storage";
import type { Counts } from "../counts/counts.js";
import { EngineError } from "../errors.js";
import { deriveKey, type MasterKey, sealingKey } from "../keys/master-key.js";
import type { MasterKeyRing } from "../keys/master-key-ring.js";
import type { Policy } from "../policy.js";
import { formatUuidV4, type RandomSource } from "../random.js";
import type { Revocation } from "../revocation/revocation.js";
import type { createRefresh } from "../rotation/refresh.js";
import type { RefreshOutcome } from "../session.js";
import { isSameText } from "../same-text.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf } from "../session-handle.js";
import { secretHash } from "../tokens/refresh-token.js";
import type { AdoptSessionInput, FormerSession } from "./former-session.js";
import { firstRow } from "./session-creation.js";
import { checkForm, checkFormer, checkNewSession, checkNewUserId, checkTenantId } from "./session-input.js";

/** A lasting fact of the store: ids are derived from it, and not from a master key, which may be replaced. */
const SALT = "adoption_salt";
const SALT_BYTES = 32;

const ended = (reason?: "expired"): RefreshOutcome => ({
  kind: "unauthorised",
  why: "no_session",
  message: "the adopted session has ended",
  reason,
});

/** What is derived from the name of a former session, and always the same. */
interface Derived {
  readonly id: SessionId;
  /** The row that stands for the former session itself until `until`: it ended when another one took its place. */
  readonly markId: SessionId;
  readonly secretOf: (key: MasterKey) => Buffer;
}

/**
 * Adopts sessions of other systems. The cookie that the browser has of one is taken for the refresh token 0 of a session whose
 * id and secret are derived from it, and which has handed out token 1: all else is rotation. So any number of requests at once,
 * lost answers and repetitions meet one session, and are no alarm (decision 0018).
 */
export const createSessionAdoption = ({
  policy,
  storage,
  random,
  ring,
  revocation,
  presentClaims,
  counts,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
  readonly random: RandomSource;
  readonly ring: Pick<MasterKeyRing, "keys" | "reload">;
  readonly revocation: Pick<Revocation, "revokeSessions" | "revokeSurplus">;
  readonly presentClaims: ReturnType<typeof createRefresh>["presentClaims"];
  readonly counts: Pick<Counts, "add">;
}): Pick<SessionEngine, "adoptSession" | "refuseAdoption"> => {
  let salt: string | undefined;

  const derive = async (former: FormerSession): Promise<Derived> => {
    checkFormer(former);
    const owner = { tenantId: checkTenantId(former.tenantId), userId: checkNewUserId(former.userId) };
    salt ??= await storage.claimMeta(SALT, random.bytes(SALT_BYTES).toString("base64url"));
    const key = salt;
    const name = JSON.stringify([former.former, owner.tenantId, owner.userId]);
    const idFor = (purpose: string): SessionId => {
      const bytes = createHmac("sha256", key).update(`${purpose}\0${name}`).digest().subarray(0, 16);
      bytes.writeUInt16BE(bucketOfUser(owner));
      return formatUuidV4(bytes) as SessionId;
    };
    return {
      id: idFor("session"),
      markId: idFor("mark"),
      secretOf: (master) => createHmac("sha256", deriveKey(master, "adopted session")).update(name).digest(),
    };
  };

  /** The secret of a row, whichever master key it was derived from; undefined where that key is not known here. */
  const knownSecret = (row: SessionRecord, { secretOf }: Derived): Buffer | undefined =>
    ring.keys.map(secretOf).find((secret) => isSameText(secretHash(secret), row.secretHash));

  const markOf = (row: SessionRecord, { markId }: Derived, until: number): SessionRecord => ({
    ...row,
    id: markId,
    payload: "{}",
    data: "{}",
    facts: "{}",
    endedAt: row.lastActiveAt,
    endReason: "replaced",
    expiresAt: millis(until),
    idleExpiresAt: NEVER,
  });

  /**
   * Since when the cookie counts as a token. As long as nothing took its place, it is as good as new. Then it is as old as the
   * adoption: older than refresh tokens live, it is no alarm, for the browser may have let go of what expired since.
   */
  const ageOf = async ({ current }: SessionRecord, { markId }: Derived, now: Millis): Promise<Millis> =>
    current === 0 ? now : ((await storage.getSession(markId))?.issuedAt ?? now);

  /** Goes on with a row that is there. */
  const goOn = async (row: SessionRecord, derived: Derived, input: AdoptSessionInput): Promise<RefreshOutcome> => {
    const now = storage.now();
    let secret = knownSecret(row, derived);
    if (secret === undefined && isLive(row, now)) {
      await ring.reload();
      secret = knownSecret(row, derived);
      if (secret === undefined) throw missing();
    }
    if (secret === undefined) return ended();
    const { enableAntiCsrf: antiCsrf = policy.enableAntiCsrf } = input;
    return presentClaims({ id: row.id, seq: 0, iat: await ageOf(row, derived, now), antiCsrf, secret }, input);
  };

  const adoptSession: SessionEngine["adoptSession"] = async (input) => {
    const session = checkNewSession(input, checkForm(input.form));
    input.checkPayload?.(session.payload);
    const derived = await derive(input);
    const { id, markId, secretOf } = derived;
    const known = await storage.getSession(id);
    if (known !== undefined) return goOn(known, derived, input);
    if ((await storage.getSession(markId)) !== undefined) return ended();
    const now = storage.now();
    const createdAt = millis(Math.min(now, input.createdAt ?? now));
    const secret = secretOf(sealingKey(ring.keys));
    const first = firstRow(policy, { id, session, secret, now, createdAt });
    if (first.expiresAt <= now) return ended("expired");
    const row = { ...first, next: 1, issuedAt: now };
    // Both in one step: without its mark, a session that has ended could come back.
    const [isMarked = false, isNew = false] = await storage.importSessions([markOf(row, derived, input.until), row]);
    // Another request was first.
    if (!isNew) return adoptSession(input);
    if (!isMarked) {
      await revocation.revokeSessions([handleOf(row)], { reason: "replaced" });
      return ended();
    }
    counts.add("login", row.tenantId);
    const { maxSessionsPerUser } = policy;
    if (maxSessionsPerUser !== undefined)
      await revocation.revokeSurplus(row, maxSessionsPerUser).catch(() => undefined);
    return goOn(row, derived, input);
  };

  return {
    adoptSession,

    async refuseAdoption(input, cause) {
      const session = checkNewSession(input, checkForm());
      const derived = await derive(input);
      const now = storage.now();
      const row = firstRow(policy, { id: derived.id, session, secret: Buffer.alloc(0), now, createdAt: now });
      await storage.importSessions([markOf(row, derived, input.until)]);
      await revocation.revokeSessions([handleOf(row)], cause);
    },
  };
};

const missing = (): EngineError =>
  new EngineError("master_key_missing", "the session was adopted with a master key that was not given here");
