import type { KeyObject } from "node:crypto";
import type { Millis, SigningAlgorithm } from "@pawl/storage";
import type { AccessTokenClaims, AccessTokenForm, JsonObject } from "../session.js";

/** The name of a key in a token's header. */
export interface TokenKeyName {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
}

/** One way to write an access token. A further form is a further entry of `accessTokenFormats`. */
export interface AccessTokenFormat {
  readonly form: AccessTokenForm;
  /** The `version` and the `typ` that stand in the header. */
  readonly version: string;
  readonly typ: "JWT" | "at+jwt";
  readonly encoding: "base64" | "base64url";
  /** What may sign it; where another one is asked for, the first does. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  /** Times are cut to whole multiples of this. */
  readonly timeUnit: Millis;
  /** Names that a payload may not have, because they would stand beside the token's own claims. */
  readonly protectedClaims: ReadonlySet<string>;
  /** The encoded header part: made for the key that it names, or one literal text, where any published key may have signed. */
  readonly header: string | ((key: TokenKeyName) => string);
  /** The body as JSON text. `payloadText` is the payload as JSON, where it has been written already. */
  body(claims: AccessTokenClaims, payloadText?: string): string;
  /** @returns undefined when the body lacks a claim, or one has the wrong type. */
  claims(body: JsonObject): AccessTokenClaims | undefined;
}

/** A key that signs access tokens, prepared: nothing is parsed or encoded twice. */
export interface AccessTokenSigner extends TokenKeyName {
  readonly privateKey: KeyObject;
  /** Encoded header parts; only for the formats that allow the key's algorithm. */
  readonly headers: ReadonlyMap<AccessTokenFormat, string>;
}

/** Whether a parsed JSON value is an object: neither null nor an array. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads a decimal sequence number. @returns undefined for anything else. */
export const parseSeq = (value: unknown): number | undefined =>
  typeof value === "string" && /^(?:0|[1-9]\d{0,14})$/.test(value) ? Number(value) : undefined;

const LINEAGE = /^(0|[1-9]\d{0,14})(?:v([1-9]\d{0,14}))?$/;

type Lineage = Pick<AccessTokenClaims, "seq" | "payloadVersion">;

/**
 * What stands in `refreshTokenHash1`, which is opaque to every SDK: the sequence number, and the payload's version where
 * there is one (`7v2`). Any other name may be the application's own in the forms that SDKs of SuperTokens read.
 */
export const lineageText = ({ seq, payloadVersion }: Lineage): string =>
  payloadVersion === 0 ? String(seq) : `${seq}v${payloadVersion}`;

/** Reads what `lineageText` wrote. @returns undefined for anything else. */
export const parseLineage = (value: unknown): Lineage | undefined => {
  const [, seq, version = "0"] = (typeof value === "string" && LINEAGE.exec(value)) || [];
  return seq === undefined ? undefined : { seq: Number(seq), payloadVersion: Number(version) };
};
