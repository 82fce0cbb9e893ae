// What a forger without a private key can write, and every kind of token in every place: nothing is accepted.
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { accessTokenFormats } from "@pawl/engine";
import { openEngine } from "@pawl/engine/host";
import { MemoryStorage } from "@pawl/storage";
import { loginEverywhere, startProofCore } from "./core.mjs";
import { userId } from "./identifiers.mjs";

const ALGORITHMS = [
  ..."none None nOnE HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K EdDSA dir A128KW".split(
    " ",
  ),
  "",
  null,
  ["none"],
  ["ES256"],
  {},
];
const TYPES = ["JWT", "jwt", "at+jwt", "JOSE", undefined];

/**
 * @typedef {"base64" | "base64url"} Encoding
 * @typedef {Record<string, unknown>} Header
 * @typedef {(text: Buffer, encoding: Encoding) => string} Sign
 * @typedef {import("./core.mjs").ProofCore} ProofCore
 * @typedef {import("./core.mjs").Tokens} Tokens
 */

/** @returns {Header} */
const decode = (/** @type {string} */ part, /** @type {Encoding} */ encoding) =>
  JSON.parse(Buffer.from(part, encoding).toString());

/** Everything that a public key can be spelled as, to serve as an HMAC secret. */
const secretsOf = (/** @type {import("@pawl/engine").KeySet["keys"][number]} */ jwk) => {
  const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
  const spki = key.export({ type: "spki", format: "der" });
  const pkcs1 = jwk.kty === "RSA" ? [key.export({ type: "pkcs1", format: "pem" })] : [];
  const pem = String(key.export({ type: "spki", format: "pem" }));
  return [
    pem,
    pem.trim(),
    ...pkcs1,
    spki,
    spki.toString("base64"),
    JSON.stringify(jwk),
    (jwk.kty === "RSA" ? jwk.n : jwk.x) ?? "",
    jwk.kid,
  ];
};

const strangers = () => ({
  ec: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  k256: generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ed: generateKeyPairSync("ed25519"),
});

/** @type {(make: (text: Buffer) => Buffer) => Sign} */
const signer = (make) => (text, encoding) => make(text).toString(encoding);

/**
 * Signatures over a text: none, of others' keys, of HMACs with what is public, degenerate ones.
 * @param {{ secrets: readonly (string | Buffer)[], keys: ReturnType<typeof strangers>, original: string }} what
 * @returns {Sign[]}
 */
const signaturesOf = ({ secrets, keys, original }) => [
  ...["", "AA", original].map((signature) => () => signature),
  ...secrets.map((secret) => signer((text) => createHmac("sha256", secret).update(text).digest())),
  ...[64, 256].flatMap((size) => [0, 255].map((fill) => signer(() => Buffer.alloc(size, fill)))),
  signer((text) => sign("sha256", text, { key: keys.ec.privateKey, dsaEncoding: "ieee-p1363" })),
  signer((text) => sign("sha256", text, { key: keys.k256.privateKey, dsaEncoding: "ieee-p1363" })),
  signer((text) => sign("sha256", text, keys.rsa.privateKey)),
  signer((text) => sign(null, text, keys.ed.privateKey)),
];

/** Headers of a forger: each algorithm and type, and keys that come with the token. */
/** @param {Header} header @param {ReturnType<typeof strangers>} keys @returns {Header[]} */
const headersOf = (header, keys) => {
  const jwk = keys.ec.publicKey.export({ format: "jwk" });
  const brought = [
    {},
    { jwk },
    { jku: "http://127.0.0.1:1/" },
    { x5u: "http://127.0.0.1:1/", x5c: ["AA"] },
    { crit: ["b64"], b64: false },
  ];
  const names = [header["kid"], "", "../../dev/null", "' OR 1=1 --", "__proto__", undefined];
  return [
    ...ALGORITHMS.flatMap((alg) => TYPES.map((typ) => ({ ...header, alg, typ }))),
    ...brought.flatMap((extra) => names.map((kid) => ({ ...header, ...extra, kid }))),
    ...["1", "2", "3", "4", "5", "6", 5, undefined].map((version) => ({ ...header, version })),
  ];
};

/** @type {import("./proofs.mjs").Run} */
export const forgeries = async (limit, _seed, progress) => {
  const { engine, close } = await openEngine({ storage: new MemoryStorage() });
  const keys = strangers();
  const bases = [];
  for (const { form, algorithms, encoding } of Object.values(accessTokenFormats))
    for (const algorithm of algorithms) {
      const { accessToken } = await engine.createSession({
        userId: userId("user"),
        form,
        algorithm,
        keyKind: "static",
      });
      if ((await engine.verifyAccessToken({ accessToken: accessToken.token })).kind !== "valid")
        throw new Error(`a real ${form} token is refused, so that refusing forged ones says nothing`);
      const [head = "", body = "", original = ""] = accessToken.token.split(".");
      bases.push({ head, body, original, encoding });
    }
  const published = engine.keySet().keys;
  const secrets = ["", "secret", ...published.flatMap(secretsOf)];
  let count = 0;
  const accepted = [];
  const all = bases.flatMap(({ head, body, original, encoding }) =>
    headersOf(decode(head, encoding), keys).flatMap((header) =>
      signaturesOf({ secrets, keys, original }).flatMap((signature) =>
        ["same", "root"].map((user) => ({ header, signature, user, body, encoding, head, original })),
      ),
    ),
  );
  const stride = Math.max(1, Math.floor(all.length / limit));
  for (const { header, signature, user, body, encoding, head, original } of all.filter((_, at) => at % stride === 0)) {
    const encode = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString(encoding);
    const claims = decode(body, encoding);
    const forged = user === "same" ? body : encode({ ...claims, sub: "root", userId: "root", rsub: "root" });
    const signed = `${encode(header)}.${forged}`;
    const accessToken = `${signed}.${signature(Buffer.from(signed), encoding)}`;
    // The original itself, put together again, is no forgery.
    if (accessToken === `${head}.${body}.${original}`) continue;
    count += 1;
    const outcomes = [
      await engine.verifyAccessToken({ accessToken }),
      await engine.confirmAccessToken({ accessToken }),
      await engine.regenerateAccessToken(accessToken),
    ];
    if (outcomes.some(({ kind }) => kind === "valid" || kind === "regenerated")) accepted.push(accessToken);
    if (count % 1000 === 0) progress(count);
  }
  await close();
  for (const token of accepted.slice(0, 5)) console.error(`accepted: ${token}`);
  return {
    count,
    failures: accepted.length,
    note: `${bases.length} kinds of access token; headers, keys and signatures of a forger; of ${all.length} combinations`,
  };
};

/**
 * @typedef {{ status: number, text: string }} Answer
 *
 * @typedef {object} Place
 * @property {(core: ProofCore, token: string) => Promise<Answer>} ask
 * @property {(answer: Answer) => boolean} takes whether the token was taken for a good one
 * @property {string} kind of the tokens that belong there
 */

/** Places of the core that take a token. @type {(owner: Tokens) => Record<string, Place>} */
const places = (owner) => {
  const cdi = { "cdi-version": "5.4" };
  const flags = { enableAntiCsrf: false, doAntiCsrfCheck: false, checkDatabase: true, useDynamicSigningKey: true };
  const isOk = (/** @type {Answer} */ { status, text }) => status === 200 && /"status":"OK"/.test(text);
  const isAnswered = (/** @type {Answer} */ { status }) => status === 200;
  /** @type {(kind: string, path: string, more?: object) => Place} */
  const place = (kind, path, more = {}) => ({
    ask: (core, token) =>
      core.send("POST", path, { body: { [kind]: token, ...more }, headers: path.startsWith("/recipe") ? cdi : {} }),
    takes: path.startsWith("/v1") ? isAnswered : isOk,
    kind: kind.replace("Token", ""),
  });
  const antiCsrf = { ...flags, accessToken: owner.access, enableAntiCsrf: true, doAntiCsrfCheck: true };
  return {
    "1.0 verify": place("accessToken", "/session/verify", flags),
    "cdi verify": place("accessToken", "/recipe/session/verify", flags),
    "cdi regenerate": place("accessToken", "/recipe/session/regenerate"),
    "/v1 verify": place("accessToken", "/v1/sessions/verify"),
    "/v1 regenerate": place("accessToken", "/v1/sessions/regenerate"),
    "1.0 refresh": place("refreshToken", "/session/refresh"),
    "cdi refresh": place("refreshToken", "/recipe/session/refresh", flags),
    "/v1 refresh": place("refreshToken", "/v1/sessions/refresh"),
    "anti-CSRF": place("antiCsrfToken", "/recipe/session/verify", antiCsrf),
    handle: {
      ask: (core, token) => core.send("GET", `/v1/sessions/${encodeURIComponent(token)}`),
      takes: isAnswered,
      kind: "handle",
    },
  };
};

/** @type {import("./proofs.mjs").Run} */
export const substitutions = async () => {
  const core = await startProofCore();
  const { sessions, newest } = await loginEverywhere(core);
  const jwt = await core.send("POST", "/recipe/jwt", {
    headers: { "cdi-version": "5.4" },
    body: {
      payload: { sub: "user" },
      algorithm: "RS256",
      jwksDomain: "http://localhost",
      validity: 1000,
      useStaticSigningKey: true,
    },
  });
  const tokens = [
    ...Object.entries(sessions).flatMap(([from, held]) =>
      Object.entries(held).map(([kind, token]) => ({ from, kind, token })),
    ),
    { from: "/recipe/jwt", kind: "application's JWT", token: JSON.parse(jwt.text).jwt },
  ].filter(({ token }) => typeof token === "string");
  const wrong = [];
  let count = 0;
  let own = 0;
  for (const [place, { ask, takes, kind }] of Object.entries(places(newest)))
    for (const token of tokens) {
      const isTaken = takes(await ask(core, token.token));
      count += 1;
      const isOwn = token.kind === kind && (kind !== "antiCsrf" || token.token === newest.antiCsrf);
      if (isOwn) own += 1;
      if (isTaken !== isOwn) wrong.push(`${token.kind} of ${token.from} ${isTaken ? "taken" : "refused"} as ${place}`);
    }
  await core.close();
  for (const story of wrong.slice(0, 10)) console.error(story);
  return {
    count,
    failures: wrong.length,
    note: `${tokens.length} tokens of ${new Set(tokens.map(({ kind }) => kind)).size} kinds and 8 dialects; ${own} times the right one, taken`,
  };
};
