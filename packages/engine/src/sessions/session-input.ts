import {
  type Millis,
  millis,
  NEVER,
  PUBLIC_TENANT,
  type RevocationCause,
  type SigningKeyKind,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { accessTokenFormats } from "../tokens/access-token.js";
import { EngineError } from "../errors.js";
import type { Policy } from "../policy.js";
import { isTenantId } from "../session-handle.js";
import type { AdoptSessionInput } from "./former-session.js";
import { jsonObjectText } from "./json-object-text.js";
import type {
  AccessTokenForm,
  ActAsInput,
  Authentication,
  CreateSessionInput,
  JsonObject,
  ProviderLogin,
  RevokeCause,
} from "../session.js";

/** Longest user id, in bytes of UTF-8. */
export const MAX_USER_ID_BYTES = 512;
/** Largest access token payload, in bytes of JSON. */
export const MAX_PAYLOAD_BYTES = 32 * 1024;
/** Largest data of a session, in bytes of JSON: 1 MiB. */
export const MAX_DATA_BYTES = 1024 * 1024;

const MAX_DEVICE_CHARACTERS = 512;
const MAX_ADDRESS_CHARACTERS = 128;
const MAX_DETAIL_BYTES = 512;
const MAX_LOGIN_BYTES = 512;
const MAX_REASON_BYTES = 512;
/** More than the cookies of a request that `node:http` takes. */
const MAX_FORMER_CHARACTERS = 32 * 1024;
const MAX_METHODS = 16;
/** What can stand in a quoted string of `WWW-Authenticate`, where blanks separate levels (RFC 9470 section 3). */
const AUTHENTICATION_NAME = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;

/** For how long somebody acts for a user unless he says: 15 min. */
const USUAL_ACTING = millis(15 * 60_000);
const LEAST_ACTING = 1000;

/** What an application gave for a new session, checked and as storage takes it. */
export interface CheckedSession {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly payload: string;
  readonly data: string;
  /** Absent where nobody said how the user authenticated. */
  readonly auth?: { readonly at?: Millis | undefined } & Omit<Authentication, "at">;
  readonly identityProvider?: ProviderLogin;
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
    ...(input.auth === undefined
      ? {}
      : { auth: { at: checkTime("auth.at", input.auth.at), ...checkAuthentication(input.auth) } }),
    ...(input.identityProvider && { identityProvider: checkProviderLogin(input.identityProvider) }),
    ...(input.device === undefined ? {} : { device: legible("device", input.device, MAX_DEVICE_CHARACTERS) }),
    ...(input.address === undefined ? {} : { address: legible("address", input.address, MAX_ADDRESS_CHARACTERS) }),
    keyKind: input.keyKind ?? "dynamic",
  };
};

/** What an identity provider calls a login. @throws EngineError `invalid_input`. */
const checkProviderLogin = ({ issuer, subject, sessionId }: ProviderLogin): ProviderLogin => {
  const texts = { issuer, subject, ...(sessionId !== undefined && { sessionId }) };
  for (const [name, text] of Object.entries(texts))
    if (boundedText(`identityProvider.${name}`, text, MAX_LOGIN_BYTES) === "")
      throw invalid(`identityProvider.${name} must not be empty`);
  return { issuer, subject, sessionId };
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
  return { reason, detail: boundedText("detail", detail, MAX_DETAIL_BYTES) };
};

/** How a user authenticated. @throws EngineError `invalid_input`. */
export const checkAuthentication = ({
  methods = [],
  level,
}: {
  readonly methods?: readonly string[] | undefined;
  readonly level?: string | undefined;
}): Omit<Authentication, "at"> => {
  if (!Array.isArray(methods) || methods.length > MAX_METHODS)
    throw invalid(`auth.methods must be a list of at most ${MAX_METHODS} names, as RFC 8176 has them`);
  for (const name of level === undefined ? methods : [...methods, level])
    if (typeof name !== "string" || !AUTHENTICATION_NAME.test(name))
      throw invalid('auth.methods and auth.level must be names of 1 to 128 visible ASCII characters without " and \\');
  return { methods, level };
};

const checkTime = (name: string, at: Millis | undefined): Millis | undefined => {
  if (at !== undefined && !(Number.isInteger(at) && at >= 0 && at <= NEVER))
    throw invalid(`${name} must be a time in milliseconds since the epoch`);
  return at;
};

/** The name and the times of a session of another system. @throws EngineError `invalid_input`. */
export const checkFormer = ({
  former,
  until,
  createdAt,
}: Pick<AdoptSessionInput, "former" | "until" | "createdAt">): void => {
  if (typeof former !== "string" || former === "" || former.length > MAX_FORMER_CHARACTERS)
    throw invalid(`former must name the session that is adopted, in 1 to ${MAX_FORMER_CHARACTERS} characters`);
  checkTime("until", until);
  checkTime("createdAt", createdAt);
};

/** Whom to act for, and how long. @throws EngineError `invalid_input`, `protected_claim`, `payload_too_large`. */
export const checkActing = (
  input: ActAsInput,
  { longestActing }: Pick<Policy, "longestActing">,
): Omit<ActAsInput, "data" | "for"> & { readonly data: JsonObject; readonly lasts: Millis } => {
  const { payload, data = {}, reason, for: lasts = millis(Math.min(USUAL_ACTING, longestActing)) } = input;
  const userId = checkNewUserId(input.userId);
  if (userId === "") throw invalid("userId must name the user to act for");
  payloadText(payload, "pawl");
  dataText(data);
  if (boundedText("reason", reason, MAX_REASON_BYTES).trim() === "")
    throw invalid("reason must say why, for the audit trail");
  if (!Number.isSafeInteger(lasts) || lasts < LEAST_ACTING || lasts > longestActing)
    throw invalid(`for (ms) must be a whole number of ${LEAST_ACTING} to ${longestActing}, the policy's longestActing`);
  return { userId, payload, data, reason, lasts };
};

const wellFormed = (name: string, text: string): string => {
  if (typeof text !== "string") throw invalid(`${name} must be a text`);
  if (/[\0\p{Surrogate}]/u.test(text)) throw invalid(`${name} must not hold U+0000 or a lone surrogate`);
  return text;
};

const boundedText = (name: string, text: string, most: number): string => {
  if (Buffer.byteLength(wellFormed(name, text)) > most) throw invalid(`${name} must have at most ${most} bytes`);
  return text;
};

/** A text for people: cut, and what storage cannot hold replaced. A login must not fail over a browser's name. */
const legible = (name: string, text: string, most: number): string => {
  if (typeof text !== "string") throw invalid(`${name} must be a text`);
  return text.slice(0, most).replace(/[\0\p{Surrogate}]/gu, "\uFFFD");
};

const invalid = (message: string): EngineError => new EngineError("invalid_input", message);
