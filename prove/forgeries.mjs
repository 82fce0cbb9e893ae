// What a forger without a private key can write, and every kind of token in every place: nothing is accepted.
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { openEngine } from "@pawl/engine/host";
import { MemoryStorage } from "@pawl/storage";
import { loginEverywhere, startProofCore } from "./core.mjs";

const ALGORITHMS = [
  "none",
  "None",
  "nOnE",
  "",
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
].concat(["PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "dir", "A128KW", null, ["none"], ["ES256"], {}]);
const TYPES = ["JWT", "jwt", "at+jwt", "JOSE", undefined];

const decode = (part, encoding) => JSON.parse(Buffer.from(part, encoding).toString());

/** Everything that a public key can be spelled as, to serve as an HMAC secret. */
const secretsOf = (jwk) => {
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const spki = key.export({ type: "spki", format: "der" });
  const pkcs1 = jwk.kty === "RSA" ? [key.export({ type: "pkcs1", format: "pem" })] : [];
  const pem = key.export({ type: "spki", format: "pem" });
  return [pem, pem.trim(), ...pkcs1, spki, spki.toString("base64"), JSON.stringify(jwk), jwk.n ?? jwk.x, jwk.kid];
};

const strangers = () => ({
  ec: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  k256: generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ed: generateKeyPairSync("ed25519"),
});

/** Signatures over a text: none, of others' keys, of HMACs with what is public, degenerate ones. */
const signaturesOf = ({ secrets, keys, original }) => [
  ...["", "AA", original].map((signature) => () => signature),
  ...secrets.map((secret) => (text, encoding) => createHmac("sha256", secret).update(text).digest(encoding)),
  ...[64, 256].flatMap((size) => [0, 255].map((fill) => (_, encoding) => Buffer.alloc(size, fill).toString(encoding))),
  (text, encoding) => sign("sha256", text, { key: keys.ec.privateKey, dsaEncoding: "ieee-p1363" }).toString(encoding),
  (text, encoding) => sign("sha256", text, { key: keys.k256.privateKey, dsaEncoding: "ieee-p1363" }).toString(encoding),
  (text, encoding) => sign("sha256", text, keys.rsa.privateKey).toString(encoding),
  (text, encoding) => sign(null, text, keys.ed.privateKey).toString(encoding),
];

/** Headers of a forger: each algorithm and type, and keys that come with the token. */
const headersOf = (header, keys) => {
  const jwk = keys.ec.publicKey.export({ format: "jwk" });
  const brought = [
    {},
    { jwk },
    { jku: "http://127.0.0.1:1/" },
    { x5u: "http://127.0.0.1:1/", x5c: ["AA"] },
    { crit: ["b64"], b64: false },
  ];
  const names = [header.kid, "", "../../dev/null", "' OR 1=1 --", "__proto__", undefined];
  return [
    ...ALGORITHMS.flatMap((alg) => TYPES.map((typ) => ({ ...header, alg, typ }))),
    ...brought.flatMap((extra) => names.map((kid) => ({ ...header, ...extra, kid }))),
    ...["1", "2", "3", "4", "5", "6", 5, undefined].map((version) => ({ ...header, version })),
  ];
};

export const forgeries = async (limit, _seed, progress) => {
  const { engine, close } = await openEngine({ storage: new MemoryStorage() });
  const keys = strangers();
  const bases = [];
  for (const form of ["v1", "v2", "v3", "v4", "v5"])
    for (const algorithm of ["v1", "v2"].includes(form) ? ["RS256"] : ["RS256", "ES256"]) {
      const { accessToken } = await engine.createSession({ userId: "user", form, algorithm, keyKind: "static" });
      if ((await engine.verifyAccessToken({ accessToken: accessToken.token })).kind !== "valid")
        throw new Error(`a real ${form} token is refused, so that refusing forged ones says nothing`);
      const encoding = ["v1", "v2"].includes(form) ? "base64" : "base64url";
      bases.push({ parts: accessToken.token.split("."), encoding });
    }
  const published = engine.keySet().keys;
  const secrets = ["", "secret", ...published.flatMap(secretsOf)];
  let count = 0;
  const accepted = [];
  const all = bases.flatMap(({ parts: [head, body, original], encoding }) =>
    headersOf(decode(head, encoding), keys).flatMap((header) =>
      signaturesOf({ secrets, keys, original }).flatMap((signature) =>
        ["same", "root"].map((user) => ({ header, signature, user, body, encoding, head, original })),
      ),
    ),
  );
  const stride = Math.max(1, Math.floor(all.length / limit));
  for (let at = 0; at < all.length; at += stride) {
    const { header, signature, user, body, encoding, head, original } = all[at];
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString(encoding);
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

/** Places of the core that take a token, each with what its answer says when it was taken for a good one. */
const places = (owner) => {
  const cdi = { "cdi-version": "5.4" };
  const flags = { enableAntiCsrf: false, doAntiCsrfCheck: false, checkDatabase: true, useDynamicSigningKey: true };
  const isOk = ({ status, text }) => status === 200 && /"status":"OK"/.test(text);
  const isAnswered = ({ status }) => status === 200;
  const post = (path, body, headers) => (core, token) => core.send("POST", path, { body: body(token), headers });
  return {
    "1.0 verify": [post("/session/verify", (accessToken) => ({ accessToken, ...flags })), isOk, "access"],
    "cdi verify": [post("/recipe/session/verify", (accessToken) => ({ accessToken, ...flags }), cdi), isOk, "access"],
    "cdi regenerate": [post("/recipe/session/regenerate", (accessToken) => ({ accessToken }), cdi), isOk, "access"],
    "/v1 verify": [post("/v1/sessions/verify", (accessToken) => ({ accessToken })), isAnswered, "access"],
    "/v1 regenerate": [post("/v1/sessions/regenerate", (accessToken) => ({ accessToken })), isAnswered, "access"],
    "1.0 refresh": [post("/session/refresh", (refreshToken) => ({ refreshToken })), isOk, "refresh"],
    "cdi refresh": [
      post("/recipe/session/refresh", (refreshToken) => ({ refreshToken, ...flags }), cdi),
      isOk,
      "refresh",
    ],
    "/v1 refresh": [post("/v1/sessions/refresh", (refreshToken) => ({ refreshToken })), isAnswered, "refresh"],
    "anti-CSRF": [
      post(
        "/recipe/session/verify",
        (antiCsrfToken) => ({
          ...flags,
          accessToken: owner.access,
          antiCsrfToken,
          enableAntiCsrf: true,
          doAntiCsrfCheck: true,
        }),
        cdi,
      ),
      isOk,
      "antiCsrf",
    ],
    handle: [(core, token) => core.send("GET", `/v1/sessions/${encodeURIComponent(token)}`), isAnswered, "handle"],
  };
};

export const substitutions = async () => {
  const core = await startProofCore();
  const sessions = await loginEverywhere(core);
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
  for (const [place, [ask, takes, kind]] of Object.entries(places(sessions["cdi 5.4"])))
    for (const token of tokens) {
      const isTaken = takes(await ask(core, token.token));
      count += 1;
      const isOwn = token.kind === kind && (kind !== "antiCsrf" || token.token === sessions["cdi 5.4"].antiCsrf);
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
