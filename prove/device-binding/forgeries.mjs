// Proofs and registrations of whoever does not hold the key of a session: nothing is accepted but the one that is right.
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { createEngine, parseMasterKeys } from "@pawl/engine";
import { MemoryStorage, millis } from "@pawl/storage";
import { createClock } from "../clock.mjs";
import { userId } from "../identifiers.mjs";

/**
 * @typedef {{ createEngine: typeof createEngine, parseMasterKeys: typeof parseMasterKeys, MemoryStorage: typeof MemoryStorage }} EngineModule
 * @typedef {import("node:crypto").KeyObject} KeyObject
 * @typedef {{ alg: string, privateKey: KeyObject, jwk: Record<string, unknown>, sign: (text: Buffer) => Buffer }} Pair
 * @typedef {Record<string, unknown>} Header
 */

const engineModule = { createEngine, parseMasterKeys, MemoryStorage };
const MINUTE = 60_000;
const MEBIBYTE = 1_048_576;
/** What reading the largest may take, ms. */
const PROMPT = 20;

const encoded = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** @param {string} alg @param {KeyObject} privateKey @param {KeyObject} publicKey @param {string | null} [digest] @returns {Pair} */
const pairOf = (alg, privateKey, publicKey, digest = "sha256") => ({
  alg,
  privateKey,
  jwk: { ...publicKey.export({ format: "jwk" }) },
  sign: (text) => sign(digest, text, { key: privateKey, dsaEncoding: "ieee-p1363" }),
});
const onCurve = (/** @type {string} */ namedCurve) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return pairOf("ES256", privateKey, publicKey);
};
const ofBits = (/** @type {number} */ modulusLength, publicExponent = 65_537) => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength, publicExponent });
  return pairOf("RS256", privateKey, publicKey);
};
const edwards = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return pairOf("EdDSA", privateKey, publicKey, null);
};

/** @param {Header} header @param {unknown} claims @param {(text: Buffer) => Buffer} signature */
const jwt = (header, claims, signature) => {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${signature(Buffer.from(text)).toString("base64url")}`;
};

/** Headers that are not what a browser writes; the first is. @param {Pair} pair @param {Pair[]} others @returns {Header[]} */
const headersOf = ({ alg, jwk }, others) => {
  const good = { alg, typ: "dbsc+jwt" };
  return [
    good,
    ...["JWT", "dbsc", "DBSC+JWT", "dpop+jwt", "at+jwt", "", null, ["dbsc+jwt"], undefined].map((typ) => ({
      ...good,
      typ,
    })),
    ...[
      "none",
      "None",
      "HS256",
      alg === "ES256" ? "RS256" : "ES256",
      "ES384",
      "PS256",
      "EdDSA",
      "",
      null,
      [alg],
      undefined,
    ].map((other) => ({ ...good, alg: other })),
    { ...good, jwk },
    ...others.map((other) => ({ ...good, jwk: other.jwk })),
    { ...good, crit: ["b64"], b64: false },
    { ...good, crit: [] },
    { ...good, crit: ["jti"] },
  ];
};

/** Signatures; the first is right. @param {Pair} pair @param {Pair[]} others @returns {((text: Buffer) => Buffer)[]} */
const signaturesOf = (pair, others) => {
  /** @type {((text: Buffer) => Buffer)[]} */
  const all = [
    pair.sign,
    ...others.map((other) => other.sign),
    () => Buffer.alloc(0),
    () => Buffer.alloc(64),
    () => Buffer.alloc(64, 255),
    (text) => pair.sign(Buffer.concat([text, Buffer.from(".")])),
    (text) => pair.sign(text).subarray(1),
    (text) => Buffer.concat([pair.sign(text), Buffer.alloc(1)]),
    (text) => createHmac("sha256", JSON.stringify(pair.jwk)).update(text).digest(),
  ];
  // RSA has one spelling.
  if (pair.alg === "ES256") all.push((text) => sign("sha256", text, { key: pair.privateKey, dsaEncoding: "der" }));
  return all;
};

/** Texts that look like a challenge. @param {string} challenge */
const spoiled = (challenge) => {
  const bytes = Buffer.from(challenge, "base64url");
  const flipped = [...bytes.keys()].map((at) => {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 1;
    return other.toString("base64url");
  });
  return [...flipped, challenge.slice(0, -1), `${challenge}A`, `${challenge}=`, ` ${challenge}`, "", "AA", "null"];
};

/** Keys that are none to bind to. @param {Pair} good @returns {[string, Pair][]} */
const keysRefused = (good) => {
  const { jwk } = good;
  const wrong = (/** @type {Header} */ change) => ({ ...good, jwk: { ...jwk, ...change } });
  const x = String(jwk["x"]);
  const bytes = Buffer.from(x, "base64url");
  const [rsa, edward] = [ofBits(2048), edwards()];
  return [
    ["RSA of 1024 bits", ofBits(1024)],
    ["RSA of 2040 bits", ofBits(2040)],
    ["RSA with the exponent 3", ofBits(2048, 3)],
    ["RSA said to be ES256", { ...rsa, alg: "ES256" }],
    ["P-256 said to be RS256", { ...good, alg: "RS256" }],
    ["P-384", onCurve("P-384")],
    ["secp256k1", onCurve("secp256k1")],
    [
      "secp256k1 said to be P-256",
      (() => {
        const pair = onCurve("secp256k1");
        return { ...pair, jwk: { ...pair.jwk, crv: "P-256" } };
      })(),
    ],
    ["Ed25519", edward],
    ["Ed25519 said to be ES256", { ...edward, alg: "ES256" }],
    [
      "a point that is not on the curve",
      wrong({ x: Buffer.from(bytes.map((byte, at) => (at === 31 ? byte ^ 1 : byte))).toString("base64url") }),
    ],
    [
      "the point at the origin",
      wrong({ x: Buffer.alloc(32).toString("base64url"), y: Buffer.alloc(32).toString("base64url") }),
    ],
    ["x above the field", wrong({ x: Buffer.alloc(32, 255).toString("base64url") })],
    ["x of 31 bytes", wrong({ x: bytes.subarray(1).toString("base64url") })],
    ["x of 33 bytes", wrong({ x: Buffer.concat([Buffer.alloc(1), bytes]).toString("base64url") })],
    ["x in other base64", wrong({ x: `${x}=` })],
    ["no y", wrong({ y: undefined })],
    ["x as a number", wrong({ x: 1 })],
    ["a symmetric key", { ...good, jwk: { kty: "oct", k: "AAAA" } }],
    ["no key", { ...good, jwk: /** @type {any} */ (undefined) }],
    ["a private key", wrong({ ...good.privateKey.export({ format: "jwk" }) })],
    ["a list", { ...good, jwk: /** @type {any} */ ([jwk]) }],
  ];
};

/** @param {EngineModule} module */
const openStage = async ({ createEngine: create, parseMasterKeys: parse, MemoryStorage: Memory }) => {
  const clock = createClock();
  const storage = new Memory({ clock });
  const masterKeys = parse(Buffer.alloc(32, 7).toString("base64"));
  const policy = { deviceBinding: /** @type {const} */ ("prefer"), reuseWindow: millis(30_000) };
  const engine = await create({ storage, masterKeys, policy });
  const logIn = () => engine.createSession({ userId: userId("user"), form: "pawl", bindable: true });
  return { clock, storage, engine, logIn };
};

/** @typedef {Awaited<ReturnType<typeof openStage>>} Stage @typedef {Awaited<ReturnType<Stage["logIn"]>>} Issued */

/**
 * Tries all of them, as many as wanted.
 * @param {number} limit
 * @param {{ engineModule?: EngineModule, onTry?: (tried: number) => void }} [options]
 */
export const forgeProofs = async (limit, { engineModule: module = engineModule, onTry } = {}) => {
  const stage = await openStage(module);
  const { clock, storage, engine, logIn } = stage;
  const strangers = [onCurve("P-256"), ofBits(2048)];
  /** @type {string[]} */
  const wrong = [];
  let [tried, taken] = [0, 0];
  const stride = (/** @type {number} */ all) => Math.max(1, Math.ceil((2 * all) / limit));

  const register = (
    /** @type {Issued} */ held,
    /** @type {string} */ proof,
    /** @type {string[]} */ refreshTokens = [held.refreshToken.token],
  ) => engine.bindSession({ refreshTokens, proof, form: "pawl" });
  const registration = (
    /** @type {Pair} */ pair,
    /** @type {string | undefined} */ challenge,
    /** @type {Header} */ header = {},
  ) => jwt({ alg: pair.alg, typ: "dbsc+jwt", jwk: pair.jwk, ...header }, { jti: challenge }, pair.sign);
  const bind = async (/** @type {Pair} */ pair) => {
    const held = await logIn();
    const outcome = await register(held, registration(pair, held.registration));
    if (outcome.kind !== "bound" || outcome.issued === undefined)
      throw new Error(`a good registration is ${outcome.kind}`);
    return { ...held, ...outcome.issued };
  };
  const rowOf = (/** @type {Issued} */ { session }) => storage.getSession(/** @type {any} */ (session.handle));

  for (const pair of [onCurve("P-256"), ofBits(2048)]) {
    const held = await bind(pair);
    const { handle } = held.session;
    const other = await bind(onCurve("P-256"));
    const unbound = await logIn();
    // All that can be had elsewhere, and at another time.
    clock.time -= 5 * MINUTE + 1;
    const old = engine.challengeFor(handle);
    clock.time += 10 * MINUTE + 2;
    const early = engine.challengeFor(handle);
    clock.time -= 5 * MINUTE + 1;
    const good = engine.challengeFor(handle);
    const challenges = [
      good,
      old,
      early,
      engine.challengeFor(other.session.handle),
      held.registration,
      unbound.registration,
      undefined,
      null,
      { challenge: good },
      [good],
      ...spoiled(good),
    ];
    const before = JSON.stringify(await rowOf(held));
    const headers = headersOf(pair, strangers);
    const signatures = signaturesOf(pair, strangers);
    const all = challenges.flatMap((challenge) =>
      headers.flatMap((header) => signatures.map((signature) => ({ challenge, header, signature }))),
    );
    const few = all.filter((_, at) => at > 0 && (at % stride(all.length) === 0 || at < signatures.length));
    // One thing wrong at a time, whatever else is tried.
    const singles = [
      ...challenges.slice(1).map((challenge) => ({ challenge, header: headers[0], signature: signatures[0] })),
      ...headers.slice(1).map((header) => ({ challenge: good, header, signature: signatures[0] })),
    ];
    for (const { challenge, header, signature } of [...singles, ...few]) {
      tried += 1;
      onTry?.(tried);
      const proof = jwt(header ?? {}, { jti: challenge }, signature ?? pair.sign);
      const { kind } = await engine.refreshSession({
        refreshToken: held.refreshToken.token,
        boundSession: handle,
        proof,
      });
      if (kind !== "unproven")
        wrong.push(`a refresh is ${kind}: ${JSON.stringify(header)} ${JSON.stringify(challenge)}`);
    }
    if (JSON.stringify(await rowOf(held)) !== before) wrong.push("the row has changed");
    const proof = jwt(headers[0] ?? {}, { jti: good }, pair.sign);
    const { kind } = await engine.refreshSession({
      refreshToken: held.refreshToken.token,
      boundSession: handle,
      proof,
    });
    if (kind !== "refreshed") wrong.push(`the right proof is ${kind}`);
    taken += 1;

    // As a registration.
    const fresh = await logIn();
    clock.time -= 5 * MINUTE + 1;
    const stale = await logIn();
    clock.time += 5 * MINUTE + 1;
    const text = String(fresh.registration);
    const registrations = [
      ...keysRefused(onCurve("P-256")).map(([what, key]) => ({ what, proof: registration(key, text) })),
      ...headersOf(pair, [])
        .slice(1, -4)
        .map((header) => ({ what: JSON.stringify(header), proof: registration(pair, text, header) })),
      ...signaturesOf(pair, strangers)
        .slice(1)
        .map((signature) => ({
          what: "another signature",
          proof: jwt({ alg: pair.alg, typ: "dbsc+jwt", jwk: pair.jwk }, { jti: text }, signature),
        })),
      ...[
        other.registration,
        stale.registration,
        engine.challengeFor(fresh.session.handle),
        undefined,
        ...spoiled(text),
      ].map((challenge) => ({ what: `the challenge ${challenge}`, proof: registration(pair, challenge) })),
      { what: "crit", proof: registration(pair, text, { crit: ["jwk"] }) },
    ];
    for (const { what, proof } of registrations) {
      tried += 1;
      const outcome = await register(fresh, proof);
      if (outcome.kind !== "refused") wrong.push(`a registration is ${outcome.kind}: ${what}`);
    }
    // With the right challenge, and what is not the browser's refresh token.
    const strange = [
      [other.refreshToken.token],
      ["pawl_rt_1.AAAA", other.refreshToken.token],
      [fresh.accessToken.token],
    ];
    for (const refreshTokens of strange) {
      tried += 1;
      const outcome = await register(fresh, registration(pair, text), refreshTokens);
      if (outcome.kind !== "refused") wrong.push(`a registration is ${outcome.kind} with another session's token`);
    }
    if ((await rowOf(fresh))?.bound !== "") wrong.push("a session was bound by a forged registration");
    // 1 MB of whatever.
    for (const huge of ["A".repeat(MEBIBYTE), registration(pair, "A".repeat(MEBIBYTE)), `${".".repeat(MEBIBYTE)}`]) {
      tried += 2;
      const started = performance.now();
      const bound = await register(fresh, huge);
      const refreshed = await engine.refreshSession({
        refreshToken: held.refreshToken.token,
        boundSession: handle,
        proof: huge,
      });
      if (bound.kind !== "refused" || refreshed.kind !== "unproven") wrong.push("1 MB is accepted");
      if (performance.now() - started > PROMPT) wrong.push(`1 MB takes ${Math.round(performance.now() - started)} ms`);
    }
    const outcome = await register(fresh, registration(pair, text));
    if (outcome.kind !== "bound") wrong.push(`the right registration is ${outcome.kind}`);
    taken += 1;
    // Once; and not after a refresh, whoever asks.
    const again = await register(fresh, registration(/** @type {Pair} */ (strangers[0]), text));
    if (again.kind !== "refused") wrong.push("a session is bound twice");

    // A jar that was copied before the registration: whatever its holder signs is over a challenge that is not for it.
    const victim = await logIn();
    const [mine] = strangers;
    const own = await logIn();
    for (const challenge of [
      own.registration,
      engine.challengeFor(victim.session.handle),
      engine.challengeFor(own.session.handle),
      "",
    ]) {
      tried += 1;
      const stolen = await register(victim, registration(/** @type {Pair} */ (mine), challenge));
      if (stolen.kind !== "refused") wrong.push("a copied jar is bound to a key of the thief's");
    }
    clock.time += MINUTE;
    await engine.refreshSession({ refreshToken: victim.refreshToken.token });
    tried += 1;
    const late = await register(victim, registration(/** @type {Pair} */ (mine), victim.registration));
    if (late.kind !== "refused") wrong.push("a jar is bound after a rotation");
  }
  await engine.close();
  return { tried, taken, wrong };
};

/** @type {import("../proofs.mjs").Run} */
export const deviceForgeries = async (limit, _seed, progress) => {
  const onTry = (/** @type {number} */ tried) => tried % 1000 === 0 && progress(tried);
  const { tried, taken, wrong } = await forgeProofs(limit, { onTry });
  for (const story of wrong.slice(0, 5)) console.error(story);
  const note = `proofs and registrations without the key of a session, ES256 and RS256; ${taken} times the right one, taken`;
  return { count: tried, failures: wrong.length, note };
};
