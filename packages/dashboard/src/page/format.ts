import type { RouteResponse } from "@pawl/protocol";

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const count = new Intl.NumberFormat();

export const timeText = (at: number): string => short.format(at);
export const exactTime = (at: number): string => `${full.format(at)} (${new Date(at).toISOString()})`;
export const clockText = (at: number): string => full.format(at);
export const countText = (value: number): string => count.format(value);

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** `3 d`, `12 min`, `0 s`: the largest unit that fits. */
export const spanText = (ms: number): string => {
  const [unit, length] = units.find(([, length]) => Math.abs(ms) >= length) ?? ["s", 1000];
  return `${Math.round(ms / length)} ${unit}`;
};

/** Control characters, and those that change the direction of writing. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** Text from elsewhere, in which what cannot be seen is written out. */
export const visible = (text: string): string =>
  text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

type Ended<Name> = Name extends `ended.${infer Reason}` ? Reason : never;
type EndReason = Ended<RouteResponse<"listCounts">["counts"][number]["name"]>;

const reasons: Readonly<Record<EndReason, string>> = {
  logout: "logout",
  revoked: "revoked by the application",
  revoked_by_admin: "revoked by an administrator",
  token_reuse: "token reuse: theft",
  replaced: "replaced by a login in the same browser",
  session_limit: "session limit",
  identity_provider: "identity provider",
  expired: "expired",
  idle: "idle",
  erased: "user erased",
};
/** Why sessions end, always in this order. */
export const endReasons = Object.keys(reasons) as readonly EndReason[];
export const reasonText = (reason: string | undefined): string =>
  reason === undefined ? "" : (reasons[reason as EndReason] ?? reason);

const types: Readonly<Record<string, string>> = {
  session_ended: "Ended",
  token_reuse: "Refresh token reused",
  forged_token: "Forged refresh token",
  fast_forward: "Store had lost commits",
  device_bound: "Bound to its device",
  device_unbound: "No longer bound to its device",
  unproven_refresh: "Refresh without a proof of the device",
  acting_started: "Started acting for a user",
  acting_ended: "Stopped acting for a user",
  signing_key_created: "Signing key created",
  signing_key_deleted: "Signing key deleted",
  admin: "Administrator",
};
export const typeText = (type: string): string => types[type] ?? type;
export const eventTypes = Object.keys(types);
