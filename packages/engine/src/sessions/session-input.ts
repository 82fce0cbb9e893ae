import { PUBLIC_TENANT, type RevocationCause, type SigningKeyKind, type TenantId, type UserId } from "@pawl/storage";
import { accessTokenFormats } from "../tokens/access-token.js";
import { EngineError } from "../errors.js";
import { isTenantId } from "../session-handle.js";
import type { AccessTokenForm, CreateSessionInput, JsonObject, RevokeCause } from "../session.js";

/** Longest user id, in bytes of UTF-8. */
export const MAX_USER_ID_BYTES = 512;
/** Largest access token payload, in bytes of JSON. */
export const MAX_PAYLOAD_BYTES = 32 * 1024;
/** Largest data of a session, in bytes of JSON: 1 MiB. */
export const MAX_DATA_BYTES = 1024 * 1024;

const MAX_DEVICE_CHARACTERS = 512;
const MAX_ADDRESS_CHARACTERS = 128;
const MAX_DETAIL_BYTES = 512;

/** What an application gave for a new session, checked and as storage takes it. */
export interface CheckedSession {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly payload: string;
  readonly data: string;
  readonly device?: string;
  readonly address?: string;
  readonly keyKind: SigningKeyKind;
}

/** @throws EngineError `invalid_input`, `protected_claim`, `payload_too_large`. */
export const checkNewSession = (input: CreateSessionInput, form: AccessTokenForm): CheckedSession => {
  const { payload = {}, data = {} } = input;
  return {
    tenantId: checkTenantId(input.tenantId),
    userId: checkNewUserId(input.userId),
    payload: payloadText(payload, form),
    data: dataText(data),
    ...(input.device === undefined ? {} : { device: legible("device", input.device, MAX_DEVICE_CHARACTERS) }),
    ...(input.address === undefined ? {} : { address: legible("address", input.address, MAX_ADDRESS_CHARACTERS) }),
    keyKind: input.keyKind ?? "dynamic",
  };
};

/** `v5` unless given. @throws EngineError `invalid_input`. */
export const checkForm = (form: AccessTokenForm = "v5"): AccessTokenForm => {
  if (!Object.hasOwn(accessTokenFormats, form))
    throw invalid(`access token form must be one of ${Object.keys(accessTokenFormats).join(", ")}`);
  return form;
};

/** `public` unless given. @throws EngineError `invalid_input`. */
export const checkTenantId = (tenantId: string = PUBLIC_TENANT): TenantId => {
  if (typeof tenantId !== "string" || !isTenantId(tenantId))
    throw invalid("tenantId must be 1 to 64 of the characters a-z, 0-9 and -");
  return tenantId;
};

/** A user id in a question: any text that storage can hold. @throws EngineError `invalid_input`. */
export const checkUserIdText = (userId: string): UserId => wellFormed("userId", userId) as UserId;

/** A user id of a new session, of at most 512 bytes. @throws EngineError `invalid_input`. */
export const checkNewUserId = (userId: string): UserId => {
  const bytes = Buffer.byteLength(checkUserIdText(userId));
  if (bytes > MAX_USER_ID_BYTES) throw invalid(`userId must have at most ${MAX_USER_ID_BYTES} bytes, not ${bytes}`);
  return userId as UserId;
};

/**
 * The JSON of an access token payload.
 * @throws EngineError `invalid_input` for what is no plain object, `protected_claim` for a claim that is the token's own,
 * `payload_too_large`.
 */
export const payloadText = (payload: JsonObject, form: AccessTokenForm): string =>
  claimsText(payload, accessTokenFormats[form].protectedClaims);

/** As `payloadText`, with the names that are not the application's to give. */
export const claimsText = (payload: JsonObject, protectedClaims: ReadonlySet<string>): string => {
  const text = jsonObjectText("payload", payload, MAX_PAYLOAD_BYTES);
  const taken = Object.keys(payload).find((name) => protectedClaims.has(name));
  if (taken !== undefined) throw new EngineError("protected_claim", `payload holds the protected claim ${taken}`);
  return text;
};

/** The JSON of a session's data. @throws EngineError `invalid_input` for what is no plain object, `payload_too_large`. */
export const dataText = (data: JsonObject): string => jsonObjectText("data", data, MAX_DATA_BYTES);

/** A cause with its default. @throws EngineError `invalid_input`. */
export const checkCause = ({ reason = "revoked", detail }: RevokeCause = {}): RevocationCause => {
  if (detail === undefined) return { reason };
  if (Buffer.byteLength(wellFormed("detail", detail)) > MAX_DETAIL_BYTES)
    throw invalid(`detail must have at most ${MAX_DETAIL_BYTES} bytes`);
  return { reason, detail };
};

/**
 * The JSON of an object that comes back from it as it was: plain objects, arrays, texts, numbers. What writes itself
 * (`toJSON`, as a `Date` does) is taken at its word; a `Map` or an instance of a class would become an empty object.
 * @throws EngineError `invalid_input` naming the member, `payload_too_large`.
 */
const jsonObjectText = (name: string, value: object, limit: number): string => {
  if (!isPlainObject(value)) throw invalid(`${name} must be a plain object`);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    // A cycle, a BigInt, nesting beyond the stack. The cause may quote the value, so it stays out.
    throw invalid(`${name} cannot be written as JSON (${cause instanceof Error ? cause.name : "error"})`);
  }
  if (text?.[0] !== "{") throw invalid(`${name} must be a plain object`);
  const bytes = Buffer.byteLength(text);
  if (bytes > limit)
    throw new EngineError("payload_too_large", `${name} has ${bytes} bytes of JSON; at most ${limit} are kept`);
  // Once it is known to be bounded and without a cycle.
  checkMembers(name, value);
  return text;
};

/** An object on the way into a value. */
interface Place {
  readonly value: object;
  readonly key: string;
  readonly within: Place | undefined;
}

const checkMembers = (name: string, root: object): void => {
  const pending: Place[] = [{ value: root, key: name, within: undefined }];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const { value } = place;
    if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") continue;
    if (!Array.isArray(value) && !isPlainObject(value)) throw invalid(`${pathOf(place)} must be a plain object`);
    for (const key of Object.keys(value)) {
      const member: unknown = (value as Readonly<Record<string, unknown>>)[key];
      if (typeof member === "object" && member !== null) pending.push({ value: member, key, within: place });
    }
  }
};

/** `data.cart[2].tags`. */
const pathOf = ({ key, within }: Place): string => {
  if (within === undefined) return key;
  if (Array.isArray(within.value)) return `${pathOf(within)}[${key}]`;
  return /^[\w$]+$/u.test(key) ? `${pathOf(within)}.${key}` : `${pathOf(within)}[${JSON.stringify(key)}]`;
};

const isPlainObject = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a test runner's, a vm's) have a prototype of their own whose prototype is null.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

const wellFormed = (name: string, text: string): string => {
  if (typeof text !== "string") throw invalid(`${name} must be a text`);
  if (/[\0\p{Surrogate}]/u.test(text)) throw invalid(`${name} must not hold U+0000 or a lone surrogate`);
  return text;
};

/** A text for people: cut, and what storage cannot hold replaced. A login must not fail over a browser's name. */
const legible = (name: string, text: string, most: number): string => {
  if (typeof text !== "string") throw invalid(`${name} must be a text`);
  return text.slice(0, most).replace(/[\0\p{Surrogate}]/gu, "\uFFFD");
};

const invalid = (message: string): EngineError => new EngineError("invalid_input", message);
