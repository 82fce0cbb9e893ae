import { StorageError } from "@pawl/storage";
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
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** What the server must do with a write before it acknowledges it. */
export type Durability = "always" | "everysec" | "none";

/** What a storage URL says. */
export interface RedisOptions {
  readonly addresses: readonly Address[];
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  readonly tls?: TlsOptions;
  /** Whether it is a cluster; absent: the server is asked. */
  readonly cluster?: boolean;
  /** What every key begins with. */
  readonly prefix: string;
  /** For how many milliseconds a call waits for its answer. */
  readonly timeout: number;
  /** So many replicas have to acknowledge a write. */
  readonly wait: number;
  readonly durability: Durability;
}

const tlsNames = ["tls_ca", "tls_cert", "tls_key", "tls_servername", "tls_verify"] as const;
const names = ["cluster", "prefix", "timeout", "wait", "durability", ...tlsNames] as const;
type Name = (typeof names)[number];
type Given = ReadonlyMap<Name, string>;

const durabilities: readonly string[] = ["always", "everysec", "none"] satisfies readonly Durability[];

const invalid = (message: string): StorageError => new StorageError("invalid_url", message);

const isName = (name: string): name is Name => (names as readonly string[]).includes(name);

/**
 * Reads `redis://user:password@host:6379/0?option=value`, `rediss://…`, and for a cluster several hosts with commas between
 * them. Unknown options are refused by name; no message holds the URL or a part that may be secret.
 * @throws StorageError `invalid_url`.
 */
export const parseUrl = (url: string): RedisOptions => {
  const [, scheme, user, password, hosts, database = "", query = ""] =
    /^(rediss?):\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/su.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined)
    throw invalid(
      "a Redis URL is redis://user:password@host:port/database, with commas between the hosts of a cluster",
    );
  const given = new Map<Name, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!isName(name)) throw invalid(`unknown Redis option "${name}"; accepted are ${names.join(", ")}`);
    if (given.has(name)) throw invalid(`the Redis option "${name}" is given twice`);
    given.set(name, value);
  }
  const addresses = hosts.split(",").map(addressOf);
  const cluster = addresses.length > 1 ? true : flagOf(given, "cluster");
  if (addresses.length > 1 && given.get("cluster") === "false")
    throw invalid("a Redis URL with several hosts is one of a cluster");
  if (!/^\d{0,4}$/u.test(database)) throw invalid("the database of a Redis URL is a number: redis://host:6379/0");
  if (cluster === true && Number(database) !== 0) throw invalid("a Redis Cluster has no databases but 0");
  const tls = tlsOf(given, scheme === "rediss");
  const prefix = given.get("prefix") ?? "pawl";
  if (!/^[\w.:-]{1,100}$/u.test(prefix))
    throw invalid("the Redis option prefix is 1 to 100 letters, digits and characters of .:_-");
  const durability = given.get("durability") ?? "everysec";
  if (!durabilities.includes(durability))
    throw invalid(`the Redis option durability is one of ${durabilities.join(", ")}`);
  return {
    addresses,
    database: Number(database),
    prefix,
    timeout: numberOf(given, "timeout", { least: 1, most: 60_000, otherwise: 5000 }),
    wait: numberOf(given, "wait", { least: 0, most: 5, otherwise: 0 }),
    durability: durability as Durability,
    ...(cluster === undefined ? {} : { cluster }),
    ...(user === undefined || user === "" ? {} : { username: decode(user, "user") }),
    ...(password === undefined ? {} : { password: decode(password, "password") }),
    ...(tls === undefined ? {} : { tls }),
  };
};

const addressOf = (text: string): Address => {
  const [, bracketed, plain, port = "6379"] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/u.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw invalid("each host of a Redis URL is host or host:port");
  return { host, port: Number(port) };
};

const decode = (text: string, what: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`the ${what} of a Redis URL is not percent-encoded: % is written %25`);
  }
};

const flagOf = (given: Given, name: Name): boolean | undefined => {
  const text = given.get(name);
  if (text === undefined || text === "true" || text === "false")
    return text === undefined ? undefined : text === "true";
  throw invalid(`the Redis option ${name} is true or false`);
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
  throw invalid(`the Redis option ${name} is a whole number from ${least} to ${most}`);
};

const tlsOf = (given: Given, isOn: boolean): TlsOptions | undefined => {
  const named = tlsNames.find((name) => given.has(name));
  if (!isOn) {
    if (named !== undefined) throw invalid(`the Redis option ${named} needs a rediss: URL`);
    return undefined;
  }
  const [ca, cert, key] = (["tls_ca", "tls_cert", "tls_key"] as const).map((name) => fileOf(given, name));
  const servername = given.get("tls_servername");
  return {
    rejectUnauthorized: flagOf(given, "tls_verify") ?? true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
};

const fileOf = (given: Given, name: Name): Buffer | undefined => {
  const path = given.get(name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new StorageError("invalid_url", `the file of the Redis option ${name} cannot be read`, { cause });
  }
};
