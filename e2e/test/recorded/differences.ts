import type { Exchange } from "./exchanges.js";
import type { Replay } from "./replay.js";

/** What we answer in the place of the recorded answer, and why. */
interface Difference {
  readonly reason: string;
  readonly status?: number;
  readonly type?: string;
  readonly answer?: unknown;
  /** What has to be done for the following exchanges to have the same meaning. */
  readonly afterwards?: (replay: Replay) => void;
}

const TEXT = "text/html;charset=UTF-8";
const JSON_TYPE = "application/json;charset=UTF-8";

const refused = (answer: string, reason: string): Difference => ({ reason, status: 400, type: TEXT, answer });
const tryRefresh = (message: string): Difference => ({
  reason: "a malformed access token is answered as any that is not accepted, never with 500",
  status: 200,
  type: JSON_TYPE,
  answer: { status: "TRY_REFRESH_TOKEN", message },
});
const notRegenerated: Difference = {
  reason: "a malformed access token is UNAUTHORISED, never 500",
  status: 200,
  type: JSON_TYPE,
  answer: { status: "UNAUTHORISED", message: "Invalid JWT" },
};
const versions: Difference = {
  reason: "only versions are named that released SDKs speak and that are answered in full, and 5.4 besides",
  answer: {
    versions: [
      "2.9",
      "2.10",
      "2.11",
      "2.12",
      "2.13",
      "2.14",
      "2.15",
      "2.16",
      "2.17",
      "2.18",
      "2.19",
      "2.20",
      "2.21",
    ].concat(["3.0", "3.1", "4.0", "5.0", "5.1", "5.2"], ["5.3", "5.4"]),
  },
};

/** Every deliberate difference, by the name of its exchange. */
const differences: Readonly<Record<string, Difference>> = {
  "HEAD on hello": { reason: "HEAD is answered as GET without a body", status: 200 },
  "refresh with RT1 again, before RT2 was used: allowed, a sibling RT3": {
    reason: "the newest sibling displaces the earlier one; so from here on each has the other's part",
    afterwards: (replay) => {
      replay.swap("AT2", "AT3");
      replay.swap("RT2", "RT3");
    },
  },
  "remove by handles (one known, one unknown, one twice)": {
    reason: "a session that is named twice ends once",
    answer: { status: "OK", sessionHandlesRevoked: ["<HANDLE1>"] },
  },
  "verify a session made without anti-csrf, but check demanded": {
    reason: "the message says which check failed",
    answer: { status: "TRY_REFRESH_TOKEN", message: "anti-csrf check failed" },
  },
  "create: lenient JSON (Gson): unquoted keys": refused("Invalid Json Input", "JSON is JSON (RFC 8259)"),
  "create: enableAntiCsrf a number": refused(
    "Field name 'enableAntiCsrf' is invalid in JSON input",
    "a number is no boolean, and would have been read as false",
  ),
  "create: big and odd numbers in the payload": {
    reason: "numbers beyond 64 bits are numbers of JSON, no reason for 500",
    status: 200,
    type: JSON_TYPE,
    answer: {
      session: {
        handle: "<HANDLE101>",
        userId: "u",
        recipeUserId: "u",
        userDataInJWT: { big: 12345678901234567890123, f: 1, e: 1000, neg: 0, uni: "é😀<>&'" },
        tenantId: "public",
      },
      accessToken: { token: "<AT101>", expiry: 3_600_000, createdTime: 0 },
      refreshToken: { token: "<RT101>", expiry: 8_640_000_000, createdTime: 0 },
      status: "OK",
    },
  },
  "verify: three garbage parts": tryRefresh("JWT header mismatch"),
  "verify: kid missing": tryRefresh("JWT header mismatch"),
  "verify: version 9": tryRefresh("JWT header mismatch"),
  "verify: a refresh token as access token": tryRefresh("Invalid JWT"),
  "regenerate: garbage": notRegenerated,
  "regenerate: three garbage parts": notRegenerated,
  apiversion: versions,
  "apiversion with websiteDomain and apiDomain": versions,
  "PATCH on create": {
    reason: "405 for every method that a path does not take",
    status: 405,
    type: TEXT,
    answer: "Method not supported",
  },
  "old path without /recipe": refused("cdi-version 5.3 not supported", "the bare paths speak CDI 1.0"),
  "malformed cdi-version": refused("cdi-version header is invalid", "a malformed header is the caller's mistake"),
};

/** Names of classes and details of the original's code in a message, and what stands there instead. */
const messages: Readonly<Record<string, string>> = {
  "io.supertokens.session.jwt.JWT$JWTException: Invalid JWT": "Invalid JWT",
  "io.supertokens.session.jwt.JWT$JWTException: JWT verification failed": "JWT verification failed",
  "io.supertokens.session.jwt.JWT$JWTException: JWT header mismatch - alg": "JWT header mismatch",
  "io.supertokens.session.refreshToken.RefreshToken$InvalidRefreshTokenFormatException: version of refresh token not recognised":
    "Invalid refresh token",
  "io.supertokens.session.refreshToken.RefreshToken$InvalidRefreshTokenFormatException: Refresh token split with dot yielded an array of length: 2":
    "Invalid refresh token",
  "java.nio.BufferUnderflowException": "Invalid refresh token",
};

/** Where one message has a text of its own: exchange by exchange. */
const ownMessages: Readonly<Record<string, string>> = {
  // A token of `alg: none` is well formed, and refused for its header.
  "verify: alg none": "JWT header mismatch",
  // The end of a refresh token names no version here, so that it cannot lead to another session's.
  "refresh: version suffix V1 with a V2 body": "Invalid refresh token",
};

const notServed = new Set(["2.7", "2.8"]);

/** An exchange as it is to be here, with the reasons of what differs. */
export const expectedExchange = (
  recorded: Exchange,
): Exchange & { readonly reason?: string; readonly afterwards?: Difference["afterwards"] } => {
  const { version = "", answer } = recorded;
  if (notServed.has(version))
    return {
      ...recorded,
      ...refused(`cdi-version ${version} not supported`, "no SDK since 2022 speaks it alone"),
      token: undefined as never,
    };
  const difference = differences[recorded.name];
  if (difference !== undefined) return { ...recorded, ...difference };
  const message = (answer as { readonly message?: unknown } | undefined)?.message;
  const own = ownMessages[recorded.name] ?? (typeof message === "string" ? messages[message] : undefined);
  if (own !== undefined && own !== message)
    return { ...recorded, answer: { ...(answer as object), message: own }, reason: "no names of classes in messages" };
  return recorded === recorded ? recorded : { ...recorded, reason: `answered as ${recorded.version}` };
};

/** Names in the tables above that no exchange has. */
export const unusedDifferences = (exchanges: readonly Exchange[]): readonly string[] => {
  const names = new Set(exchanges.map(({ name }) => name));
  return [...Object.keys(differences), ...Object.keys(ownMessages)].filter((name) => !names.has(name));
};
