import { type EventSelector, type MetaRecord, PUBLIC_TENANT } from "@pawl/storage";
import type {
  ChangeRow,
  CountRow,
  EventRow,
  FeedRow,
  OutboxRow,
  RevocationRow,
  SigningKeyRow,
} from "@pawl/storage/adapter";
import type { Query } from "./connection/database.js";

/** The partial index of tenants does not hold the public one, and SQLite uses it only when the statement says so. */
export const ofTenant = (tenantId: string): string =>
  tenantId === PUBLIC_TENANT ? "tenant_id = :tenantId" : "tenant_id = :tenantId AND tenant_id <> 'public'";

/** What a page lists, and whether it begins after a row. */
export type Listed<Selector> = Selector & { readonly after?: string | undefined };

/** The statements of a feed: a table of numbered lines, each with a column of its own. */
const feedStatements = <Row extends FeedRow>(table: string, column: string) => {
  const columns = `number, session_id, tenant_id, user_id, at, ${column}`;
  return {
    insert: `
      INSERT INTO ${table} (session_id, tenant_id, user_id, at, ${column})
      VALUES (:id, :tenantId, :userId, :at, :value)`,
    selectAfter: `SELECT ${columns} FROM ${table} WHERE number > :number ORDER BY number LIMIT :limit` as Query<Row>,
    selectSince: `
      SELECT ${columns} FROM ${table}
      WHERE number >= (SELECT min(number) FROM ${table} WHERE at >= :at) AND +at >= :at ORDER BY number LIMIT :limit` as Query<Row>,
    selectMark: `SELECT session_id, at FROM ${table} WHERE number = :number` as Query<
      Pick<FeedRow, "session_id" | "at">
    >,
    /** The greatest number ever given, also when its row has been deleted. */
    selectLast: `SELECT seq AS number FROM sqlite_sequence WHERE name = '${table}'` as Query<Pick<FeedRow, "number">>,
    deleteOlder: `
      DELETE FROM ${table}
      WHERE number IN (SELECT number FROM ${table} WHERE at < :before ORDER BY at LIMIT :limit)`,
  } as const;
};

export type FeedStatements<Row extends FeedRow> = ReturnType<typeof feedStatements<Row>>;

export const revocations = feedStatements<RevocationRow>("revocations", "reason");

export const changes = feedStatements<ChangeRow>("changes", "payload_version");

/** Grows whenever a feed does. */
export const selectFeedGrowth =
  "SELECT total(seq) AS growth FROM sqlite_sequence WHERE name IN ('revocations', 'changes')" as Query<{
    readonly growth: number;
  }>;

export const insertEvent = `
  INSERT INTO events (key, at, type, tenant_id, user_id, session_id, reason, detail, count)
  VALUES (:key, :at, :type, :tenantId, :userId, :sessionId, :reason, :detail, :count)
  ON CONFLICT (key) DO UPDATE SET count = count + excluded.count`;

/** A page of events, newest first. */
export const listEvents = (selector: Listed<EventSelector>): Query<EventRow> => {
  const { sessionId, tenantId, userId, types, after } = selector;
  const conditions: string[] = [];
  if (sessionId !== undefined) conditions.push("session_id = :sessionId");
  if (userId !== undefined) conditions.push("user_id = :userId");
  if (tenantId !== undefined)
    conditions.push(sessionId === undefined && userId === undefined ? ofTenant(tenantId) : "tenant_id = :tenantId");
  if (types !== undefined) {
    conditions.push("type IN (SELECT value FROM json_each(:types))");
    if (!types.includes("session_ended")) conditions.push("type <> 'session_ended'");
  }
  if (after !== undefined) conditions.push("(at, key) < (:at, :key)");
  return `SELECT key, at, type, tenant_id, user_id, session_id, reason, detail, count FROM events
    ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`} ORDER BY at DESC, key DESC LIMIT :limit`;
};

export const deleteEvents = `
  DELETE FROM events WHERE key IN (SELECT key FROM events WHERE at < :before ORDER BY at LIMIT :limit)`;

export const deleteEventsOfUser = `
  DELETE FROM events
  WHERE key IN (SELECT key FROM events WHERE user_id = :userId AND tenant_id = :tenantId LIMIT :limit)`;

const outboxColumns =
  "number, destination, key, at, type, tenant_id, user_id, session_id, reason, detail, count, due_at, state, dead";

/** Only of an event that is not there yet: to be done before `insertEvent`. */
export const insertOutbox = `
  INSERT INTO outbox (queue, head, destination, key, at, type, tenant_id, user_id, session_id, reason, detail, count, due_at)
  SELECT :queue, NOT EXISTS (SELECT 1 FROM outbox WHERE queue = :queue AND dead = 0),
    :destination, :key, :at, :type, :tenantId, :userId, :sessionId, :reason, :detail, :count, :at
  WHERE NOT EXISTS (SELECT 1 FROM events WHERE key = :key)
  ON CONFLICT (key, destination) DO NOTHING`;

export const selectDueOutbox = `
  SELECT ${outboxColumns} FROM outbox WHERE head = 1 AND due_at <= :now ORDER BY due_at, number LIMIT :limit` as Query<OutboxRow>;

export const claimOutbox = "UPDATE outbox SET due_at = :until WHERE number = :number";

type OutboxQueue = Query<{ readonly queue: string }>;

export const deliverOutbox = `
  DELETE FROM outbox WHERE key = :key AND destination = :destination RETURNING queue` as OutboxQueue;

export const postponeOutbox = `
  UPDATE outbox SET dead = 0, due_at = :dueAt, state = :state
  WHERE key = :key AND destination = :destination RETURNING queue` as OutboxQueue;

export const giveUpOutbox = `
  UPDATE outbox SET dead = 1, head = 0, state = :state
  WHERE key = :key AND destination = :destination RETURNING queue` as OutboxQueue;

export const deleteOutboxOfUser = `
  DELETE FROM outbox
  WHERE number IN (SELECT number FROM outbox WHERE user_id = :userId AND tenant_id = :tenantId LIMIT :limit)
  RETURNING queue` as OutboxQueue;

/** Makes the oldest of a queue its head after a change in it. One that moves up waits until `:latest` at most. */
export const settleHead = `
  UPDATE outbox SET head = 1 - head, due_at = min(due_at, :latest)
  WHERE queue = :queue AND dead = 0
    AND head <> (number = (SELECT min(number) FROM outbox WHERE queue = :queue AND dead = 0))`;

/** A page of dead entries or of the others, oldest first. */
export const listOutbox = `
  SELECT ${outboxColumns} FROM outbox
  WHERE dead = :dead AND (at, key, destination) > (:at, :key, :destination)
  ORDER BY at, key, destination LIMIT :limit` as Query<OutboxRow>;

export const deleteDeadOutbox = `
  DELETE FROM outbox
  WHERE number IN (SELECT number FROM outbox WHERE dead = 1 AND at < :before ORDER BY at LIMIT :limit)`;

export const addCount = `
  INSERT INTO counts (hour, name, count) VALUES (:hour, :name, :count)
  ON CONFLICT (hour, name) DO UPDATE SET count = count + excluded.count`;

export const listCounts = `
  SELECT hour, name, count FROM counts
  WHERE hour >= :from AND hour < :to AND (hour, name) > (:hour, :name) ORDER BY hour, name LIMIT :limit` as Query<CountRow>;

export const deleteCounts = `
  DELETE FROM counts
  WHERE (hour, name) IN (SELECT hour, name FROM counts WHERE hour < :before ORDER BY hour, name LIMIT :limit)`;

export const selectSigningKeys = `
  SELECT kid, algorithm, kind, public_key, sealed_private_key, created_at, signs_from FROM signing_keys
  ORDER BY created_at, kid` as Query<SigningKeyRow>;

export const selectNewestSigningKey = `
  SELECT kid FROM signing_keys WHERE algorithm = :algorithm AND kind = :kind ORDER BY created_at DESC, kid DESC LIMIT 1` as Query<
  Pick<SigningKeyRow, "kid">
>;

export const insertSigningKey = `
  INSERT INTO signing_keys (kid, algorithm, kind, public_key, sealed_private_key, created_at, signs_from)
  VALUES (:kid, :algorithm, :kind, :publicKey, :sealedPrivateKey, :createdAt, :signsFrom) ON CONFLICT (kid) DO NOTHING`;

export const deleteSigningKey = "DELETE FROM signing_keys WHERE kid = :kid";

export const resealSigningKey = `
  UPDATE signing_keys SET sealed_private_key = :to WHERE kid = :kid AND sealed_private_key = :from`;

export const insertMeta = "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING";

export const replaceMeta = "UPDATE meta SET value = :to WHERE name = :name AND value = :from";

/** Names after `:after` that begin with `:prefix`, whose byte order ends before that of the greatest character. */
export const listMeta = `
  SELECT name, value FROM meta
  WHERE name >= :prefix AND name < :prefix || char(1114111) AND name > :after
  ORDER BY name LIMIT :limit` as Query<MetaRecord>;

export const selectMeta = "SELECT value FROM meta WHERE name = :name" as Query<{ readonly value: string }>;

/** Changes the file to WAL mode, if it is not, and tells the mode it has. */
export const selectJournalMode = "PRAGMA journal_mode = WAL" as Query<{ readonly journal_mode: string }>;

/** Writes a row as it is, which shows that the database can be written. */
export const touchSchema = "UPDATE schema_versions SET applied_at = applied_at";
