import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Millis } from "@pawl/storage";
import { issueAccessToken } from "../../src/tokens/access-token.js";
import { createKeySet } from "../../src/keys/key-set.js";
import type { TryRefreshReason } from "../../src/session.js";
import { claimsAt, type TokenKey } from "../token-fixtures.js";

/** Tokens that have to be refused, for one reason. Each is a published vulnerability or a rule of RFC 8725. */
export interface Forgeries {
  readonly rule: string;
  readonly name: string;
  readonly tokens: readonly string[];
  /** Why the engine refuses each, where it is the same for all. */
  readonly why?: TryRefreshReason | undefined;
}

export interface RealTokens {
  /** Signed with RSA. */
  readonly v1: string;
  readonly rsaV5: string;
  /** Signed with ES256. */
  readonly v5: string;
  readonly pawl: string;
  /** The same as an access token of RFC 9068. */
  readonly oauth: string;
}

/** An RSA key and a key for ES256, by these names. */
export interface ForgersTarget {
  readonly rsa: TokenKey;
  readonly ec: TokenKey;
  readonly real: RealTokens;
}

export const realTokensAt = (now: Millis, { rsa, ec }: Pick<ForgersTarget, "rsa" | "ec">): RealTokens => ({
  v1: issueAccessToken(claimsAt(now, "v1"), rsa.signer).token,
  rsaV5: issueAccessToken(claimsAt(now, "v5"), rsa.signer).token,
  v5: issueAccessToken(claimsAt(now, "v5"), ec.signer).token,
  pawl: issueAccessToken(claimsAt(now, "pawl"), ec.signer).token,
  oauth: issueAccessToken(
    claimsAt(now, "pawl", {
      oauth: { issuer: "https://a.example", audience: ["b"], clientId: "b", tokenId: "1" },
    }),
    ec.signer,
  ).token,
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const withSignature = (signed: string, signature: Buffer): string => `${signed}.${signature.toString("base64url")}`;
const partsOf = (token: string): readonly [string, string, string] =>
  token.split(".") as unknown as readonly [string, string, string];

export const headerOf = (key: TokenKey): object => ({
  alg: key.signer.algorithm,
  typ: "JWT",
  version: "5",
  kid: key.signer.kid,
});

/** A token with any header, signed with any key. */
export const signedBy = (privateKey: KeyObject, header: object, body: string): string =>
  signedText(privateKey, JSON.stringify(header), body);

/** A token with any text as its header, signed with any key. */
export const signedText = (privateKey: KeyObject, header: string, body: string): string => {
  const signed = `${Buffer.from(header).toString("base64url")}.${body}`;
  return withSignature(signed, sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }));
};

/** All that a forger without a private key may try, and what a careless issuer might sign. */
export const forge = (target: ForgersTarget): readonly Forgeries[] => [
  ...noAlgorithm(target),
  ...otherAlgorithms(target),
  ...broughtKeys(target),
  ...keyNames(target),
  ...headers(target),
  ...signatures(target),
  ...damaged(target),
];

const noAlgorithm = ({ rsa, ec, real }: ForgersTarget): readonly Forgeries[] => {
  const [, body, signature] = partsOf(real.v5);
  const algorithms: readonly unknown[] = [
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    null,
    undefined,
    0,
    [],
    ["none"],
    ["ES256"],
    {},
  ];
  return algorithms.map((alg) => ({
    rule: "no algorithm (CVE-2015-9235)",
    name: String(JSON.stringify(alg)),
    tokens: [rsa, ec].flatMap((key) => {
      const signed = `${encode({ ...headerOf(key), alg })}.${body}`;
      return [`${signed}.`, `${signed}.${signature}`, `${signed}.AA`, signed];
    }),
  }));
};

/** What a public key can be spelled as, to serve as the secret of an HMAC. */
const secretsOf = ({ publicKey, verification }: TokenKey): readonly (string | Buffer)[] => {
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const der = publicKey.export({ type: "spki", format: "der" });
  const jwk = createKeySet([verification]).keys[0];
  const rsaOnly =
    publicKey.asymmetricKeyType === "rsa"
      ? [publicKey.export({ type: "pkcs1", format: "pem" }), publicKey.export({ type: "pkcs1", format: "der" })]
      : [];
  const point =
    jwk?.x === undefined
      ? []
      : [
          Buffer.from(jwk.x, "base64url"),
          Buffer.concat([Buffer.of(4), Buffer.from(jwk.x, "base64url"), Buffer.from(jwk.y ?? "", "base64url")]),
        ];
  return [
    pem,
    pem.trimEnd(),
    pem.replaceAll("\n", ""),
    pem.replace(/-----[^-]+-----/g, "").replaceAll("\n", ""),
    der,
    der.toString("base64"),
    der.toString("base64url"),
    der.toString("hex"),
    JSON.stringify(jwk),
    JSON.stringify(publicKey.export({ format: "jwk" })),
    JSON.stringify({ keys: [jwk] }),
    jwk?.n ?? jwk?.x ?? "",
    Buffer.from(jwk?.n ?? jwk?.x ?? "", "base64url"),
    ...rsaOnly,
    ...point,
  ];
};

const otherAlgorithms = ({ rsa, ec, real }: ForgersTarget): readonly Forgeries[] => {
  const rule = "the header choosing the algorithm (CVE-2022-23540, CVE-2023-48223, CVE-2026-22817, CVE-2026-22818)";
  const keys = [rsa, ec];
  const [, body] = partsOf(real.v5);
  const [v1Header, v1Body] = partsOf(real.v1);
  const secrets = [...keys.flatMap(secretsOf), "", "\0", "secret"];
  const macs = [
    ["HS256", "sha256"],
    ["HS384", "sha384"],
    ["HS512", "sha512"],
    ["RS256", "sha256"],
    ["ES256", "sha256"],
  ] as const;
  const algorithms = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K EdDSA dir".split(" ");
  return [
    ...macs.map(([alg, digest]) => ({
      rule,
      name: `${alg} with a public key in any form as the secret of an HMAC`,
      tokens: keys.flatMap((key) => {
        const signed = `${encode({ ...headerOf(key), alg })}.${body}`;
        return secrets.map((secret) => withSignature(signed, createHmac(digest, secret).update(signed).digest()));
      }),
    })),
    {
      rule,
      name: "an HMAC under the literal header of version 1",
      tokens: secrets.map((secret) => {
        const mac = createHmac("sha256", secret).update(`${v1Header}.${v1Body}`).digest("base64");
        return `${v1Header}.${v1Body}.${mac}`;
      }),
    },
    ...algorithms.map((alg) => ({
      rule,
      name: `${alg} for a key of another algorithm, though the key's owner signed it`,
      tokens: keys
        .filter((key) => key.signer.algorithm !== alg)
        .map((key) => signedBy(key.privateKey, { ...headerOf(key), alg }, body)),
      why: "unsupported_header" as const,
    })),
    {
      rule,
      name: "one key's signature under the other key's name",
      tokens: [signedBy(rsa.privateKey, headerOf(ec), body), signedBy(ec.privateKey, headerOf(rsa), body)],
      why: "bad_signature",
    },
  ];
};

const broughtKeys = ({ ec, real }: ForgersTarget): readonly Forgeries[] => {
  const forger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kid } = ec.signer;
  const jwk = { ...forger.publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" };
  const certificate = forger.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const [, body] = partsOf(real.v5);
  const brought: readonly (readonly [string, object])[] = [
    ["jwk", { jwk }],
    ["jku", { jku: "http://127.0.0.1:1/jwks.json" }],
    ["x5u", { x5u: "http://127.0.0.1:1/key.pem" }],
    ["x5c", { x5c: [certificate] }],
    ["kid as a key", { kid: jwk }],
    ["kid as a URL", { kid: "http://127.0.0.1:1/jwks.json" }],
    ["all", { jwk, jku: "http://127.0.0.1:1/", x5u: "http://127.0.0.1:1/", x5c: [certificate] }],
  ];
  return brought.map(([name, added]) => ({
    rule: "a key that comes with the token (CVE-2018-0114)",
    name,
    tokens: [kid, "forged"].map((named) =>
      signedBy(forger.privateKey, { ...headerOf(ec), kid: named, ...added }, body),
    ),
  }));
};

const keyNames = ({ ec, real }: ForgersTarget): readonly Forgeries[] => {
  const rule = "key names";
  const { kid } = ec.signer;
  const [, body] = partsOf(real.v5);
  const named = (value: unknown): string => signedBy(ec.privateKey, { ...headerOf(ec), kid: value }, body);
  const names = [
    "../../../../dev/null",
    "/dev/null",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "' OR '1'='1",
    "x' UNION SELECT 'key' --",
    "$(id)",
    "`id`",
    `${kid}\0`,
    `${kid} `,
    ` ${kid}`,
    kid.toUpperCase(),
    kid.replace("-", "-0"),
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "",
    "0",
    "\uD800",
    "x".repeat(10_000),
  ];
  const nameless: readonly unknown[] = [null, undefined, 1, true, [kid], { kid }, { toString: kid }];
  const inherited = `{"__proto__":${JSON.stringify(headerOf(ec))}}`;
  return [
    ...names.map((name) => ({
      rule,
      name: `${JSON.stringify(name).slice(0, 60)} is no key of ours`,
      tokens: [named(name)],
      why: "unknown_key" as const,
    })),
    ...nameless.map((name) => ({
      rule,
      name: `${JSON.stringify(name)} names none at all`,
      tokens: [named(name)],
      why: "unsupported_header" as const,
    })),
    {
      rule,
      name: "a member __proto__ of the header stands for nothing",
      tokens: [signedText(ec.privateKey, inherited, body)],
      why: "unsupported_header",
    },
  ];
};

const headers = ({ rsa, ec, real }: ForgersTarget): readonly Forgeries[] => {
  const rule = "headers that we would not write, though well signed";
  const why = "unsupported_header";
  const keys = [rsa, ec];
  const [, body] = partsOf(real.v5);
  const changes: readonly (readonly [string, object])[] = [
    ["crit (CVE-2026-35042)", { crit: ["exp"] }],
    ["an unknown crit", { crit: ["urn:unknown"], "urn:unknown": true }],
    ["an empty crit", { crit: [] }],
    ["crit null", { crit: null }],
    ["crit b64", { crit: ["b64"], b64: false }],
    ["no typ", { typ: undefined }],
    ["another typ", { typ: "at+jwt" }],
    ["typ in lower case", { typ: "jwt" }],
    ["typ as a list", { typ: ["JWT"] }],
    ["no version, as tokens that are no sessions have", { version: undefined }],
    ["version 1 outside its literal header", { version: "1" }],
    ["version 2 outside its literal header", { version: "2" }],
    ["version 6", { version: "6" }],
    ["version as a number", { version: 5 }],
    ["version as a list", { version: ["5"] }],
    ["version __proto__", { version: "__proto__" }],
  ];
  const [, v1Body] = partsOf(real.v1);
  const spelled = `${Buffer.from('{"typ":"JWT","alg":"RS256","version":"1"}').toString("base64")}.${v1Body}`;
  const spelledSignature = sign("sha256", Buffer.from(spelled), rsa.privateKey).toString("base64");
  const v1Signed = real.v1.slice(0, real.v1.lastIndexOf("."));
  const v1Signature = sign("sha256", Buffer.from(v1Signed), { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
  return [
    ...changes.map(([name, changed]) => ({
      rule,
      name,
      tokens: keys.map((key) => signedBy(key.privateKey, { ...headerOf(key), ...changed }, body)),
      why: why as TryRefreshReason,
    })),
    {
      rule,
      name: "version 1 is its one literal header only, and the other header names no version 1 body",
      tokens: [`${spelled}.${spelledSignature}`],
      why,
    },
    { rule, name: "version 1 is signed with RSA only", tokens: [`${v1Signed}.${v1Signature.toString("base64")}`] },
    ...["", "null", "1", "[]", '"x"', "{", "\0"].map((text) => ({
      rule,
      name: `a header that is ${JSON.stringify(text)} and no object`,
      tokens: [`${Buffer.from(text).toString("base64url")}.${body}.AA`],
      why: why as TryRefreshReason,
    })),
  ];
};

const signatures = ({ rsa, ec, real }: ForgersTarget): readonly Forgeries[] => {
  const rule = "signatures";
  const why = "bad_signature";
  const all = Object.values(real) as readonly string[];
  const signed = real.v5.slice(0, real.v5.lastIndexOf("."));
  const rsaSigned = real.rsaV5.slice(0, real.rsaV5.lastIndexOf("."));
  const good = Buffer.from(partsOf(real.v5)[2], "base64url");
  const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
  const zero = Buffer.alloc(32);
  const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1)]);
  const [r, s] = [good.subarray(0, 32), good.subarray(32)];
  const numbers = [zero, one, order, Buffer.alloc(32, 0xff)];
  const fillers = [zero, good, Buffer.alloc(1, 0xff)];
  const padded = [
    [zero, r, zero, s],
    [Buffer.of(0), r, Buffer.of(0), s],
    [r, s, zero],
  ];
  return [
    {
      rule,
      name: "of zeros, ones and the group's order are refused (CVE-2022-21449)",
      tokens: [...numbers, r].flatMap((first) =>
        [...numbers, s]
          .filter((second) => first !== r || second !== s)
          .map((second) => withSignature(signed, Buffer.concat([first, second]))),
      ),
      why,
    },
    {
      rule,
      name: "of any other length are refused",
      tokens: [
        ...[0, 1, 31, 32, 48, 63, 65, 66, 72, 96, 128, 132, 256, 512].flatMap((length) =>
          fillers.map((filler) => withSignature(signed, Buffer.alloc(length, filler))),
        ),
        ...padded.map((numbers) => withSignature(signed, Buffer.concat(numbers))),
      ],
      why,
    },
    {
      rule,
      name: "in DER are refused",
      tokens: [withSignature(signed, sign("sha256", Buffer.from(signed), { key: ec.privateKey, dsaEncoding: "der" }))],
      why,
    },
    {
      rule,
      name: "with another digest or padding are refused",
      tokens: [
        ...["sha1", "sha384", "sha512"].map((digest) =>
          withSignature(rsaSigned, sign(digest, Buffer.from(rsaSigned), rsa.privateKey)),
        ),
        withSignature(
          rsaSigned,
          sign("sha256", Buffer.from(rsaSigned), { key: rsa.privateKey, padding: 6, saltLength: 32 }),
        ),
      ],
      why,
    },
    {
      rule,
      name: "in another spelling of the same bytes are refused: one token is one text",
      tokens: all.flatMap((token) => {
        const at = token.lastIndexOf(".") + 1;
        const signature = token.slice(at);
        const lasts = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/".split("");
        const spellings = [
          `${signature}=`,
          `${signature}==`,
          `${signature}\n`,
          ` ${signature}`,
          `${signature.slice(0, 20)} ${signature.slice(20)}`,
          `${signature.slice(0, 20)}!${signature.slice(20)}`,
          signature.replaceAll("=", ""),
          signature.replaceAll("-", "+").replaceAll("_", "/"),
          signature.replaceAll("+", "-").replaceAll("/", "_"),
          ...lasts.map((last) => signature.replace(/.(=*)$/, `${last}$1`)),
        ];
        return spellings.filter((spelling) => spelling !== signature).map((spelling) => token.slice(0, at) + spelling);
      }),
    },
    {
      rule,
      name: "hold for the very text: no character passes for another by its low byte",
      tokens: all.flatMap((token) =>
        token.split("").map((character, index) => {
          const disguised = String.fromCodePoint((character.codePointAt(0) ?? 0) + 0x100);
          return token.slice(0, index) + disguised + token.slice(index + 1);
        }),
      ),
    },
  ];
};

const damaged = ({ ec, real }: ForgersTarget): readonly Forgeries[] => {
  const rule = "damaged tokens";
  const all = Object.values(real) as readonly string[];
  const [, body, signature] = partsOf(real.v5);
  const head = encode(headerOf(ec));
  const odd: readonly (readonly [string, string])[] = [
    ["empty", ""],
    ["one dot", "."],
    ["two dots", ".."],
    ["three dots", "..."],
    ["two parts", "a.b"],
    ["four parts", `${real.v5}.x`],
    ["five parts, as an encrypted token has", "a.b.c.d.e"],
    ["blanks", "   "],
    ["NUL", "\0.\0.\0"],
    ["a lone surrogate", "\uD800.\uD800.\uD800"],
    ["Bearer before it", `Bearer ${real.v5}`],
    ["an array that was made a text", `${real.v5},${real.v5}`],
    ["a megabyte of dots (CVE-2025-30204, CVE-2025-27144)", ".".repeat(1_000_000)],
    ["a megabyte of one character", "A".repeat(1_000_000)],
    ["a megabyte of payload", `${head}.${"A".repeat(1_000_000)}.AA`],
    ["a megabyte of signature", `${real.v5}${"A".repeat(1_000_000)}`],
    ["dots up to the limit", ".".repeat(65_536)],
  ];
  return [
    {
      rule,
      name: "cut at every character, from either end",
      tokens: all.flatMap((token) =>
        token.split("").flatMap((_, length) => [token.slice(0, length), token.slice(token.length - length)]),
      ),
    },
    {
      rule,
      name: "with any one character changed",
      tokens: all.flatMap((token) =>
        token
          .split("")
          .map((character, index) => token.slice(0, index) + (character === "A" ? "B" : "A") + token.slice(index + 1)),
      ),
    },
    {
      rule,
      name: "that end like a good one",
      tokens: [`x${real.v5}`, `${head}.${encode({ sub: "root" })}.${signature}`, `..${signature}`, real.v5.slice(-32)],
    },
    ...odd.map(([name, token]) => ({ rule, name, tokens: [token] })),
    {
      rule,
      name: "up to the limit of 65,536 characters, and one more",
      tokens: [65_535, 65_536, 65_537].map((length) => {
        const start = `${head}.${body}.`;
        return start + "A".repeat(length - start.length);
      }),
    },
  ];
};
