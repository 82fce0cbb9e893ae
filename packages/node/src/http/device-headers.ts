import type { Exchange } from "./exchange.js";

/* Headers of Device Bound Session Credentials (DBSC), which are structured fields (RFC 9651). */

/** Algorithms of keys that are taken, the preferred one first. */
const ALGORITHMS = "(ES256 RS256)";

/** RFC 9651 section 4.1.6: what is written here is ASCII. */
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/gu, String.raw`\$&`)}"`;

/** Handles and JWTs; Chromium 156 writes them bare, where the draft has a text in quotes. */
const textOf = (value = ""): string | undefined => /^ *("?)([\w.-]{1,4096})\1 *(?:;.*)?$/u.exec(value)?.[2];

/** Has the browser make a key for the session of this answer, and bring it to the path, signed over the challenge. */
export const offerRegistration = (exchange: Exchange, challenge: string, path: string): void =>
  exchange.setHeader(
    "Secure-Session-Registration",
    `${ALGORITHMS};path=${quoted(path)};challenge=${quoted(challenge)}`,
  );

/** Gives the browser what it has to sign at its next refresh; with the status 403, at once. */
export const giveChallenge = (exchange: Exchange, challenge: string, handle: string): void =>
  exchange.setHeader("Secure-Session-Challenge", `${quoted(challenge)};id=${quoted(handle)}`);

/** The bound session for which the browser itself asks; no page can set this header. */
export const askedSession = (exchange: Exchange): string | undefined =>
  textOf(exchange.header("sec-secure-session-id"));

/** What the browser's key has signed: a JWT. */
export const deviceProof = (exchange: Exchange): string | undefined =>
  textOf(exchange.header("secure-session-response"));

/** How many sessions a request may name as skipped; a browser has one, or two around a login. */
const MOST_SKIPPED = 8;

/** Bound sessions that the browser could not refresh for this request: the server or the network did not answer, or a quota is used up. */
export const skippedSessions = (exchange: Exchange): readonly string[] => {
  const header = exchange.header("secure-session-skipped") ?? "";
  return [...header.matchAll(/;session_identifier="?([\w-]{1,128})/gu)].slice(0, MOST_SKIPPED).map(([, id = ""]) => id);
};
