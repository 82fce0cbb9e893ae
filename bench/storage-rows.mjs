import { quotient } from "./contest.mjs";
import { ratioAtLeast } from "./goals.mjs";

/** Operations under way at once. */
const LEVELS = [1, 8, 32, 128];
const JUDGED = 32;
const SESSIONS = 20_000;

const at = (/** @type {string} */ name, /** @type {number} */ lanes) => `${name}, ${lanes} in flight`;

/** Whether a contender stands beside the judged one at another level: left out of short runs and of the plot. */
export const isOtherLevel = (/** @type {string} */ name) =>
  LEVELS.some((lanes) => lanes !== JUDGED && name.endsWith(at("", lanes)));

/**
 * A contender at each level.
 * @param {string} name
 * @param {(lanes: number) => Omit<import("./contest.mjs").Contender, "name">} contender
 */
const atEach = (name, contender) => LEVELS.map((lanes) => ({ name: at(name, lanes), ...contender(lanes) }));

/** A store of its own for a contender on the row's server. */
const urlOf = (/** @type {import("./databases.mjs").Database | undefined} */ database, /** @type {string} */ name) =>
  /** @type {import("./databases.mjs").Database} */ (database).storeUrl(name);

/**
 * A row of one kind of write to one storage. `ours` is the level that is judged; the other levels stand beside it.
 * @param {object} what
 * @param {string} what.name
 * @param {"refresh" | "create"} what.write
 * @param {string} what.adapter
 * @param {string} what.title
 * @param {import("./databases.mjs").DatabaseKind} what.database
 * @param {{ name: string, contender: (lanes: number, directory: string, database: any) => Omit<import("./contest.mjs").Contender, "name"> }[]} what.peers
 * @param {{ text: string, peer: string, ratio: number }} what.target
 * @returns {import("./rows.mjs").Row}
 */
const storageRow = ({ name, write, adapter, title, database: kind, peers, target }) => {
  const own = `${adapter} ${write === "refresh" ? "rotate" : "createSession"}`;
  const ours = at(own, JUDGED);
  return {
    name,
    title: `${title}, durable, at ${LEVELS.join(", ")} in flight`,
    ours,
    databases: [kind],
    contenders: (directory, { [kind]: database }) => {
      const mine = atEach(own, (lanes) => ({
        module: "pawl-storage",
        opener: `${write}Sessions`,
        settings: { url: urlOf(database, `${write}_${lanes}`), sessions: SESSIONS, lanes },
      }));
      const others = peers.flatMap((peer) => atEach(peer.name, (lanes) => peer.contender(lanes, directory, database)));
      return [...mine.filter((one) => one.name === ours), ...mine.filter((one) => one.name !== ours), ...others];
    },
    judge: (score) => {
      const ratio = quotient(score(ours), score(at(target.peer, JUDGED)), "perSecond");
      return { ratio, goals: [ratioAtLeast(target.text, ratio, target.ratio)] };
    },
  };
};

const pgbench = (/** @type {"UPDATE" | "INSERT"} */ statement) => ({
  name: `pgbench -M prepared, one ${statement}`,
  contender: (
    /** @type {number} */ clients,
    /** @type {string} */ directory,
    /** @type {any} */ { url, programs },
  ) => ({
    module: "pgbench",
    opener: "pgbench",
    settings: { url, programs, directory, clients, sessions: SESSIONS, statement },
  }),
});

const fourTrips = (/** @type {"postgres" | "mysql"} */ opener, /** @type {string} */ driver) => ({
  name: `a transaction of four trips through ${driver}`,
  contender: (/** @type {number} */ lanes, /** @type {string} */ _directory, /** @type {any} */ database) => ({
    module: "four-trips",
    opener,
    settings: {
      url: opener === "postgres" ? database.url : database.storeUrl(`four_trips_${lanes}`),
      sessions: SESSIONS,
      lanes,
    },
  }),
});

const REDIS_BENCHMARK = "redis-benchmark, the same script";

const MYSQL_STATEMENT = "the bare UPDATE, prepared, through mysql2";

/** @type {readonly import("./rows.mjs").Row[]} */
export const storageRows = [
  storageRow({
    name: "refresh-postgres",
    write: "refresh",
    adapter: "@pawl/storage-postgres",
    title: "refresh a session on PostgreSQL, without tokens",
    database: "postgres",
    peers: [pgbench("UPDATE"), fourTrips("postgres", "pg")],
    target: { text: "refreshes per second, of pgbench", peer: pgbench("UPDATE").name, ratio: 1.5 },
  }),
  storageRow({
    name: "create-postgres",
    write: "create",
    adapter: "@pawl/storage-postgres",
    title: "create a session on PostgreSQL, without tokens",
    database: "postgres",
    peers: [pgbench("INSERT")],
    target: { text: "creates per second, of pgbench", peer: pgbench("INSERT").name, ratio: 1 },
  }),
  storageRow({
    name: "refresh-mysql",
    write: "refresh",
    adapter: "@pawl/storage-mysql",
    title: "refresh a session on MariaDB, without tokens",
    database: "mysql",
    peers: [
      {
        name: MYSQL_STATEMENT,
        contender: (lanes, _directory, database) => ({
          module: "four-trips",
          opener: "mysqlStatement",
          settings: { url: database.storeUrl(`statement_${lanes}`), sessions: SESSIONS, lanes },
        }),
      },
      fourTrips("mysql", "mysql2"),
    ],
    target: { text: "refreshes per second, of the bare statement", peer: MYSQL_STATEMENT, ratio: 1 },
  }),
  storageRow({
    name: "refresh-redis",
    write: "refresh",
    adapter: "@pawl/storage-redis",
    title: "refresh a session on Redis, without tokens",
    database: "redis",
    peers: [
      {
        name: REDIS_BENCHMARK,
        contender: (clients, _directory, { url, program }) => ({
          module: "redis-benchmark",
          opener: "redisBenchmark",
          settings: { url, command: program, clients, sessions: SESSIONS },
        }),
      },
    ],
    target: { text: "refreshes per second, of redis-benchmark", peer: REDIS_BENCHMARK, ratio: 0.8 },
  }),
];
