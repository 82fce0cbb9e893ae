import { StorageError } from "@pawl/storage";
import { expect, it } from "vitest";
import { openStorage } from "../src/index.js";
import { parseUrl } from "../src/options.js";

const defaults = {
  mayBePlain: false,
  schema: "pawl",
  partitions: 0,
  pool: 10,
  timeout: 5000,
};

const localhost = { host: "localhost", port: 5432, ssl: false, application_name: "pawl", enableChannelBinding: false };

it("reads what a URL says, and what it leaves open", () => {
  expect(parseUrl("postgres:///")).toEqual({ ...defaults, address: localhost });
  const address = {
    ...localhost,
    host: "db.example",
    port: 6432,
    user: "p@wl",
    password: "s/e:c#r?t",
    database: "a b",
  };
  expect(parseUrl("postgresql://p%40wl:s%2Fe%3Ac%23r%3Ft@db.example:6432/a%20b")).toEqual({
    ...defaults,
    address,
  });
  expect(parseUrl("postgres://[::1]/x").address).toMatchObject({ host: "::1" });
  expect(parseUrl("postgres:///x?host=%2Frun%2Fpostgresql").address).toMatchObject({ host: "/run/postgresql" });
});

it("reads the options", () => {
  const { address, ...options } = parseUrl(
    "postgres://h/x?schema=auth&partitions=16&pool=4&timeout=250&application_name=shop&sslmode=require&prepare=true",
  );
  expect(options).toMatchObject({ schema: "auth", partitions: 16, pool: 4, timeout: 250, prepare: true });
  expect(address).toMatchObject({ application_name: "shop", ssl: { rejectUnauthorized: false } });
});

it("listens where it is told", () => {
  const listen = encodeURIComponent("postgres://u:p@direct:5433/x?sslmode=require");
  expect(parseUrl(`postgres://pooler/x?prepare=false&listen_url=${listen}`).listenAddress).toMatchObject({
    host: "direct",
    port: 5433,
    user: "u",
    password: "p",
    ssl: { rejectUnauthorized: false },
  });
});

const verified = { rejectUnauthorized: true };
const unverified = { rejectUnauthorized: false, checkServerIdentity: expect.any(Function) as () => undefined };

it.each([
  ["Neon", "sslmode=require&channel_binding=require", { ssl: verified, enableChannelBinding: true }, {}],
  [
    "Neon, for Prisma",
    "sslmode=require&pgbouncer=true&connect_timeout=15",
    { ssl: unverified },
    { prepare: false, timeout: 15_000 },
  ],
  ["Supabase", "pgbouncer=true&connection_limit=1", { ssl: false }, { prepare: false, pool: 1 }],
  ["Vercel", "sslmode=require&supa=base-pooler.x", { ssl: unverified }, {}],
  ["Vercel, for Prisma", "pgbouncer=true&connect_timeout=15&sslmode=require", { ssl: unverified }, { prepare: false }],
  ["Azure", "sslmode=require", { ssl: unverified }, {}],
  ["RDS and Cloud SQL", "sslmode=verify-full&sslrootcert=system", { ssl: verified }, {}],
  ["DigitalOcean", "sslmode=require&target_session_attrs=read-write", { ssl: unverified }, {}],
  [
    "libpq's default",
    "sslmode=prefer&gssencmode=prefer&channel_binding=prefer",
    { ssl: unverified, enableChannelBinding: true },
    { mayBePlain: true },
  ],
  ["node-postgres", "uselibpqcompat=true&sslmode=require&keepalives=1", { ssl: unverified }, {}],
])("takes the URL of %s", (_, query, address, options) => {
  const parsed = parseUrl(`postgresql://u:p@h.example/x?${query}`);
  expect(parsed).toMatchObject({ ...options, address });
  expect(parsed.mayBePlain).toBe("mayBePlain" in options);
  if (address.ssl !== false) expect(parsed.address.ssl).toStrictEqual(address.ssl);
});

it("an option of ours holds where another client's says the same", () => {
  for (const query of ["connection_limit=1&pool=7", "pool=7&connection_limit=1"])
    expect(parseUrl(`postgres://h/x?${query}`)).toMatchObject({ pool: 7 });
});

it.each([
  ["postgres:x", "a PostgreSQL URL is"],
  ["mysql://h/x", "a PostgreSQL URL is"],
  ["postgres://u:canary#h/x", "a PostgreSQL URL is"],
  ["postgres://u:canary@h:port/x", "a PostgreSQL URL is"],
  ["postgres://u:canary%@h/x", "percent-encoded"],
  ["postgres://u:canary@h1,h2/x", "one host"],
  ["postgres://u:canary@h/x/y", "one database"],
  ["postgres://u:canary@h/x?colour=blue", 'unknown PostgreSQL option "colour"; accepted are host, sslmode'],
  ["postgres://u:canary@h/x?ssl=true", '"ssl" cannot be taken as it stands: write sslmode=require'],
  ["postgres://u:canary@h/x?connect_timeout=0", "write timeout=<milliseconds>"],
  ["postgres://u:canary@h/x?connect_timeout=canary", "write timeout=<milliseconds>"],
  ["postgres://u:canary@h/x?pool_timeout=10", "write timeout=<milliseconds>"],
  ["postgres://u:canary@h/x?options=endpoint%3Dcanary", "ALTER ROLE"],
  ["postgres://u@h/x?password=canary", "write postgres://user:password@host:port/database"],
  ["postgres://u:canary@h/x?target_session_attrs=any", "only a primary is accepted"],
  ["postgres://u:canary@h/x?channel_binding=require", "write sslmode=require"],
  ["postgres://u:canary@h/x?sslmode=require&sslrootcert=system", "needs sslmode=verify-full"],
  ["postgres://u:canary@h/x?pool=1&pool=2", '"pool" is given twice'],
  ["postgres://u:canary@h/x?pool=0", "pool is a whole number from 1 to 1000"],
  ["postgres://u:canary@h/x?timeout=1s", "timeout is a whole number from 100 to 60000"],
  ["postgres://u:canary@h/x?partitions=-1", "partitions is a whole number"],
  ["postgres://u:canary@h/x?prepare=no", "prepare is one of true, false"],
  ["postgres://u:canary@h/x?schema=Auth%22", "lower-case letters"],
  ["postgres://u:canary@h/x?sslmode=no-verify", "sslmode is one of disable, prefer, require, verify-ca, verify-full"],
  ["postgres://u:canary@h/x?sslrootcert=%2Fno%2Fsuch", "sslrootcert cannot be read (ENOENT)"],
  ["postgres://u:canary@h/x?sslrootcert=%2Fdev%2Fnull", "need an sslmode that encrypts"],
  ["postgres://u:canary@h/x?sslmode=require&sslcert=%2Fdev%2Fnull", "given together"],
  ["postgres://u:canary@h/x?listen_url=postgres%3A%2F%2Fh%3Fpool%3D3", '"pool" has no meaning inside listen_url'],
])("refuses %s", async (url, message) => {
  const error: unknown = await openStorage(url).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StorageError);
  expect(error).toMatchObject({ code: "invalid_url", message: expect.stringContaining(message) as string });
  expect(String(error)).not.toContain("canary");
});
