// How long the core takes for each page of the dashboard with a million sessions in SQLite: node bench/dashboard-pages.mjs [sessions]
import { mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readConfig, startCore } from "../packages/core/dist/index.js";

const KEY = "the-key-of-an-operator-0";
const SESSIONS = Number(process.argv[2] ?? 1_000_000);
const BATCH = 2000;
const TIMES = 21;

const folder = mkdtempSync(fileURLToPath(new URL(".data-dashboard-", import.meta.url)));
const config = readConfig({
  cwd: folder,
  env: {
    PAWL_DASHBOARD: "true",
    PAWL_PORT: "0",
    PAWL_STORAGE: "sqlite:sessions.db",
    PAWL_API_KEYS: KEY,
    PAWL_LOG_LEVEL: "none",
  },
});
const core = await startCore(config);
try {
  const { engine, address } = core;
  const { storage } = engine;
  const url = `http://localhost:${address.port}`;

  /** Each user has ten sessions; one in a hundred has ended, and one in ten thousand was stolen. */
  const { session } = await engine.createSession({ userId: /** @type {never} */ ("user-0"), device: "A phone" });
  const sample = await storage.getSession(/** @type {never} */ (session.handle));
  const now = storage.now();
  for (let made = 1; made < SESSIONS; made += BATCH) {
    const count = Math.min(BATCH, SESSIONS - made);
    const rows = Array.from({ length: count }, (_, at) => ({
      ...sample,
      id: crypto.randomUUID(),
      userId: `user-${Math.floor((made + at) / 10)}`,
    }));
    await storage.importSessions(/** @type {never} */ (rows));
    await storage.appendEvents(
      /** @type {never} */ (
        rows
          .filter((_, at) => at % 100 === 0)
          .map(({ id, userId }, at) => ({
            key: `ended:${id}`,
            at: now - made - at,
            type: at % 100 === 0 ? "token_reuse" : "session_ended",
            tenantId: "public",
            userId,
            sessionId: id,
            reason: "logout",
            count: 1,
          }))
      ),
    );
    if ((made - 1) % 100_000 === 0) process.stderr.write(`${made - 1} sessions\n`);
  }
  const hour = 3_600_000;
  const thisHour = Math.floor(now / hour) * hour;
  const names = ["login", "refresh", "theft", "ended.logout", "ended.revoked", "ended.expired", "ended.idle"];
  for (let day = 0; day < 90; day += 1)
    await storage.addCounts(
      /** @type {never} */ (
        Array.from({ length: 24 }, (_, at) =>
          names.map((name) => ({ hour: thisHour - (day * 24 + at) * hour, name: `${name} public`, count: 7 })),
        ).flat()
      ),
    );

  const link = await fetch(`${url}/v1/dashboard/links`, { method: "POST", headers: { "api-key": KEY } });
  const { path } = /** @type {{ path: string }} */ (await link.json());
  const opened = await fetch(`${url}/dashboard/session`, {
    method: "POST",
    body: JSON.stringify({ link: path.split("=")[1] }),
  });
  const cookie = opened.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const ask = async (/** @type {string} */ at) => {
    const response = await fetch(`${url}/dashboard/v1/${at}`, { headers: { cookie } });
    const body = /** @type {{ next: string }} */ (await response.json());
    if (response.status !== 200) throw new Error(`${at}: ${response.status}`);
    return body;
  };
  const after = encodeURIComponent((await ask("sessions?limit=500")).next);
  const to = thisHour + hour;
  const asked = {
    "overview, 24 hours": `counts?from=${to - 24 * hour}&to=${to}&step=hour`,
    "overview, 7 days": `counts?from=${to - 7 * 24 * hour}&to=${to}&step=hour`,
    "overview, 30 days": `counts?from=${to - 30 * 24 * hour}&to=${to}&step=day`,
    "sessions, first page": "sessions?limit=25",
    "sessions, page 21": `sessions?limit=25&after=${after}`,
    "sessions of a tenant": "sessions?limit=25&tenantId=public",
    "sessions of an unknown tenant": "sessions?limit=25&tenantId=nobody",
    user: "sessions?limit=25&userId=user-777&tenantId=public",
    "ends of a user": "events?limit=20&userId=user-777&tenantId=public&type=session_ended",
    "a session's story": `sessions/${session.handle}/explanation`,
    thefts: "events?limit=25&type=token_reuse",
    events: "events?limit=25",
    "administrators' acts": "events?limit=25&type=admin",
    keys: "keys",
    nodes: "nodes",
    settings: "configuration",
  };
  for (const [name, at] of Object.entries(asked)) {
    const times = [];
    const before = process.cpuUsage();
    for (let time = 0; time < TIMES; time += 1) {
      const started = performance.now();
      await ask(at);
      times.push(performance.now() - started);
    }
    const { user, system } = process.cpuUsage(before);
    const first = times[0] ?? 0;
    times.sort((left, right) => left - right);
    const shown = {
      first,
      median: times[TIMES >> 1] ?? 0,
      slowest: times.at(-1) ?? 0,
      cpu: (user + system) / 1000 / TIMES,
    };
    const text = Object.entries(shown).map(([what, ms]) => `${what} ${ms.toFixed(1)} ms`);
    console.log(`${name}: ${text.join(", ")}`);
  }
} finally {
  await core.close();
  rmSync(folder, { recursive: true });
}
