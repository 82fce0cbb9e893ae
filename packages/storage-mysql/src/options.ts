import { type ForeignOptions, inMilliseconds, invalidUrl, UrlOptions } from "@pawl/storage/adapter";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { SslOptions } from "mysql2";

/** What a storage URL says. */
export interface MysqlOptions {
  readonly host: string;
  readonly port: number;
  /** A socket file, which then is used in place of host and port. */
  readonly socketPath: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: SslOptions | undefined;
  /** For how many milliseconds a call waits for a connection and its answer together. */
  readonly timeout: number;
  /** The most connections. */
  readonly poolSize: number;
  /** Whether a server is accepted that acknowledges what is not yet on its disk. */
  readonly relaxed: boolean;
}

const names = ["timeout", "pool_size", "socket", "durability", "ssl_mode", "ssl_ca", "ssl_cert", "ssl_key"] as const;

type Name = (typeof names)[number];

const sslMode = (mode: string): readonly [Name, string] | string =>
  /^preferred$/iu.test(mode)
    ? "write ssl_mode=required, or ssl_mode=disabled where the server does not encrypt"
    : ["ssl_mode", mode.toLowerCase()];

/** What mysql2 takes as JSON: it checks who signed the certificate unless told otherwise, and the name only when told so. */
const sslJson = (json: string): readonly [Name, string] | string => {
  const instead = "write ssl_mode=verify_identity, with ssl_ca=<file> for an authority of the server's own";
  const { rejectUnauthorized, verifyIdentity, minVersion, ...others } = parseJson(json) ?? { others: true };
  if (Object.keys(others).length > 0 || (minVersion !== undefined && minVersion !== "TLSv1.2")) return instead;
  return [
    "ssl_mode",
    rejectUnauthorized === false ? "required" : verifyIdentity === true ? "verify_identity" : "verify_ca",
  ];
};

const parseJson = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
};

const encrypting = "write ssl_mode=required to encrypt, or ssl_mode=verify_identity to know the server as well";

/** Options of MySQL's clients, Prisma, mysql2 and JDBC in the URLs that providers show. */
const foreign: ForeignOptions<Name> = {
  "ssl-mode": sslMode,
  sslmode: sslMode,
  sslMode,
  ssl: sslJson,
  sslaccept: (value) =>
    value === "strict"
      ? ["ssl_mode", "verify_identity"]
      : value === "accept_invalid_certs"
        ? ["ssl_mode", "required"]
        : encrypting,
  useSSL: encrypting,
  requireSSL: encrypting,
  sslcert: "write ssl_ca=<file> for the server's authority, ssl_cert and ssl_key for a certificate of the client's own",
  connection_limit: (value) => ["pool_size", value],
  connectionLimit: (value) => ["pool_size", value],
  connect_timeout: (value) => ["timeout", inMilliseconds(value)],
  connectTimeout: (value) => ["timeout", value],
  pool_timeout: "write timeout=<milliseconds>, which counts the wait for a connection as well",
  socket_timeout: "write timeout=<milliseconds>",
  // Connections that were lost are replaced anyhow; tables and connections are utf8mb4.
  reconnect: () => undefined,
  charset: (value) => (/^utf8mb4/iu.test(value) ? undefined : "leave it out, text is utf8mb4"),
  timezone: "leave it out, no time zone has a part in it",
};

/**
 * Reads `mysql://user:password@host:port/database?option=value` (also `mariadb:`).
 * @throws StorageError `invalid_url`; no message holds the URL or a part that may be secret.
 */
export const parseUrl = (url: string): MysqlOptions => {
  if (!URL.canParse(url) || !/^(?:mysql|mariadb):\/\//u.test(url))
    throw invalidUrl("a MySQL URL is mysql://user:password@host:port/database");
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const options = new UrlOptions("MySQL", names, searchParams, foreign);
  const database = options.decode(pathname.slice(1), "database");
  if (database === "" || database.includes("/"))
    throw invalidUrl("a MySQL URL names one database: mysql://host/database");
  const socketPath = options.get("socket");
  if (hostname === "" && socketPath === undefined) throw invalidUrl("a MySQL URL names a host, or a socket=<file>");
  const host = hostname.replace(/^\[(.*)\]$/u, "$1");
  return {
    host,
    port: port === "" ? 3306 : Number(port),
    socketPath,
    user: options.decode(username, "user"),
    password: options.decode(password, "password"),
    database,
    ssl: sslOf(options, host),
    timeout: options.wholeNumber("timeout", { least: 100, most: 60_000, otherwise: 5000 }),
    poolSize: options.wholeNumber("pool_size", { least: 2, most: 1000, otherwise: 10 }),
    relaxed: options.oneOf("durability", ["full", "relaxed"]) === "relaxed",
  };
};

/** The modes of MySQL's own clients: `required` encrypts, `verify_ca` checks who signed, `verify_identity` also the name. */
const sslOf = (options: UrlOptions<Name>, host: string): SslOptions | undefined => {
  const mode = options.oneOf("ssl_mode", ["disabled", "required", "verify_ca", "verify_identity"]) ?? "disabled";
  // The driver would compare the certificate of an address with "localhost".
  if (mode === "verify_identity" && isIP(host) !== 0)
    throw invalidUrl("the MySQL option ssl_mode=verify_identity needs a host name in the URL, not an address");
  const files = options.files({ ca: "ssl_ca", cert: "ssl_cert", key: "ssl_key" }, readFileSync);
  if (mode !== "disabled")
    return {
      rejectUnauthorized: mode !== "required",
      verifyIdentity: mode === "verify_identity",
      minVersion: "TLSv1.2",
      ...files,
    };
  if (Object.keys(files).length > 0)
    throw invalidUrl("the MySQL options ssl_ca, ssl_cert and ssl_key need an ssl_mode");
  return undefined;
};
