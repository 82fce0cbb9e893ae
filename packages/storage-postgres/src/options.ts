import { StorageError } from "@pawl/storage";
import { isIP } from "node:net";
import { readFileSync } from "node:fs";

/** How the connection is encrypted: as `ssl` of the driver, false for not at all. */
type Encryption =
  | false
  | {
      readonly rejectUnauthorized: boolean;
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
      /** The name that the server's certificate has to bear where the driver does not hand it on. */
      readonly host?: string;
      readonly checkServerIdentity?: () => undefined;
    };

/** Where a server is and how to log in. What is absent the driver takes from `PGUSER`, `PGPASSWORD` or `~/.pgpass`. */
export interface Address {
  /** A name, an IP address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly ssl: Encryption;
  readonly application_name: string;
}

export interface PostgresOptions {
  readonly address: Address;
  /** Where to listen for revocations; absent where they have to be polled for. */
  readonly listenAddress?: Address;
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

type Name = (typeof names)[number];

const invalid = (message: string): StorageError => new StorageError("invalid_url", message);

/**
 * Reads `postgres://user:password@host:port/database?option=value`.
 * @throws StorageError `invalid_url`; its message tells no user, password or address.
 */
export const parseUrl = (url: string): PostgresOptions => {
  const { parsed, options } = split(url);
  const prepare = oneOf(options, "prepare", ["true", "false"]) !== "false";
  const address = addressOf(parsed, options);
  const listenUrl = options.get("listen_url");
  const listenAddress = listenUrl === undefined ? (prepare ? address : undefined) : parseListenUrl(listenUrl);
  const schema = options.get("schema") ?? "pawl";
  if (!/^[a-z_][a-z0-9_]{0,47}$/u.test(schema))
    throw invalid("the PostgreSQL option schema takes lower-case letters, digits and _, 48 at most");
  return {
    address,
    prepare,
    schema,
    partitions: wholeNumber(options, "partitions", { least: 0, most: 1024, otherwise: 0 }),
    pool: wholeNumber(options, "pool", { least: 1, most: 1000, otherwise: 10 }),
    timeout: wholeNumber(options, "timeout", { least: 100, most: 60_000, otherwise: 5000 }),
    ...(listenAddress === undefined ? {} : { listenAddress }),
  };
};

type Options = ReadonlyMap<Name, string>;

const split = (url: string): { readonly parsed: URL; readonly options: Options } => {
  const parsed = /^postgres(?:ql)?:\/\//u.test(url) && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hash !== "")
    throw invalid(
      "a PostgreSQL URL is postgres://user:password@host:5432/database; a character such as # or / in a password is written %23, %2F",
    );
  const options = new Map<Name, string>();
  for (const [name, value] of parsed.searchParams) {
    const known = names.find((each) => each === name);
    if (known === undefined) throw invalid(`unknown PostgreSQL option "${name}"; there are ${names.join(", ")}`);
    if (options.has(known)) throw invalid(`the PostgreSQL option "${name}" is given twice`);
    options.set(known, value);
  }
  return { parsed, options };
};

const parseListenUrl = (url: string): Address => {
  const { parsed, options } = split(url);
  for (const name of options.keys())
    if (!name.startsWith("ssl") && name !== "host" && name !== "application_name")
      throw invalid(`the PostgreSQL option "${name}" has no meaning inside listen_url`);
  return addressOf(parsed, options);
};

const addressOf = (parsed: URL, options: Options): Address => {
  const host = options.get("host") ?? (decode(parsed.hostname).replace(/^\[(.*)\]$/u, "$1") || "localhost");
  if (host.includes(","))
    throw invalid("a PostgreSQL URL names one host: put a proxy or a name that moves before several");
  const [user, password] = [decode(parsed.username), decode(parsed.password)];
  const database = decode(parsed.pathname.slice(1));
  if (database.includes("/")) throw invalid("a PostgreSQL URL names one database after the host");
  return {
    host,
    port: parsed.port === "" ? 5432 : Number(parsed.port),
    ssl: encryptionOf(options, host),
    application_name: options.get("application_name") ?? "pawl",
    ...(user === "" ? {} : { user }),
    ...(password === "" ? {} : { password }),
    ...(database === "" ? {} : { database }),
  };
};

/** The modes mean what they mean in PostgreSQL's own clients (libpq, "SSL Mode Descriptions"), those that try both excepted. */
const encryptionOf = (options: Options, host: string): Encryption => {
  const mode = oneOf(options, "sslmode", ["disable", "require", "verify-ca", "verify-full"]) ?? "disable";
  const ca = fileOf(options, "sslrootcert");
  const cert = fileOf(options, "sslcert");
  const key = fileOf(options, "sslkey");
  if (mode === "disable") {
    if (ca !== undefined || cert !== undefined || key !== undefined)
      throw invalid("the PostgreSQL options sslrootcert, sslcert and sslkey need an sslmode that encrypts");
    return false;
  }
  if ((cert === undefined) !== (key === undefined))
    throw invalid("the PostgreSQL options sslcert and sslkey are given together");
  return {
    // A root certificate makes `require` verify, as in libpq.
    rejectUnauthorized: mode !== "require" || ca !== undefined,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(mode === "verify-full" ? (isIP(host) === 0 ? {} : { host }) : { checkServerIdentity: () => undefined }),
  };
};

const fileOf = (options: Options, name: Name): string | undefined => {
  const path = options.get(name);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw invalid(`the file of the PostgreSQL option ${name} cannot be read (${code ?? "unknown"}): ${path}`);
  }
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("a part of the PostgreSQL URL has a % that is no escape; the sign itself is written %25");
  }
};

const oneOf = <T extends string>(options: Options, name: Name, values: readonly T[]): T | undefined => {
  const text = options.get(name);
  const value = values.find((each) => each === text);
  if (text !== undefined && value === undefined)
    throw invalid(`the PostgreSQL option ${name} is one of ${values.join(", ")}, not "${text}"`);
  return value;
};

const wholeNumber = (
  options: Options,
  name: Name,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number => {
  const text = options.get(name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,6}$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw invalid(`the PostgreSQL option ${name} is a whole number from ${least} to ${most}, not "${text}"`);
};
