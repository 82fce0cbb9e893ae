import { StorageError } from "@pawl/storage";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { SslOptions } from "mysql2";

/** What a storage URL says. */
export interface MysqlOptions {
  readonly host: string;
  readonly port: number;
  /** A socket file, which then is used in place of host and port. */
  readonly socketPath?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl?: SslOptions;
  /** For how many milliseconds a call waits for a connection and its answer together. */
  readonly timeout: number;
  /** At most so many connections. */
  readonly poolSize: number;
  /** Whether a server is accepted that acknowledges what is not yet on its disk. */
  readonly relaxed: boolean;
}

const sslModes = ["disabled", "required", "verify_ca", "verify_identity"] as const;
const names = ["timeout", "pool_size", "socket", "durability", "ssl_mode", "ssl_ca", "ssl_cert", "ssl_key"] as const;
type Name = (typeof names)[number];
type Given = ReadonlyMap<Name, string>;

const invalid = (message: string): StorageError => new StorageError("invalid_url", message);

const isName = (name: string): name is Name => (names as readonly string[]).includes(name);

/**
 * Reads `mysql://user:password@host:port/database?option=value` (also `mariadb:`). Unknown options are refused by name; no
 * message holds the URL or a part that may be secret.
 * @throws StorageError `invalid_url`.
 */
export const parseUrl = (url: string): MysqlOptions => {
  if (!URL.canParse(url) || !/^(?:mysql|mariadb):\/\//u.test(url))
    throw invalid("a MySQL URL is mysql://user:password@host:port/database");
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const given = new Map<Name, string>();
  for (const [name, value] of searchParams) {
    if (!isName(name)) throw invalid(`unknown MySQL option "${name}"; accepted are ${names.join(", ")}`);
    if (given.has(name)) throw invalid(`the MySQL option "${name}" is given twice`);
    given.set(name, value);
  }
  const database = decode(pathname.slice(1), "database");
  if (database === "" || database.includes("/")) throw invalid("a MySQL URL names one database: mysql://host/database");
  const socketPath = given.get("socket");
  if (hostname === "" && socketPath === undefined) throw invalid("a MySQL URL names a host, or a socket=<file>");
  const ssl = sslOf(given, hostname);
  const durability = given.get("durability") ?? "full";
  if (durability !== "full" && durability !== "relaxed")
    throw invalid("the MySQL option durability is full or relaxed");
  return {
    host: hostname.replace(/^\[(.*)\]$/u, "$1"),
    port: port === "" ? 3306 : Number(port),
    user: decode(username, "user"),
    password: decode(password, "password"),
    database,
    timeout: numberOf(given, "timeout", { least: 100, most: 60_000, otherwise: 5000 }),
    poolSize: numberOf(given, "pool_size", { least: 2, most: 1000, otherwise: 10 }),
    relaxed: durability === "relaxed",
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(ssl === undefined ? {} : { ssl }),
  };
};

const decode = (text: string, what: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`the ${what} of a MySQL URL is not percent-encoded: % is written %25`);
  }
};

const numberOf = (
  given: Given,
  name: Name,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number => {
  const text = given.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^\d{1,6}$/u.test(text) && value >= least && value <= most) return value;
  throw invalid(`the MySQL option ${name} is a whole number from ${least} to ${most}`);
};

/** The modes of MySQL's own clients: `required` encrypts, `verify_ca` checks who signed, `verify_identity` also the name. */
const sslOf = (given: Given, host: string): SslOptions | undefined => {
  const written = given.get("ssl_mode") ?? "disabled";
  const mode = sslModes.find((known) => known === written);
  if (mode === undefined) throw invalid(`the MySQL option ssl_mode is one of ${sslModes.join(", ")}`);
  // The driver would compare the certificate of an address with "localhost".
  if (mode === "verify_identity" && isIP(host.replace(/^\[(.*)\]$/u, "$1")) !== 0)
    throw invalid("the MySQL option ssl_mode=verify_identity needs a host name in the URL, not an address");
  const [ca, cert, key] = (["ssl_ca", "ssl_cert", "ssl_key"] as const).map((name) => fileOf(given, name));
  if (mode === "disabled") {
    if (ca ?? cert ?? key) throw invalid("the MySQL options ssl_ca, ssl_cert and ssl_key need an ssl_mode");
    return undefined;
  }
  return {
    rejectUnauthorized: mode !== "required",
    verifyIdentity: mode === "verify_identity",
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
};

const fileOf = (given: Given, name: Name): Buffer | undefined => {
  const path = given.get(name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new StorageError("invalid_url", `the file of the MySQL option ${name} cannot be read`, { cause });
  }
};
