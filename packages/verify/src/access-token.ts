import { demand } from "./answers.js";
import type { VerifiedSession } from "./outcome.js";

/** The bytes of base64url in its one canonical spelling. @throws for any other. */
export const bytesOf = (part: string): Uint8Array<ArrayBuffer> => {
  const standard = part.replaceAll("-", "+").replaceAll("_", "/");
  const text = atob(standard);
  demand(btoa(text).replace(/=+$/, "") === standard);
  return new Uint8Array(text.length).map((_, at) => text.charCodeAt(at));
};

export const textOf = (part: string): string => new TextDecoder().decode(bytesOf(part));

/** The members that are no payload: in version 4 the first eight, in 5 one more, in `pawl` all. */
const OWN_CLAIMS =
  "sub iat exp sessionHandle refreshTokenHash1 parentRefreshTokenHash1 antiCsrfToken tId rsub sid iss aud jti client_id act auth_time amr acr pver dbsc";

/** What an access token says. */
export interface Claims {
  readonly session: VerifiedSession<object>;
  readonly payloadVersion: number;
  readonly iss: unknown;
  readonly aud: unknown;
}

/** Claims as our core writes them. */
interface Body {
  readonly sub: string;
  readonly tId: string;
  readonly iat: number;
  readonly exp: number;
  readonly sessionHandle: string;
  readonly refreshTokenHash1: string;
  readonly sid: string;
  readonly pver: number;
  readonly act?: { readonly sub: string };
  readonly auth_time?: number;
  readonly amr?: readonly string[];
  readonly acr?: string;
  readonly iss: unknown;
  readonly aud: unknown;
}

/** Reads a body as the `version` in its header says. @throws where a claim is missing, or has the wrong type. */
export const claimsOf = (text: string, version: string): Claims => {
  const body = JSON.parse(text) as Body & Record<string, unknown>;
  const { sub, tId, iat, exp, sessionHandle, refreshTokenHash1 } = body;
  // A sequence number, and the payload's version where there is one.
  const counted = +(/v(\d+)$/.exec(refreshTokenHash1)?.[1] ?? 0);
  const {
    sid = sessionHandle,
    pver = counted,
    act,
    auth_time,
    amr = [],
    acr,
    iss,
    aud,
  } = (version === "pawl" ? body : {}) as Partial<Body>;
  demand([sub, sid, tId, act === undefined ? "" : act?.sub].every((value) => typeof value === "string"));
  demand([iat, exp, pver].every(Number.isSafeInteger));
  for (const name of OWN_CLAIMS.split(" ").slice(0, 4 + +version || 99)) delete body[name];
  return {
    session: {
      userId: sub,
      handle: sid,
      tenantId: tId,
      payload: body,
      auth: (auth_time && { at: auth_time * 1000, methods: amr, level: acr }) as VerifiedSession<object>["auth"],
      actor: act && { userId: act.sub },
      // Only the second is known: age counts from its end, so that no token seems older than it is.
      issuedAt: (iat + 1) * 1000,
      expiresAt: exp * 1000,
    },
    payloadVersion: pver,
    iss,
    aud,
  };
};
