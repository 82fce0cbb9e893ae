import { bytesOf, claimsOf, textOf } from "./access-token.js";
import { authorized, demand, readText } from "./answers.js";
import { type Change, followFeed } from "./feed.js";
import { createKeys, isWorkers } from "./key-set.js";
import type { VerifierOptions } from "./options.js";
import { type UnknownReason, unknown, type Verification } from "./outcome.js";
import { type PresentedRequest, presentedToken } from "./presented-token.js";
import { LONGEST, MOST_TOKENS, SKEW, TOLERANCE } from "./limits.js";

export interface Verifier<Payload extends object> {
  /**
   * The session of an access token, or of a request: its `Authorization: Bearer`, or its cookie. Never rejects for what a
   * client may send.
   */
  verify(presented: string | PresentedRequest): Promise<Verification<Payload>>;
  /** Lets go of the feed, which otherwise keeps a process alive. */
  close(): void;
}

/** A header as we write it: nothing else stands in it, and nothing twice. */
const HEADER = /^{"alg":"(.S256)","typ":"(?:JWT|at\+jwt(?=.{13}p))","version":"(4|5|pawl)","kid":"([\w-]+)"}$/;

/**
 * Verifies access tokens of Pawl, with nothing but WebCrypto and `fetch`.
 * @throws TypeError for what a runtime cannot or should not do.
 * @example
 * const verifier = createVerifier({ keys: "https://core.example.com/v1/jwks" });
 * const found = await verifier.verify(request);
 * if (found.kind !== "valid") return new Response(null, { status: found.status });
 * return new Response(`Hello ${found.session.userId}`);
 */
export const createVerifier = <Payload extends object = Readonly<Record<string, unknown>>>(
  options: VerifierOptions,
): Verifier<Payload> => {
  const { issuer, audience, introspect, clock = Date } = options;
  const isBrowser = globalThis.navigator?.userAgent?.startsWith("Mozilla");
  if (options.feed ? isBrowser || isWorkers() : introspect && isBrowser)
    throw new TypeError("no API key in browsers, no feed in Workers");
  const findKeys = createKeys(options.keys, clock);
  const feed = options.feed && followFeed(options.feed, clock);

  return {
    async verify(presented) {
      const token = typeof presented === "string" ? presented : presentedToken(presented, options);
      if (typeof token !== "string") return token;
      /** What it means when what comes next fails. */
      let why: UnknownReason = "unavailable";
      try {
        let keys = await findKeys();
        let known = keys.seen.get(token);
        if (!known) {
          why = "malformed";
          demand(token.length < LONGEST);
          const [, head, body, signature] = token.match(/^([\w-]+)\.([\w-]+)\.([\w-]+)$/) as readonly string[];
          why = "unsupported_header";
          const [, alg, version, kid] = textOf(head!).match(HEADER) as readonly string[];
          why = "unavailable";
          keys = await findKeys(alg! + kid);
          why = "unknown_key";
          const isSignature = keys.byName.get(alg! + kid);
          demand(isSignature);
          why = "bad_signature";
          demand(await isSignature(bytesOf(signature!), new TextEncoder().encode(`${head}.${body}`)));
          known = { body: textOf(body!), version: version! };
          if (keys.seen.size > MOST_TOKENS) keys.seen.clear();
          keys.seen.set(token, known);
        }
        why = "incomplete";
        const { session, payloadVersion, iss, aud } = claimsOf(known.body, known.version);
        const now = clock.now();
        why = "unavailable";
        demand(session.issuedAt - now < TOLERANCE, "the clock is behind");
        why = "expired";
        demand(now < session.expiresAt);
        why = "wrong_issuer";
        demand(issuer === undefined || iss === issuer);
        why = "wrong_audience";
        demand(audience === undefined ? aud === undefined : [aud].flat().includes(audience));
        await feed?.ready;
        const { at, payloadVersion: least } = feed?.heard.get(session.handle) ?? ({} as Partial<Change>);
        if (at === Infinity) return { kind: "ended", why: "revoked", status: 401 };
        why = "outdated";
        // Beyond the skew of clocks the time decides, within it the version: a store that loses commits gives one twice.
        demand(!(session.issuedAt - at! <= (payloadVersion < least! ? SKEW : -SKEW - 1)));
        if (introspect) {
          why = "unavailable";
          if (!(Math.abs(now - known.askedAt!) < introspect.cacheFor)) {
            const answer = await readText(introspect.url, {
              method: "POST",
              headers: authorized(introspect.key),
              body: new URLSearchParams({ token }),
            });
            const { active } = JSON.parse(answer) as { readonly active: unknown };
            demand(typeof active === "boolean");
            known.isActive = active;
            known.askedAt = now;
          }
          why = "inactive";
          demand(known.isActive);
        }
        const revocation = introspect || feed?.stands() ? "checked" : "not checked";
        return { kind: "valid", session: session as never, revocation, cause: feed?.cause };
      } catch (cause) {
        return unknown(why, cause);
      }
    },
    close: () => feed?.close(),
  };
};
