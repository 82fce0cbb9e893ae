import type { BindOutcome } from "./binding.js";
import { decideRotation, type Millis, millis, type SessionRecord, StorageError, type Storage } from "@pawl/storage";
import type { Policy } from "../policy.js";
import type { TokenOpener } from "../rotation/opened-tokens.js";
import { presentedTokens } from "../rotation/presented-tokens.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf } from "../session-handle.js";
import type { BoundKey } from "../sessions/facts.js";
import { checkForm } from "../sessions/session-input.js";
import type { Issuer } from "../tokens/issuer.js";
import { claimedHash, type RefreshTokenClaims } from "../tokens/refresh-token.js";
import { bindingChange, boundKeyOf } from "./bound-session.js";
import type { Counts } from "../counts/counts.js";
import type { Challenges, Registrable } from "./challenges.js";
import { type DeviceKey, thumbprintOf } from "./device-key.js";
import { keyRegistered } from "./device-proof.js";

type Refused = Extract<BindOutcome, { kind: "refused" }>;

const refused = (why: Refused["why"], message: string): Refused => ({ kind: "refused", why, message });

const OFF = refused("policy", "sessions are not bound to devices here");
const NO_PROOF = refused("proof", "the registration holds no key that proves itself, or none that is taken");
const NO_CHALLENGE = refused("challenge", "the registration was not asked for by a login or step-up of just now");
const NO_SESSION = refused("no_session", "the session does not exist or has ended, or the browser has another");
const BOUND = refused("bound", "the session is bound to another key");
const REFRESHED = refused("refreshed", "the session was refreshed since its registration was asked for");

/** A change fails only when another writer wins; losing this often means that something is wrong. */
const MAX_ROUNDS = 16;

/** A row that is bound by a registration, now or before. */
interface Binding {
  readonly row: SessionRecord;
  readonly device: BoundKey;
}

/** Binds sessions to keys of browsers' devices: once each, and only where a login or a step-up has just asked for it. */
export const createRegistration = ({
  policy,
  storage,
  openTokens,
  issuer,
  challenges,
  counts,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
  readonly openTokens: TokenOpener;
  readonly issuer: Pick<Issuer, "session">;
  readonly challenges: Pick<Challenges, "registrable" | "toRefresh">;
  readonly counts: Pick<Counts, "add">;
}): SessionEngine["bindSession"] => {
  const bind = async (
    key: DeviceKey,
    { id, next }: Registrable,
    claims: RefreshTokenClaims | undefined,
  ): Promise<Binding | Refused> => {
    let row = await storage.getSession(id);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const now = storage.now();
      const token = claims && { ...claims, secretHash: claimedHash(claims), window: policy.reuseWindow };
      const standing = decideRotation(row, token ?? anyOf(row), now).kind;
      if (row === undefined || standing === "absent" || standing === "forged") return NO_SESSION;
      const bound = boundKeyOf(row);
      if (row.bound !== "" && row.bound !== thumbprintOf(key.jwk)) return BOUND;
      if (row.next !== next || (claims !== undefined && claims.seq !== next)) return REFRESHED;
      if (bound !== undefined) return { row, device: bound };
      const device = { ...key, at: laterThan(now, claims), pending: next };
      const result = await storage.changeSession(id, bindingChange(row, device));
      if (result.kind === "absent") return NO_SESSION;
      ({ record: row } = result);
      if (result.kind === "changed") {
        counts.add("bound", row.tenantId);
        return { row, device };
      }
    }
    throw new StorageError("unavailable", "the session kept changing under its registration; try again");
  };

  return async ({ refreshTokens, proof, ...style }) => {
    const form = checkForm(style.form);
    if (policy.deviceBinding === "off") return OFF;
    const registered = keyRegistered(proof);
    if (registered === undefined) return NO_PROOF;
    const registrable = challenges.registrable(registered.challenge);
    if (registrable === undefined) return NO_CHALLENGE;
    const opener = await openTokens(refreshTokens);
    const [refreshToken = "", ...otherRefreshTokens] = refreshTokens;
    const claims = presentedTokens({ refreshToken, otherRefreshTokens }, opener).find(
      ({ id }) => id === registrable.id,
    );
    // A browser that shows another session's token has another session now.
    if (claims === undefined && refreshTokens.length > 0) return NO_SESSION;
    const binding = await bind(registered.key, registrable, claims);
    if ("kind" in binding) return binding;
    const { row, device } = binding;
    const answer = { kind: "bound", handle: handleOf(row), challenge: challenges.toRefresh(row.id) } as const;
    if (claims === undefined) return answer;
    const copy = { ...claims, antiCsrf: style.enableAntiCsrf ?? policy.enableAntiCsrf, iat: device.at };
    const written = { form, algorithm: style.algorithm, keyKind: row.keyKind, now: storage.now() };
    return { ...answer, issued: await issuer.session(row, copy, written) };
  };
};

/** Later than all copies of its refresh tokens so far: who has the answer to the registration has a newer one. */
const laterThan = (now: Millis, claims: RefreshTokenClaims | undefined): Millis =>
  millis(Math.max(now, claims?.iat ?? 0) + 1);

/** Stands for the token of a browser that sent none: the challenge has named the session. */
const anyOf = (row: SessionRecord | undefined) => ({
  seq: row?.next ?? 0,
  iat: millis(0),
  secretHash: row?.secretHash ?? "",
  window: millis(0),
});
