import {
  type AccessTokenClaims,
  type AccessTokenForm,
  accessTokenFormatOf,
  type AudienceRule,
  type JsonObject,
  oauthClaims,
  type SessionHandle,
  type SessionSummary,
} from "@pawl/engine";
import { millis, PUBLIC_TENANT, type SigningAlgorithm, type TenantId, type UserId } from "@pawl/storage";
import type { SessionBackend } from "../backend/session-backend.js";
import type { WarnOnce } from "../application-hook.js";

/** Browsers drop a cookie whole whose name and value have more bytes together (RFC 6265bis section 5.5). */
const MOST_COOKIE_BYTES = 4096;

/** Characters of a signature: base64url of 64 bytes, or of the 256 of an RSA key of 2048 bits. */
const signatureLength: Readonly<Record<SigningAlgorithm, number>> = { ES256: 86, RS256: 342 };

/** As long as the longest that a session comes to: a number of refreshes that takes thirty years at one a second. */
const LONGEST = {
  handle: "00000000-0000-4000-8000-000000000000" as SessionHandle,
  antiCsrfToken: "00000000-0000-4000-8000-000000000000",
  tokenId: "00000000-0000-4000-8000-000000000000",
  kid: "d-1000000000000",
  time: millis(1_000_000_000_000),
  seq: 1_000_000_000,
} as const;

/** A session as far as the size of its access tokens depends on it. */
export interface SizedSession extends Pick<SessionSummary, "userId" | "payload"> {
  readonly handle?: SessionHandle | undefined;
  readonly tenantId?: TenantId | undefined;
  readonly auth?: { readonly methods?: readonly string[] | undefined; readonly level?: string | undefined } | undefined;
  readonly actor?: SessionSummary["actor"];
  readonly bound?: SessionSummary["bound"];
}

/**
 * Bytes (name and value) that the access token cookie of a session may come to: at most about 80 more than its first one
 * has, because later tokens also name their parent. `payloadText` is the payload as JSON, where it has been written already.
 */
export const accessCookieBytes = (
  { userId, payload, handle = LONGEST.handle, tenantId = PUBLIC_TENANT, auth, actor, bound }: SizedSession,
  {
    name,
    algorithm,
    form,
    audienceRule,
    json,
  }: {
    readonly name: string;
    readonly algorithm: SigningAlgorithm;
    readonly form: AccessTokenForm;
    readonly audienceRule?: AudienceRule | undefined;
    readonly json?: string | undefined;
  },
): number => {
  const claims: AccessTokenClaims = {
    form,
    handle,
    tenantId,
    userId,
    seq: LONGEST.seq,
    parentSeq: LONGEST.seq,
    antiCsrfToken: LONGEST.antiCsrfToken,
    payload,
    payloadVersion: LONGEST.seq,
    auth: { at: LONGEST.time, methods: auth?.methods ?? [], level: auth?.level },
    actor,
    oauth: audienceRule && { ...oauthClaims(audienceRule), tokenId: LONGEST.tokenId },
    bound,
    issuedAt: LONGEST.time,
    expiresAt: LONGEST.time,
  };
  const format = accessTokenFormatOf(claims);
  const text = format.body(claims, json);
  const head = typeof format.header === "string" ? format.header : format.header({ kid: LONGEST.kid, algorithm });
  const token = head.length + Math.ceil((Buffer.byteLength(text) * 4) / 3) + signatureLength[algorithm] + "..".length;
  return name.length + token;
};

/** Bytes of an answer's head that a session may take before the application is warned: a KiB less than nginx passes on. */
export const MOST_HEAD_BYTES = 3072;

/** Bytes of `Set-Cookie` lines with their header's name and end. */
export const lineBytes = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + "Set-Cookie: \r\n".length + line.length, 0);

/** Warns, once, of cookies and headers of a session that a proxy may not pass on. */
export const warnOfLargeAnswer = (bytes: number, warnOnce: WarnOnce): void => {
  if (bytes > MOST_HEAD_BYTES)
    warnOnce(
      "PAWL_LARGE_ANSWER",
      `the cookies and headers of a session take ${bytes} bytes of an answer's head. nginx passes on 4096 unless ` +
        "proxy_buffer_size says more, and answers 502 above that: raise it, or keep what is large in the session data",
    );
};

/** Whether browsers keep a cookie of so many bytes. */
export const fitsCookie = (bytes: number): boolean => bytes <= MOST_COOKIE_BYTES;

/**
 * Refuses what browsers would not keep.
 * @throws TypeError with the size and the largest parts, never their content.
 */
export const checkCookieSize = (
  { name, bytes }: { readonly name: string; readonly bytes: number },
  { userId, payload }: { readonly userId: UserId; readonly payload: JsonObject },
): void => {
  if (fitsCookie(bytes)) return;
  const parts = Object.entries({ "the user id": userId, ...quoted(payload) })
    .map(([part, value]) => ({ name: part, bytes: encodedSize(value) }))
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map((part) => `${part.name} about ${part.bytes}`);
  throw new TypeError(
    `the cookie ${name} would have ${bytes} bytes (name and value); browsers keep at most ${MOST_COOKIE_BYTES}. ` +
      `Of these the payload takes about ${encodedSize(payload)}; the largest parts: ${parts.join(", ")}. ` +
      "Keep what is large in the session data, which stays on the server",
  );
};

/**
 * Refuses an access token of ours that browsers would not keep.
 * @param json the payload as JSON, where it has been written already.
 * @throws TypeError with the size and the largest parts.
 */
export const checkAccessCookie = (
  {
    backend,
    cookies,
  }: {
    readonly backend: Pick<SessionBackend, "signingAlgorithm" | "audienceRule" | "settings">;
    readonly cookies: { readonly accessName: string };
  },
  session: SizedSession,
  json?: string,
): void => {
  const name = cookies.accessName;
  const { signingAlgorithm: algorithm, audienceRule, settings } = backend;
  // It may be bound later.
  const bound = settings.deviceBinding === "off" ? session.bound : true;
  const bytes = accessCookieBytes({ ...session, bound }, { name, algorithm, audienceRule, form: "pawl", json });
  checkCookieSize({ name, bytes }, session);
};

/** Bytes of a value inside a token: base64 makes four of three. */
const encodedSize = (value: unknown): number => Math.ceil((Buffer.byteLength(JSON.stringify(value) ?? "") * 4) / 3);

const quoted = (payload: object): object =>
  Object.fromEntries(Object.entries(payload).map(([name, value]) => [JSON.stringify(name), { [name]: value }]));
