import type { PublicSigningKey, SessionEngine } from "@pawl/engine";
import type { SigningKeyKind } from "@pawl/storage";

/** "Never" as the original writes it: Java's `Long.MAX_VALUE`, which does not fit a JavaScript number. */
const NEVER = "9223372036854775807";

/** Which keys are published. */
interface KeySelection {
  readonly keyKind: SigningKeyKind;
  /** Whether all of them are listed, newest first, as CDI 2.9 to 2.20 do. */
  readonly list?: boolean;
}

/**
 * The public key that signs tokens of versions 1 and 2 now and when it is replaced, as members of a JSON object.
 */
export const signingKeyMembers = async (engine: SessionEngine, { keyKind, list }: KeySelection): Promise<string> => {
  const keys = await engine.publishedSigningKeys("RS256", keyKind);
  const active = keys.find(({ status }) => status === "active");
  const members =
    `"jwtSigningPublicKey":${JSON.stringify(active?.publicKey)},` +
    `"jwtSigningPublicKeyExpiryTime":${replacedAt(keys, engine)}`;
  if (list !== true) return members;
  const listed = keys.map(
    (key) =>
      `{"publicKey":${JSON.stringify(key.publicKey)},"expiryTime":${neededUntil(key, engine)},"createdAt":${key.createdAt}}`,
  );
  return `${members},"jwtSigningPublicKeyList":[${listed.join(",")}]`;
};

/** When the active key hands over to the next one, which may not be there yet. */
const replacedAt = (keys: readonly PublicSigningKey[], { policy }: SessionEngine): string => {
  const next = keys.find(({ status }) => status === "next");
  if (next !== undefined) return String(next.signsFrom);
  const active = keys.find(({ status }) => status === "active");
  return active?.kind === "dynamic" ? String(active.signsFrom + policy.signingKeyUpdateInterval) : NEVER;
};

/** Until when a token that a key signed may have to be verified. */
const neededUntil = ({ kind, signsFrom }: PublicSigningKey, { policy }: SessionEngine): string =>
  kind === "dynamic" ? String(signsFrom + policy.signingKeyUpdateInterval + 2 * policy.accessTokenValidity) : NEVER;
