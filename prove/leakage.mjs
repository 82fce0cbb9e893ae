// Canaries in no sink: tokens, keys and passwords appear in no log line, error, address, event or database file, and every
// answer that carries a token is `no-store`.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPolicy } from "@pawl/engine";
import { openStorage } from "@pawl/storage";
import { createClock } from "./clock.mjs";
import { startProofCore } from "./core.mjs";

const API_KEY = "canary-api-key-of-the-operator";
const MASTER_KEY = Buffer.alloc(32, "canary-master-key").toString("base64");
const PASSWORD = "canary-password";
const TOKEN = /pawl_rt_1\.[\w-]+|eyJ[\w+/=-]+\.[\w+/=-]+\.[\w+/=-]+/gu;
const VERSIONS = ["2.9", "2.21", "3.0", "4.0", "5.0", "5.4"];

/** One life in every dialect, with misuse on the way. @returns every answer. */
const live = async (
  /** @type {import("./core.mjs").ProofCore} */ core,
  /** @type {ReturnType<typeof createClock>} */ clock,
  /** @type {number} */ round,
) => {
  /** @type {(Awaited<ReturnType<typeof core.send>> & { path: string })[]} */
  const answers = [];
  /** @type {(method: string, path: string, body?: object, headers?: Record<string, string>) => Promise<any>} */
  const ask = async (method, path, body, headers = {}) => {
    const answer = await core.send(method, path, { body, headers: { "api-key": API_KEY, ...headers } });
    answers.push({ path, ...answer });
    try {
      return JSON.parse(answer.text);
    } catch {
      return {};
    }
  };
  const flags = { enableAntiCsrf: true, doAntiCsrfCheck: false, checkDatabase: true, useDynamicSigningKey: true };
  const login = { userId: `user-${round}`, userDataInJWT: {}, userDataInDatabase: {}, ...flags };
  /** @type {{ path: string, body: object, headers: Record<string, string> }[]} */
  const lives = [
    { path: "/session", body: login, headers: {} },
    ...VERSIONS.map((version) => ({ path: "/recipe/session", body: login, headers: { "cdi-version": version } })),
    { path: "/v1/sessions", body: { userId: `user-${round}` }, headers: {} },
  ];
  for (const { path, body, headers } of lives) {
    const isOwn = path.startsWith("/v1");
    const more = isOwn ? {} : flags;
    const { accessToken, refreshToken } = await ask("POST", path, body, headers);
    const stolen = refreshToken.token;
    clock.time += 60_000;
    const refresh = (/** @type {string} */ refreshToken) =>
      ask("POST", `${path}/refresh`, { refreshToken, ...more, enableAntiCsrf: false }, headers);
    const next = await refresh(stolen);
    await ask("POST", `${path}/verify`, { accessToken: accessToken.token, ...more }, headers);
    // Where tokens do not belong, and in requests that are refused.
    for (const token of [stolen, accessToken.token, API_KEY]) {
      await ask("GET", `/v1/sessions/${encodeURIComponent(token)}`);
      await ask("GET", `/v1/sessions?after=${encodeURIComponent(token)}`);
      const names = { "user-agent": token, cookie: `a=${token}` };
      await ask("GET", `/nowhere/${encodeURIComponent(token)}`, undefined, names);
      const version = { ...headers, "cdi-version": token.slice(0, 200) };
      await ask("POST", path, { [token]: token, userId: { token } }, version);
      await ask("POST", path, body, { "api-key": `${token.slice(0, 300)}-wrong` });
    }
    clock.time += 60_000;
    const last = (next.refreshToken ?? refreshToken).token;
    const { refreshToken: third } = await refresh(last);
    clock.time += 60_000;
    await refresh(third?.token ?? last);
    // Theft.
    await refresh(stolen);
  }
  return answers;
};

/** Everything that a value says, an error's message, stack and causes too. */
const spelled = (/** @type {unknown} */ value) =>
  JSON.stringify(value, (_name, member) =>
    member instanceof Error
      ? Object.fromEntries(Reflect.ownKeys(member).map((name) => [name, Reflect.get(member, name)]))
      : member,
  );

/** A logger that keeps every line. @returns {any} */
const lineKeeper = (/** @type {string[]} */ lines) => {
  const keep =
    (/** @type {string} */ level) =>
    (/** @type {unknown[]} */ ...args) =>
      void lines.push([level, ...args.map(spelled)].join(" "));
  const levels = ["trace", "debug", "info", "warn", "error", "fatal"].map((level) => [level, keep(level)]);
  return {
    ...Object.fromEntries(levels),
    level: "trace",
    isLevelEnabled: () => true,
    child: () => lineKeeper(lines),
    flush: () => undefined,
  };
};

/** What a failed connection says of the password in its address. */
const failedConnections = async () => {
  const told = [];
  for (const scheme of ["postgres", "mysql"])
    for (const rest of ["127.0.0.1:1/db", "[bad", "127.0.0.1:1/db?unknown=option"])
      try {
        const storage = await openStorage(`${scheme}://pawl:${PASSWORD}@${rest}`);
        try {
          await storage.ping();
        } finally {
          await storage.close();
        }
      } catch (error) {
        told.push(spelled(error));
      }
  return told;
};

/** @type {import("./proofs.mjs").Run} */
export const leakage = async (rounds, _seed, progress) => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-leakage-"));
  /** @type {string[]} */
  const lines = [];
  const clock = createClock(Date.now());
  const core = await startProofCore(
    {
      storage: `sqlite:${join(folder, "sessions.db")}`,
      masterKey: MASTER_KEY,
      apiKeys: [API_KEY],
      cdiVerifyKnows: false,
      cdi1: { enabled: true, withoutKey: true, keyKind: "static" },
      policy: { ...defaultPolicy, theftAction: "revoke_session" },
      logLevel: "debug",
    },
    { clock, logger: lineKeeper(lines) },
  );
  const answers = [];
  for (let round = 0; round < rounds; round += 1) {
    answers.push(...(await live(core, clock, round)));
    progress(round);
  }
  const events = JSON.stringify((await core.engine.listEvents({}, { limit: 1000 })).items);
  await core.close();
  const told = await failedConnections();

  const tokens = new Set(answers.flatMap(({ status, text }) => (status < 300 ? (text.match(TOKEN) ?? []) : [])));
  const privateKeys = [Buffer.from("-----BEGIN PRIVATE KEY"), Buffer.from("-----BEGIN EC PRIVATE KEY")];
  const secrets = [API_KEY, MASTER_KEY, PASSWORD, "canary-master-key", ...tokens];
  /** @type {string[]} */
  const leaks = [];
  const search = (/** @type {string} */ where, /** @type {string} */ text) => {
    for (const secret of secrets) if (text.includes(secret)) leaks.push(`${secret.slice(0, 24)}… in ${where}`);
  };
  for (const line of lines) search("a log line", line);
  for (const text of told) search("an error", text);
  search("the events", events);
  for (const { path, status, text, headers } of answers) {
    const location = headers.get("location") ?? "";
    search("an address", location);
    if (status >= 400) search(`an error answer of ${path.slice(0, 20)}`, text);
  }
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name)).toString("latin1");
    search(`the file ${name}`, bytes);
    if (privateKeys.some((start) => bytes.includes(start.toString("latin1")))) leaks.push(`a private key in ${name}`);
  }
  const bearing = answers.filter(({ text }) => text.match(TOKEN) !== null);
  const kept = bearing.filter(({ headers }) => headers.get("cache-control") !== "no-store");
  for (const { path } of kept) leaks.push(`${path} carries a token and may be kept`);
  rmSync(folder, { recursive: true, force: true });
  for (const leak of [...new Set(leaks)].slice(0, 10)) console.error(leak);
  return {
    count: answers.length,
    failures: leaks.length,
    note: `${secrets.length} canaries; ${lines.length} log lines, ${told.length} errors, the events and the database's files; ${bearing.length} answers that carry a token, ${bearing.length - kept.length} of them no-store`,
  };
};
