import { type ForeignOptions, inMilliseconds, invalidUrl, UrlOptions } from "@pawl/storage/adapter";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";

/** How the connection is encrypted: as `ssl` of the driver, false for not at all. */
type Encryption =
  | false
  | {
      readonly rejectUnauthorized: boolean;
      readonly ca?: Buffer;
      readonly cert?: Buffer;
      readonly key?: Buffer;
      /** The name that the server's certificate has to bear where the driver does not hand it on. */
      readonly host?: string;
      readonly checkServerIdentity?: () => undefined;
    };

/** Where a server is and how to log in. What is undefined the driver takes from `PGUSER`, `PGPASSWORD` or `~/.pgpass`. */
export interface Address {
  /** A name, an IP address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly ssl: Encryption;
  /** Whether the login is bound to the encrypted connection where the server offers that (RFC 5802). */
  readonly enableChannelBinding: boolean;
  readonly application_name: string;
}

export interface PostgresOptions {
  readonly address: Address;
  /** Whether a server that does not encrypt is accepted although `address` asks for it. */
  readonly mayBePlain: boolean;
  /** Where to listen for what the feeds get, when that is somewhere else. */
  readonly listenAddress: Address | undefined;
  /** Whether a connection is ours alone, so that statements can be prepared on it; undefined: found out at the start. */
  readonly prepare: boolean | undefined;
  /** The schema of the tables. */
  readonly schema: string;
  /** Into how many hash partitions the table of sessions is divided when it is made; 0 for a plain table. */
  readonly partitions: number;
  /** How many connections there are at most, besides the one that listens. */
  readonly pool: number;
  /** For how many milliseconds a call waits for the server, a free connection included. */
  readonly timeout: number;
}

const names = [
  "host",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "channel_binding",
  "application_name",
  "listen_url",
  "prepare",
  "schema",
  "partitions",
  "pool",
  "timeout",
] as const;

type Options = UrlOptions<(typeof names)[number]>;

const encrypting = "write sslmode=require to encrypt, or sslmode=verify-full to know the server as well";
const alwaysAlive = "leave it out, connections are kept alive";
const beforeHost = "write postgres://user:password@host:port/database";

/** Options of libpq, Prisma, node-postgres and JDBC in the URLs that providers show. */
const foreign: ForeignOptions<(typeof names)[number]> = {
  pgbouncer: (value) => (value === "true" ? ["prepare", "false"] : undefined),
  statement_cache_size: (value) => (value === "0" ? ["prepare", "false"] : undefined),
  connection_limit: (value) => ["pool", value],
  connect_timeout: (value) =>
    Number(value) > 0 ? ["timeout", inMilliseconds(value)] : "write timeout=<milliseconds>, every call has one",
  pool_timeout: "write timeout=<milliseconds>, which counts the wait for a connection as well",
  socket_timeout: "write timeout=<milliseconds>",
  target_session_attrs: (value) =>
    value === "read-write" || value === "primary" ? undefined : "leave it out, only a primary is accepted",
  gssencmode: (value) => (value === "require" ? "GSSAPI is not supported: write sslmode=verify-full" : undefined),
  sslnegotiation: (value) => (value === "postgres" ? undefined : "leave it out, or write sslnegotiation=postgres"),
  uselibpqcompat: (value) => (value === "true" ? undefined : "leave it out, sslmode means what it means in libpq"),
  // How Vercel marks a pooler of Supabase.
  supa: () => undefined,
  ssl: encrypting,
  sslaccept: encrypting,
  options: "leave it out, and set what it sets by ALTER ROLE … SET",
  keepalives: (value) => (value === "0" ? alwaysAlive : undefined),
  keepalives_idle: alwaysAlive,
  keepalives_interval: alwaysAlive,
  keepalives_count: alwaysAlive,
  user: beforeHost,
  password: beforeHost,
  port: beforeHost,
  dbname: beforeHost,
};

/**
 * Reads `postgres://user:password@host:port/database?option=value`.
 * @throws StorageError `invalid_url`; its message tells no user, password or address.
 */
export const parseUrl = (url: string): PostgresOptions => {
  const { parsed, options } = split(url);
  const prepare = options.oneOf("prepare", ["true", "false"]);
  const listenUrl = options.get("listen_url");
  const schema = options.get("schema") ?? "pawl";
  if (!/^[a-z_][a-z0-9_]{0,47}$/u.test(schema))
    throw invalidUrl("the PostgreSQL option schema takes lower-case letters, digits and _, 48 at most");
  return {
    address: addressOf(parsed, options),
    mayBePlain: options.get("sslmode") === "prefer",
    listenAddress: listenUrl === undefined ? undefined : parseListenUrl(listenUrl),
    prepare: prepare === undefined ? undefined : prepare === "true",
    schema,
    partitions: options.wholeNumber("partitions", { least: 0, most: 1024, otherwise: 0 }),
    pool: options.wholeNumber("pool", { least: 1, most: 1000, otherwise: 10 }),
    timeout: options.wholeNumber("timeout", { least: 100, most: 60_000, otherwise: 5000 }),
  };
};

const split = (url: string): { readonly parsed: URL; readonly options: Options } => {
  const parsed = /^postgres(?:ql)?:\/\//u.test(url) && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hash !== "")
    throw invalidUrl(
      "a PostgreSQL URL is postgres://user:password@host:5432/database; a character such as # or / in a password is written %23, %2F",
    );
  return { parsed, options: new UrlOptions("PostgreSQL", names, parsed.searchParams, foreign) };
};

const parseListenUrl = (url: string): Address => {
  const { parsed, options } = split(url);
  for (const name of options.names)
    if (!/^(?:ssl.*|host|channel_binding|application_name)$/u.test(name))
      throw invalidUrl(`the PostgreSQL option "${name}" has no meaning inside listen_url`);
  return addressOf(parsed, options);
};

const addressOf = (parsed: URL, options: Options): Address => {
  const host =
    options.get("host") ?? (options.decode(parsed.hostname, "host").replace(/^\[(.*)\]$/u, "$1") || "localhost");
  if (host.includes(","))
    throw invalidUrl("a PostgreSQL URL names one host: put a proxy or a name that moves before several");
  const user = options.decode(parsed.username, "user");
  const password = options.decode(parsed.password, "password");
  const database = options.decode(parsed.pathname.slice(1), "database");
  if (database.includes("/")) throw invalidUrl("a PostgreSQL URL names one database after the host");
  const binding = options.oneOf("channel_binding", ["disable", "prefer", "require"]) ?? "disable";
  return {
    host,
    port: parsed.port === "" ? 5432 : Number(parsed.port),
    ssl: encryptionOf(options, { host, isBound: binding === "require" }),
    enableChannelBinding: binding !== "disable",
    application_name: options.get("application_name") ?? "pawl",
    user: user || undefined,
    password: password || undefined,
    database: database || undefined,
  };
};

/** The modes mean what they mean in PostgreSQL's own clients (libpq, "SSL Mode Descriptions"). */
const encryptionOf = (
  options: Options,
  { host, isBound }: { readonly host: string; readonly isBound: boolean },
): Encryption => {
  const given = options.oneOf("sslmode", ["disable", "prefer", "require", "verify-ca", "verify-full"]) ?? "disable";
  if (isBound && (given === "disable" || given === "prefer"))
    throw invalidUrl(
      "the PostgreSQL option channel_binding=require needs an sslmode that encrypts: write sslmode=require",
    );
  // The driver binds where the server offers it and cannot insist, so that the certificate has to keep others out.
  const mode = isBound ? "verify-full" : given;
  const isSystem = options.get("sslrootcert") === "system";
  if (isSystem && mode !== "verify-full")
    throw invalidUrl("the PostgreSQL option sslrootcert=system needs sslmode=verify-full");
  const own = { cert: "sslcert", key: "sslkey" } as const;
  const files: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } = isSystem
    ? options.files(own, readFileSync)
    : options.files({ ca: "sslrootcert", ...own }, readFileSync);
  if (mode === "disable") {
    if (Object.keys(files).length > 0)
      throw invalidUrl("the PostgreSQL options sslrootcert, sslcert and sslkey need an sslmode that encrypts");
    return false;
  }
  if ((files.cert === undefined) !== (files.key === undefined))
    throw invalidUrl("the PostgreSQL options sslcert and sslkey are given together");
  return {
    // A root certificate makes `require` verify, as in libpq.
    rejectUnauthorized: mode.startsWith("verify") || (mode === "require" && files.ca !== undefined),
    ...files,
    ...(mode === "verify-full" ? (isIP(host) === 0 ? {} : { host }) : { checkServerIdentity: () => undefined }),
  };
};
