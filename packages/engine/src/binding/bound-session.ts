import type { UnprovenReason } from "../session.js";
import {
  decideRotation,
  type EventRecord,
  type Millis,
  type PresentedToken,
  type SessionChange,
  type SessionRecord,
} from "@pawl/storage";
import { type BoundKey, factsText, parseFacts } from "../sessions/facts.js";
import type { Challenges } from "./challenges.js";
import { challengeSigned } from "./device-proof.js";
import { thumbprintOf } from "./device-key.js";

/** The key of a session that is bound, as far as it is known. */
export const boundKeyOf = ({ bound, facts }: SessionRecord): BoundKey | undefined =>
  bound === "" ? undefined : parseFacts(facts).device;

/** What a browser's proof shows of a session. */
export type Proven =
  | { readonly kind: "proven"; readonly thumbprint: string }
  | { readonly kind: "unproven"; readonly why: Exclude<UnprovenReason, "unbound"> };

const unproven = (why: Exclude<UnprovenReason, "unbound">): Proven => ({ kind: "unproven", why });

/** Judges a proof by the key of a row. Pure but for the clock of the challenges. */
export const judgeProof = (
  row: SessionRecord,
  proof: string | undefined,
  challenges: Pick<Challenges, "refreshes">,
): Proven => {
  if (proof === undefined || row.bound === "") return unproven("missing");
  const key = boundKeyOf(row);
  const challenge = key && challengeSigned(proof, key);
  if (key === undefined || challenge === undefined) return unproven("foreign");
  return challenges.refreshes(challenge, row.id)
    ? { kind: "proven", thumbprint: thumbprintOf(key.jwk) }
    : unproven("challenge");
};

/**
 * Whether a refresh token shows that the answer to the registration never arrived: it is a copy sealed before that answer,
 * nothing was refreshed since, and in a session that is not bound it would be in order.
 */
export const isUnanswered = (row: SessionRecord, token: PresentedToken, now: Millis): boolean => {
  const key = boundKeyOf(row);
  if (key?.pending !== row.next || token.iat >= key.at) return false;
  const { kind } = decideRotation({ ...row, bound: "" }, token, now);
  return kind === "mint" || kind === "keep" || kind === "repeat";
};

/** Events of one version of the facts: of those that would write this one, one does. */
const deviceEvent = (
  type: "device_bound" | "device_unbound",
  row: SessionRecord,
  { at, detail }: { readonly at: Millis; readonly detail: object },
): EventRecord => ({
  key: `${type}:${row.id}:${row.factsVersion}`,
  at,
  type,
  tenantId: row.tenantId,
  userId: row.userId,
  sessionId: row.id,
  detail: JSON.stringify(detail),
  count: 1,
});

const expected = ({ factsVersion, next }: SessionRecord) => ({ factsVersion, next });

/** Binds a session to a key, on condition that nothing was refreshed meanwhile. */
export const bindingChange = (row: SessionRecord, device: BoundKey): SessionChange => ({
  bound: thumbprintOf(device.jwk),
  facts: factsText({ ...parseFacts(row.facts), device }),
  events: [deviceEvent("device_bound", row, { at: device.at, detail: { algorithm: device.algorithm } })],
  expected: expected(row),
});

/** Notes that the browser has its key: it has proved a refresh. Undefined where that is known, or the row's numbers tell it. */
export const settlingChange = (row: SessionRecord): SessionChange | undefined => {
  const { device, ...facts } = parseFacts(row.facts);
  if (device?.pending !== row.next) return undefined;
  const settled = factsText({ ...facts, device: { ...device, pending: undefined } });
  return { facts: settled, expected: { factsVersion: row.factsVersion } };
};

/** Forgets a key of which the browser never heard that it counts. */
export const releaseChange = (row: SessionRecord, now: Millis): SessionChange => ({
  bound: "",
  facts: factsText({ ...parseFacts(row.facts), device: undefined }),
  events: [deviceEvent("device_unbound", row, { at: now, detail: { why: "the answer to its registration was lost" } })],
  expected: expected(row),
});
