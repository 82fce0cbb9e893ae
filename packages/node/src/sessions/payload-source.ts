import { isDeepStrictEqual } from "node:util";
import type { JsonObject, RefreshSessionInput } from "@pawl/engine";
import { inTime, warnOf } from "../application-hook.js";
import type { RefreshAnswer } from "../backend/session-backend.js";
import { checkAccessCookie } from "../http/cookie-size.js";
import type { TokenTransfer } from "../http/token-transfer.js";
import { RETRY_AFTER, SessionError } from "../session-error.js";
import type { PayloadOwner } from "../session-input.js";
import { after } from "./after.js";
import { Misfit } from "./schema.js";
import type { Serving } from "./serving.js";

/** How long an application may take to say a payload, ms: a login or a refresh waits for it. */
const DEADLINE = 2000;

/**
 * How long each of its hooks may take at a refresh, ms. What a refresh brings is written within a sixth of the reuse window, or
 * not at all: two hooks leave a fifth of that to the store.
 */
const refreshDeadline = ({ backend }: Serving): number => {
  const { reuseWindow } = backend.settings;
  return reuseWindow === 0 ? DEADLINE : Math.min(DEADLINE, Math.floor(reuseWindow / 15));
};

type Sources = Pick<Serving, "options" | "payloads">;

/**
 * The payload of a user as the application says it now; undefined where it has no say.
 * @throws SessionError `UNKNOWN` where it does not say it; TypeError for what does not fit.
 */
const loaded = async (
  { options, payloads }: Sources,
  owner: PayloadOwner,
  deadline: number,
): Promise<JsonObject | undefined> => {
  const { loadPayload } = options;
  if (loadPayload === undefined) return undefined;
  const payload = await inTime(() => loadPayload(owner), { name: "loadPayload", within: deadline }).catch(
    (cause: unknown) => {
      const message = `the payload could not be loaded: ${cause instanceof Error ? cause.message : "something was thrown"}`;
      throw new SessionError("UNKNOWN", message, { cause, retryAfter: RETRY_AFTER });
    },
  );
  // Nothing at all must not become a payload without limits.
  if (((payload as unknown) ?? undefined) === undefined) throw new TypeError("loadPayload has to give a payload");
  return payloads.accept(payload);
};

/**
 * What a login, or the beginning of acting for a user, stores: what was given, else what the application loads.
 * @throws SessionError `UNKNOWN` where it cannot; TypeError for what does not fit.
 */
export const firstPayload = async (
  it: Sources,
  { given, ...owner }: Omit<PayloadOwner, "payload"> & { readonly given: object | undefined },
): Promise<JsonObject | undefined> =>
  given === undefined ? loaded(it, { ...owner, payload: undefined }, DEADLINE) : it.payloads.accept(given);

/** Whether a payload that does not fit any more can be replaced, which a refresh does. */
export const canMend = ({ options }: Pick<Serving, "options">): boolean =>
  options.loadPayload !== undefined || options.migratePayload !== undefined;

type Refreshed = Extract<RefreshAnswer, { kind: "refreshed" }>;

/** How often a refresh is repeated that what happened meanwhile has overtaken. */
const REPETITIONS = 3;
/** How often the application is asked about who acts, where somebody else changes the session meanwhile. */
const TIMES_ASKED = 2;

/**
 * Hands in refresh tokens. What this process hears of the session while the answer is on its way counts, for requests that
 * came only then may wait for the same answer.
 */
export const renew = async (
  it: Serving,
  input: RefreshSessionInput,
  transfer: TokenTransfer | undefined,
): Promise<RefreshAnswer> => {
  let answer = await renewed(it, input, transfer);
  for (let left = REPETITIONS; left > 0 && isOvertaken(it, answer); left -= 1)
    answer = await it.backend.refresh({ ...input, form: "pawl" });
  return answer;
};

const isOvertaken = ({ backend }: Serving, answer: RefreshAnswer): boolean => {
  if (answer.kind !== "refreshed") return false;
  const { handle, payloadVersion } = answer.session;
  return backend.isOvertaken({ handle, payloadVersion, issuedAt: answer.accessToken.createdTime });
};

/**
 * Hands in refresh tokens. Where that has made new ones, the application is asked for the payload that the session is to
 * have from now on; where what is stored does not fit its schema any more, for one that does.
 */
const renewed = async (
  it: Serving,
  input: RefreshSessionInput,
  transfer: TokenTransfer | undefined,
): Promise<RefreshAnswer> => {
  const outcome = await it.backend.refresh({ ...input, form: "pawl" });
  if (outcome.kind !== "refreshed") return outcome;
  if (await hasActorChanged(it, outcome, transfer)) return it.backend.refresh({ ...input, form: "pawl" });
  const payload = await wantedPayload(it, outcome, transfer);
  if (payload === undefined) return outcome;
  return withPayload(it, outcome, payload).then(
    // Somebody else has changed it: theirs stands, and this answer says so.
    (changed) => changed ?? it.backend.refresh({ ...input, form: "pawl" }),
    (error: unknown) => {
      warnOf(error);
      return outcome;
    },
  );
};

/**
 * Asks the application about who acts for another user, as it would be asked where they did not: another payload ends the
 * acting. @returns whether the session is another one now. What fails is a warning.
 */
const hasActorChanged = async (
  it: Serving,
  { session, minted }: Refreshed,
  transfer: TokenTransfer | undefined,
): Promise<boolean> => {
  const { actor, handle, tenantId } = session;
  if (actor === undefined || !minted || it.options.loadPayload === undefined) return false;
  const owner = { userId: actor.userId, tenantId };
  try {
    for (let left = TIMES_ASKED; left > 0; left -= 1) {
      const own = await it.backend.get(handle);
      if (own?.acting === undefined) return true;
      const payload = await loaded(it, { ...owner, payload: own.payload }, refreshDeadline(it));
      if (payload === undefined || isSame(payload, own.payload)) return false;
      if (transfer === "cookie") checkAccessCookie(it, { ...session, ...owner, actor: undefined, payload });
      // Not over what somebody else has just changed: then the application is asked again.
      const change = { form: "pawl", expectedVersion: own.payloadVersion } as const;
      if (await it.backend.updatePayload(handle, payload, change)) return true;
    }
  } catch (error) {
    warnOf(error);
  }
  return false;
};

/** What is to be stored in place of a payload; undefined: it stays. What fails is a warning, for the session goes on. */
const wantedPayload = async (
  it: Serving,
  { session, minted }: Refreshed,
  transfer: TokenTransfer | undefined,
): Promise<JsonObject | undefined> => {
  const { payload: stored, userId, tenantId, actor } = session;
  const { migratePayload } = it.options;
  const deadline = refreshDeadline(it);
  const isMisfit = canMend(it) && (await it.payloads.read(stored)) instanceof Misfit;
  const tried = async (work: () => Promise<JsonObject | undefined>): Promise<JsonObject | undefined> => {
    try {
      const payload = await work();
      if (payload !== undefined && transfer === "cookie") checkAccessCookie(it, { ...session, payload });
      return payload;
    } catch (error) {
      warnOf(error);
      return undefined;
    }
  };
  // What an administrator acts with was chosen when that began: a user's whole payload could allow more.
  const isAsked = actor === undefined && (minted || isMisfit);
  const fresh = isAsked ? await tried(() => loaded(it, { userId, tenantId, payload: stored }, deadline)) : undefined;
  if (fresh !== undefined) return isSame(fresh, stored) ? undefined : fresh;
  if (!isMisfit || migratePayload === undefined) return undefined;
  return tried(async () =>
    it.payloads.accept(await inTime(() => migratePayload(stored), { name: "migratePayload", within: deadline })),
  );
};

/** As JSON: neither the order of members nor one that is undefined makes a difference. */
const isSame = (payload: JsonObject, stored: JsonObject): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(payload)), stored);

/** The answer of a refresh with another payload; undefined where the stored one is not the expected one any more. */
const withPayload = async (
  { backend }: Serving,
  refreshed: Refreshed,
  payload: JsonObject,
): Promise<RefreshAnswer | undefined> => {
  const { accessToken, session } = refreshed;
  const change = { announced: false, expectedVersion: session.payloadVersion };
  const outcome = await backend.regenerate(accessToken.token, payload, change);
  if (outcome.kind === "outdated") return undefined;
  if (outcome.kind === "unauthorised") return { kind: "unauthorised", message: outcome.message, isOurs: true };
  return { ...refreshed, session: outcome.session, accessToken: outcome.accessToken ?? accessToken };
};

/** Warns, once, of a payload that does not fit. */
export const warnOfMisfit = <Value extends object>(
  { warnOnce }: Pick<Serving, "warnOnce">,
  value: Value | Misfit,
): Value | Misfit => {
  if (value instanceof Misfit) warnOnce("PAWL_PAYLOAD_MISFIT", value.error.message);
  return value;
};

/** A stored payload, as the application's types have it. */
export const readPayload = (
  it: Pick<Serving, "payloads" | "warnOnce">,
  stored: JsonObject,
): object | Misfit | Promise<object | Misfit> => after(it.payloads.read(stored), (value) => warnOfMisfit(it, value));
