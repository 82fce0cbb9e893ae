import { invalidUrl, UrlOptions } from "@pawl/storage/adapter";
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
  readonly application_name: string;
}

export interface PostgresOptions {
  readonly address: Address;
  /** Where to listen for revocations; undefined where they have to be polled for. */
  readonly listenAddress: Address | undefined;
  /** Whether a connection is ours alone, so that statements can be prepared on it. */
  readonly prepare: boolean;
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
  "application_name",
  "listen_url",
  "prepare",
  "schema",
  "partitions",
  "pool",
  "timeout",
] as const;

type Options = UrlOptions<(typeof names)[number]>;

/**
 * Reads `postgres://user:password@host:port/database?option=value`.
 * @throws StorageError `invalid_url`; its message tells no user, password or address.
 */
export const parseUrl = (url: string): PostgresOptions => {
  const { parsed, options } = split(url);
  const prepare = options.oneOf("prepare", ["true", "false"]) !== "false";
  const address = addressOf(parsed, options);
  const listenUrl = options.get("listen_url");
  const listenAddress = listenUrl === undefined ? (prepare ? address : undefined) : parseListenUrl(listenUrl);
  const schema = options.get("schema") ?? "pawl";
  if (!/^[a-z_][a-z0-9_]{0,47}$/u.test(schema))
    throw invalidUrl("the PostgreSQL option schema takes lower-case letters, digits and _, 48 at most");
  return {
    address,
    listenAddress,
    prepare,
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
  return { parsed, options: new UrlOptions("PostgreSQL", names, parsed.searchParams) };
};

const parseListenUrl = (url: string): Address => {
  const { parsed, options } = split(url);
  for (const name of options.names)
    if (!name.startsWith("ssl") && name !== "host" && name !== "application_name")
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
  return {
    host,
    port: parsed.port === "" ? 5432 : Number(parsed.port),
    ssl: encryptionOf(options, host),
    application_name: options.get("application_name") ?? "pawl",
    user: user || undefined,
    password: password || undefined,
    database: database || undefined,
  };
};

/** The modes mean what they mean in PostgreSQL's own clients (libpq, "SSL Mode Descriptions"), those that try both excepted. */
const encryptionOf = (options: Options, host: string): Encryption => {
  const mode = options.oneOf("sslmode", ["disable", "require", "verify-ca", "verify-full"]) ?? "disable";
  const files = options.files({ ca: "sslrootcert", cert: "sslcert", key: "sslkey" }, readFileSync);
  if (mode === "disable") {
    if (Object.keys(files).length > 0)
      throw invalidUrl("the PostgreSQL options sslrootcert, sslcert and sslkey need an sslmode that encrypts");
    return false;
  }
  if ((files.cert === undefined) !== (files.key === undefined))
    throw invalidUrl("the PostgreSQL options sslcert and sslkey are given together");
  return {
    // A root certificate makes `require` verify, as in libpq.
    rejectUnauthorized: mode !== "require" || files.ca !== undefined,
    ...files,
    ...(mode === "verify-full" ? (isIP(host) === 0 ? {} : { host }) : { checkServerIdentity: () => undefined }),
  };
};
