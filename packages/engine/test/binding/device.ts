import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { BindOutcome, IssuedSession, RefreshOutcome, SessionEngine } from "../../src/index.js";

/** What a proof may say otherwise than it should. */
interface ProofParts {
  readonly header?: object;
  readonly claims?: object;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A browser's device with a key of its own. */
export class Device {
  readonly alg: "ES256" | "RS256";
  readonly privateKey: KeyObject;
  readonly jwk: object;

  constructor(alg: "ES256" | "RS256" = "ES256", bits = 2048) {
    const { privateKey, publicKey } =
      alg === "ES256"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("rsa", { modulusLength: bits });
    this.alg = alg;
    this.privateKey = privateKey;
    this.jwk = publicKey.export({ format: "jwk" });
  }

  /** Signs a challenge, as for a refresh. */
  proof(challenge: string, { header = {}, claims = {} }: ProofParts = {}): string {
    const head = encoded({ alg: this.alg, typ: "dbsc+jwt", ...header });
    const signed = `${head}.${encoded({ jti: challenge, ...claims })}`;
    const key = { key: this.privateKey, dsaEncoding: "ieee-p1363" } as const;
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  }

  /** As `proof`, with the key. */
  registration(challenge: string, { header = {}, claims = {} }: ProofParts = {}): string {
    return this.proof(challenge, { header: { jwk: this.jwk, ...header }, claims });
  }
}

/** Binds a session that has just logged in. */
export const bind = (
  engine: SessionEngine,
  session: IssuedSession & { readonly registration?: string | undefined },
  device: Device,
): Promise<BindOutcome> =>
  engine.bindSession({
    refreshTokens: [session.refreshToken.token],
    proof: device.registration(session.registration ?? ""),
    form: "pawl",
  });

/** The tokens of a registration that was accepted. */
export const bound = async (outcome: Promise<BindOutcome>): Promise<IssuedSession> => {
  const answer = await outcome;
  if (answer.kind !== "bound") throw new Error(`expected a bound session: ${answer.message}`);
  if (answer.issued === undefined) throw new Error("expected tokens");
  return answer.issued;
};

/** Refreshes as the browser does that holds the key: with a proof over a new challenge, unless another one is given. */
export const refreshBound = (
  engine: SessionEngine,
  { session, refreshToken }: IssuedSession,
  device: Device,
  challenge = engine.challengeFor(session.handle),
): Promise<RefreshOutcome> =>
  engine.refreshSession({
    refreshToken: refreshToken.token,
    boundSession: session.handle,
    proof: device.proof(challenge),
    form: "pawl",
  });
