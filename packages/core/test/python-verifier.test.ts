import { spawn } from "node:child_process";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createEngine, type KeySet, parseMasterKeys } from "@pawl/engine";
import { findProgram, freePort, whyMissing } from "@pawl/test-servers";
import { millis, type UserId } from "@pawl/storage";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type RunningCore, startCore } from "../src/server/start-core.js";
import { decodeJwt } from "./decoded-jwt.js";
import { testConfig } from "./listening-core.js";

const folder = fileURLToPath(new URL("../../../examples/python", import.meta.url));
const missing = whyMissing("python");
if (missing !== undefined) console.warn(`The verifier in Python is not tried. ${missing}`);

const KEY = "a-key-of-twenty-characters";
const VERIFIER_KEY = "a-key-of-a-verifier-only=";
const RULE = { issuer: "https://sessions.example.com", audience: ["https://api.example.com"] };
const MASTER_KEY = Buffer.alloc(32, 7).toString("base64");
const HOUR = 3_600_000;
/** For polls: a machine may be busy. */
const SOON = { timeout: 30_000 };
const USER = "alice" as UserId;

/** Time of the core, which Python's clock follows only as long as this is 0. */
let offset = 0;
const clock = { now: () => millis(Date.now() + offset) };
/** Does something at another time. */
const at = async <Result>(shift: number, work: () => Promise<Result>): Promise<Result> => {
  offset = shift;
  try {
    return await work();
  } finally {
    offset = 0;
  }
};

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

/** The application of the example, over what is at a URL. `longestSilence` is in seconds. */
const startPython = async (core: string, longestSilence: number): Promise<string> => {
  const port = await freePort();
  const env = {
    ...process.env,
    PAWL_CORE: core,
    PAWL_API_KEY: VERIFIER_KEY,
    PAWL_ISSUER: RULE.issuer,
    PAWL_AUDIENCE: RULE.audience[0],
    PAWL_LONGEST_SILENCE: String(longestSilence),
    PORT: String(port),
  };
  const child = spawn(findProgram("python"), ["-B", "app.py"], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let problems = "";
  child.stderr.on("data", (chunk) => (problems += String(chunk)));
  const ended = once(child, "exit");
  closers.push(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      () => true,
      () => {
        if (child.exitCode !== null) throw new Error(problems);
        return false;
      },
    );
  await vi.waitUntil(answers, { timeout: 20_000 });
  return url;
};

/** The verifier alone: it is told tokens, and says whose they are, or what it raised. */
const DRIVER = `
import json, os, sys, pawl
verifier = pawl.Verifier(os.environ["CORE"], os.environ["KEY"], os.environ["ISSUER"], os.environ["AUDIENCE"])
for line in sys.stdin:
    try: outcome = verifier.verify(json.loads(line))["sub"]
    except Exception as error: outcome = type(error).__name__
    print(outcome, flush=True)
`;

const startVerifier = (core: string) => {
  const env = { ...process.env, CORE: core, KEY: VERIFIER_KEY, ISSUER: RULE.issuer, AUDIENCE: RULE.audience[0] };
  const child = spawn(findProgram("python"), ["-B", "-c", DRIVER], {
    cwd: folder,
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  closers.push(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async verify(tokens: readonly string[]): Promise<readonly string[]> {
      child.stdin.write(tokens.map((token) => `${JSON.stringify(token)}\n`).join(""));
      const outcomes: string[] = [];
      while (outcomes.length < tokens.length) outcomes.push(String((await lines.next()).value));
      return outcomes;
    },
  };
};

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const asker =
  (url: string) =>
  async (token: string): Promise<Answer> => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, body: await answer.json() };
  };

const VALID = { status: 200, body: { user: "alice", role: "editor" } };
const TRY_REFRESH = { status: 401, body: { code: "TRY_REFRESH" } };
const ENDED = { status: 401, body: { code: "UNAUTHORISED" } };
const UNKNOWN = { status: 503, body: { code: "UNKNOWN" } };

test("the verifier in Python takes no more than 60 lines", () => {
  const lines = readFileSync(`${folder}/pawl.py`, "utf8").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(60);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(120);
});

describe.skipIf(missing !== undefined)("a program in Python, with PyJWT", () => {
  let core: RunningCore;
  let direct: (token: string) => Promise<Answer>;
  let beforeStart: string;
  const session = (payload = { role: "editor" }) => core.engine.createSession({ userId: USER, form: "pawl", payload });

  beforeAll(async () => {
    const config = testConfig({
      apiKeys: [KEY],
      verifierApiKeys: [VERIFIER_KEY],
      policy: RULE,
      masterKey: MASTER_KEY,
      logLevel: "none",
    });
    core = await startCore(config, { clock, limits: { heartbeat: 200 } });
    closers.push(() => core.close());
    const login = await session();
    await core.engine.revokeSessions([login.session.handle]);
    beforeStart = login.accessToken.token;
    direct = asker(await startPython(`http://127.0.0.1:${core.address.port}`, 45));
  });

  test("knows what had ended before it started, from its first answer on", async () => {
    const seen: Answer[] = [];
    await vi.waitUntil(async () => seen.push(await direct(beforeStart)) && seen.at(-1)?.status !== 503, 20_000);
    expect(seen.at(-1)).toEqual(ENDED);
    expect(seen.slice(0, -1)).toEqual(seen.slice(0, -1).map(() => UNKNOWN));
  });

  test.each(["ES256", "RS256"] as const)("accepts an access token signed with %s", async (algorithm) => {
    const { accessToken } = await core.engine.createSession({
      userId: USER,
      form: "pawl",
      payload: { role: "editor" },
      algorithm,
    });
    await expect.poll(() => direct(accessToken.token), SOON).toEqual(VALID);
  });

  test("refuses one that has expired, and a session that has ended within moments", async () => {
    const expired = await at(-2 * HOUR, session);
    expect(await direct(expired.accessToken.token)).toEqual(TRY_REFRESH);
    const login = await session();
    expect(await direct(login.accessToken.token)).toEqual(VALID);
    await core.engine.revokeSessions([login.session.handle]);
    await expect.poll(() => direct(login.accessToken.token), SOON).toEqual(ENDED);
  });

  test("asks for a refresh when the session has changed, and takes the token that it brings", async () => {
    const login = await session({ role: "admin" });
    await core.engine.updatePayload(login.session.handle, { role: "editor" });
    await expect.poll(() => direct(login.accessToken.token), SOON).toEqual(TRY_REFRESH);
    const refreshed = await core.engine.refreshSession({ refreshToken: login.refreshToken.token, form: "pawl" });
    expect(refreshed.kind === "refreshed" && (await direct(refreshed.accessToken.token))).toEqual(VALID);
    // Of long before a change, whatever its version says.
    const old = await at(-HOUR / 2, session);
    await core.engine.updatePayload(old.session.handle, { role: "editor" });
    await expect.poll(() => direct(old.accessToken.token), SOON).toEqual(TRY_REFRESH);
    // Of long after one that the store has lost.
    const later = await at(HOUR / 2, session);
    await core.engine.updatePayload(later.session.handle, { role: "editor" });
    const marker = await session();
    await core.engine.revokeSessions([marker.session.handle]);
    await expect.poll(() => direct(marker.accessToken.token), SOON).toEqual(ENDED);
    expect(await direct(later.accessToken.token)).toEqual(VALID);
  });

  test("takes no other form, no other issuer and audience, no refresh token and no JWT of the application", async () => {
    const login = await session();
    const tokens: string[] = [login.refreshToken.token, "", "x", "..", `${login.accessToken.token}x`];
    for (const form of ["v1", "v5"] as const)
      tokens.push((await core.engine.createSession({ userId: USER, form })).accessToken.token);
    for (const policy of [{}, { ...RULE, issuer: "https://other.example.com" }, { ...RULE, audience: ["other"] }]) {
      const { storage } = core.engine;
      const engine = await createEngine({ storage, masterKeys: parseMasterKeys(MASTER_KEY), policy });
      tokens.push((await engine.createSession({ userId: USER, form: "pawl" })).accessToken.token);
      await engine.close();
    }
    const jwt = { payload: { sub: "alice", aud: RULE.audience[0]!, sid: login.session.handle, pver: 0 }, validity: 60 };
    const { issuer } = RULE;
    tokens.push(await core.engine.issueJwt({ ...jwt, issuer, algorithm: "ES256", keyKind: "dynamic" }));
    for (const token of tokens) expect([token, await direct(token)]).toEqual([token, TRY_REFRESH]);
    expect(await direct(login.accessToken.token)).toEqual(VALID);
  });

  test("takes nothing that a forger without a private key can write", async () => {
    const { accessToken } = await session();
    const verifier = startVerifier(`http://127.0.0.1:${core.address.port}`);
    await vi.waitUntil(async () => (await verifier.verify([accessToken.token]))[0] === "alice", 20_000);
    const forged = forgeries(accessToken.token, core.engine.keySet().keys);
    expect(forged.length).toBeGreaterThan(1000);
    const outcomes = await verifier.verify(forged);
    const taken = forged.filter((_, index) => outcomes[index] !== "TryRefresh");
    expect(taken).toEqual([]);
    expect(await verifier.verify([accessToken.token])).toEqual(["alice"]);
  });

  test("takes the tokens of a new key", async () => {
    await core.engine.rotateSigningKey("ES256");
    const login = await at(61_000, session);
    expect(decodeJwt(login.accessToken.token).header["kid"]).not.toBe(
      decodeJwt((await session()).accessToken.token).header["kid"],
    );
    await expect.poll(() => direct(login.accessToken.token), SOON).toEqual(VALID);
  });

  test("says that nothing is known while the feed is silent, and has missed nothing when it heals", async () => {
    const line = await startLine(core.address.port);
    closers.push(line.stop);
    const ask = asker(await startPython(`http://127.0.0.1:${line.port}`, 3));
    const [kept, ended, changed] = [await session(), await session(), await session()];
    const outcomes = async () =>
      Promise.all([kept, ended, changed].map(async ({ accessToken }) => (await ask(accessToken.token)).body));
    await expect.poll(outcomes, SOON).toEqual([VALID.body, VALID.body, VALID.body]);
    line.freeze(true);
    await expect.poll(() => ask(kept.accessToken.token), SOON).toEqual(UNKNOWN);
    await core.engine.revokeSessions([ended.session.handle]);
    await core.engine.updatePayload(changed.session.handle, { role: "reader" });
    expect(await ask(ended.accessToken.token)).toEqual(UNKNOWN);
    line.freeze(false);
    const seen = new Set<string>();
    const settled = [VALID.body, ENDED.body, TRY_REFRESH.body];
    await expect
      .poll(
        async () => {
          const now = await outcomes();
          seen.add(JSON.stringify(now));
          return now;
        },
        { timeout: 30_000, interval: 5 },
      )
      .toEqual(settled);
    // From unknown to what is so, with nothing between: never were those valid that had ended meanwhile.
    for (const each of seen)
      for (const one of [1, 2]) expect((JSON.parse(each) as unknown[])[one]).not.toEqual(VALID.body);
  });
});

/** A line to a port that can be frozen: what is sent then arrives when it thaws, or never, where it was given up meanwhile. */
const startLine = async (target: number) => {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const server = createServer({ allowHalfOpen: false }, (client) => {
    const onward = connect(target, "127.0.0.1");
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(one);
      one.on("data", (chunk) => other.write(chunk));
      one.on("error", () => undefined);
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      if (isFrozen) one.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    freeze(frozen: boolean) {
      isFrozen = frozen;
      for (const socket of sockets)
        if (frozen) socket.pause();
        else socket.resume();
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};

/** Headers, keys and signatures of a forger. */
const forgeries = (real: string, published: KeySet["keys"]): readonly string[] => {
  const { header } = decodeJwt(real);
  const [, body = "", original = ""] = real.split(".");
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });
  const secrets = ["", ...published.slice(0, 2).flatMap((key) => [JSON.stringify(key), key.n ?? key.x ?? ""])];
  const algorithms = [
    "none",
    "None",
    "",
    "HS256",
    "HS512",
    "RS256",
    "ES256",
    "ES384",
    "PS256",
    "EdDSA",
    null,
    ["ES256"],
    {},
  ];
  const headers = [
    ...algorithms.map((alg) => ({ ...header, alg })),
    ...["JWT", "at+JWT ", null, undefined, ["at+jwt"]].map((typ) => ({ ...header, typ })),
    ...["", "x", null, 7, {}, ["x"], "__proto__", undefined, ...published.map(({ kid }) => kid)].map((kid) => ({
      ...header,
      kid,
    })),
    { ...header, jwk },
    { ...header, jku: "http://127.0.0.1:1/", x5u: "http://127.0.0.1:1/" },
    { ...header, crit: ["b64"], b64: false },
    [],
    "x",
    null,
  ].map(encode);
  const deep = Buffer.from("[".repeat(20_000)).toString("base64url");
  const head = encode(header);
  const bodies = [body, encode({ ...claims, sub: "root" }), encode({ ...claims, exp: 9_999_999_999 }), "", encode([])];
  const signatures: readonly ((signed: Buffer) => Buffer | string)[] = [
    () => "",
    () => original,
    () => Buffer.alloc(64),
    (signed) => sign("sha256", signed, { key: privateKey, dsaEncoding: "ieee-p1363" }),
    ...secrets.map((secret) => (signed: Buffer) => createHmac("sha256", secret).update(signed).digest()),
  ];
  const forged = headers.flatMap((spelled) =>
    bodies.flatMap((part) =>
      signatures.map((make) => {
        const made = make(Buffer.from(`${spelled}.${part}`));
        return `${spelled}.${part}.${typeof made === "string" ? made : made.toString("base64url")}`;
      }),
    ),
  );
  const malformed = ["", "..", "x", ".".repeat(100_000), `${deep}.${body}.${original}`, `${head}.${deep}.${original}`];
  return [...forged, ...malformed].filter((token) => token !== real);
};
