import type { VerifierOptions } from "./options.js";
import { type Unknown, unknown } from "./outcome.js";

/** What is looked at of a request: any `Request` has it. */
export interface PresentedRequest {
  readonly method: string;
  readonly headers: { get(name: string): string | null };
}

/**
 * The access token of a request: its `Authorization: Bearer` (RFC 6750 section 2.1), else its cookie. A cookie does not count
 * where the method is unsafe and a browser says that a page of another origin had a hand in it.
 */
export const presentedToken = (
  { method, headers }: PresentedRequest,
  { cookie = "__Host-pawl-access", origins = [] }: VerifierOptions,
): string | Unknown => {
  const bearer = headers.get("authorization")?.match(/^Bearer +(\S+)$/i)?.[1];
  if (bearer) return bearer;
  // Space and tab only: a wider pattern would make another site's cookie one with the prefix.
  const pair = headers
    .get("cookie")
    ?.split(/;[ \t]*/)
    .find((pair) => pair.startsWith(`${cookie}=`));
  if (!pair) return unknown("no_token");
  const site = headers.get("sec-fetch-site");
  const origin = site === "same-origin" ? null : (headers.get("origin") ?? site);
  if (origin && !origins.includes(origin) && !/^(GET|HEAD|OPTIONS)$/.test(method)) return unknown("other_site");
  return pair.slice(cookie.length + 1);
};
