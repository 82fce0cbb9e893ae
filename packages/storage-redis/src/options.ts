import { type ForeignOptions, inMilliseconds, invalidUrl, UrlOptions } from "@pawl/storage/adapter";
import { readFileSync } from "node:fs";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Settings of TLS, as `node:tls` takes them. */
interface TlsOptions {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** What the server must do with a write before it acknowledges it. */
export type Durability = "always" | "everysec" | "none";

/** What a storage URL says. */
export interface RedisOptions {
  readonly addresses: readonly Address[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: TlsOptions | undefined;
  /** Whether it is a cluster; undefined: the server is asked. */
  readonly cluster: boolean | undefined;
  /** What every key begins with. */
  readonly prefix: string;
  /** For how many milliseconds a call waits for its answer. */
  readonly timeout: number;
  /** How many replicas have to acknowledge a write. */
  readonly wait: number;
  readonly durability: Durability;
}

const names = [
  "cluster",
  "prefix",
  "timeout",
  "wait",
  "durability",
  "tls_ca",
  "tls_cert",
  "tls_key",
  "tls_servername",
  "tls_verify",
] as const;
type Name = (typeof names)[number];
type Options = UrlOptions<Name>;

const encrypting = "write rediss: in place of redis:";
const notVerified = (value: string): readonly [Name, string] | undefined =>
  value === "true" ? ["tls_verify", "false"] : undefined;

/** Options of ioredis, redis-py and go-redis in the URLs that providers show. */
const foreign: ForeignOptions<Name> = {
  tls: encrypting,
  ssl: encrypting,
  ssl_cert_reqs: (value) =>
    /^(?:CERT_)?NONE$/iu.test(value)
      ? ["tls_verify", "false"]
      : /^(?:CERT_)?REQUIRED$/iu.test(value)
        ? ["tls_verify", "true"]
        : "write tls_verify=true or tls_verify=false",
  skip_verify: notVerified,
  insecure_skip_verify: notVerified,
  ssl_ca_certs: (value) => ["tls_ca", value],
  db: "write the number after the host: redis://host:6379/0",
  database: "write the number after the host: redis://host:6379/0",
  // Both kinds of address are tried.
  family: (value) => (value === "0" ? undefined : "leave it out, or write family=0"),
  protocol: (value) => (value === "2" || value === "3" ? undefined : "leave it out"),
  connect_timeout: (value) => ["timeout", inMilliseconds(value)],
  connectTimeout: (value) => ["timeout", value],
  dial_timeout: "write timeout=<milliseconds>",
  socket_timeout: "write timeout=<milliseconds>",
  pool_size: "leave it out, a server needs one connection",
  max_connections: "leave it out, a server needs one connection",
  connection_limit: "leave it out, a server needs one connection",
};

/**
 * Reads `redis://user:password@host:6379/0?option=value`, `rediss://…`, and for a cluster several hosts with commas between
 * them.
 * @throws StorageError `invalid_url`; no message holds the URL or a part that may be secret.
 */
export const parseUrl = (url: string): RedisOptions => {
  const [, scheme, user, password, hosts, database = "", query = ""] =
    /^(rediss?):\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/su.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined)
    throw invalidUrl(
      "a Redis URL is redis://user:password@host:port/database, with commas between the hosts of a cluster",
    );
  const options = new UrlOptions("Redis", names, query, foreign);
  const addresses = hosts.split(",").map(addressOf);
  const cluster = addresses.length > 1 ? true : flagOf(options, "cluster");
  if (addresses.length > 1 && options.get("cluster") === "false")
    throw invalidUrl("a Redis URL with several hosts is one of a cluster");
  if (!/^\d{0,4}$/u.test(database)) throw invalidUrl("the database of a Redis URL is a number: redis://host:6379/0");
  if (cluster === true && Number(database) !== 0) throw invalidUrl("a Redis Cluster has no databases but 0");
  const prefix = options.get("prefix") ?? "pawl";
  if (!/^[\w.:-]{1,100}$/u.test(prefix))
    throw invalidUrl("the Redis option prefix is 1 to 100 letters, digits and characters of .:_-");
  return {
    addresses,
    username: user === undefined || user === "" ? undefined : options.decode(user, "user"),
    password: password === undefined ? undefined : options.decode(password, "password"),
    database: Number(database),
    tls: tlsOf(options, scheme === "rediss"),
    cluster,
    prefix,
    timeout: options.wholeNumber("timeout", { least: 1, most: 60_000, otherwise: 5000 }),
    wait: options.wholeNumber("wait", { least: 0, most: 5, otherwise: 0 }),
    durability: options.oneOf("durability", ["always", "everysec", "none"]) ?? "everysec",
  };
};

const addressOf = (text: string): Address => {
  const [, bracketed, plain, port = "6379"] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/u.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw invalidUrl("each host of a Redis URL is host or host:port");
  return { host, port: Number(port) };
};

const flagOf = (options: Options, name: Name): boolean | undefined => {
  const text = options.oneOf(name, ["true", "false"]);
  return text === undefined ? undefined : text === "true";
};

const tlsOf = (options: Options, isOn: boolean): TlsOptions | undefined => {
  if (isOn)
    return {
      rejectUnauthorized: flagOf(options, "tls_verify") ?? true,
      servername: options.get("tls_servername"),
      ...options.files({ ca: "tls_ca", cert: "tls_cert", key: "tls_key" }, readFileSync),
    };
  const named = options.names.find((name) => name.startsWith("tls_"));
  if (named !== undefined) throw invalidUrl(`the Redis option ${named} needs a rediss: URL`);
  return undefined;
};
