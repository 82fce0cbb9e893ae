import { inspect } from "node:util";
import { expect, it } from "vitest";
import { parseUrl } from "../src/options.js";

it("reads a plain URL", () => {
  expect(parseUrl("mysql://pawl:a%40b%2Fc@db.internal/sessions")).toEqual({
    host: "db.internal",
    port: 3306,
    user: "pawl",
    password: "a@b/c",
    database: "sessions",
    timeout: 5000,
    poolSize: 10,
    relaxed: false,
  });
  expect(parseUrl("mariadb://root@[::1]:3307/pawl")).toMatchObject({ host: "::1", port: 3307, password: "" });
});

it("reads every option", () => {
  expect(
    parseUrl(
      "mysql://u@h/d?timeout=900&pool_size=4&socket=/run/mysqld/mysqld.sock&durability=relaxed&ssl_mode=verify_identity",
    ),
  ).toMatchObject({
    timeout: 900,
    poolSize: 4,
    socketPath: "/run/mysqld/mysqld.sock",
    relaxed: true,
    ssl: { rejectUnauthorized: true, verifyIdentity: true },
  });
  expect(parseUrl("mysql://u@h/d?ssl_mode=required").ssl).toMatchObject({ rejectUnauthorized: false });
  expect(parseUrl("mysql://u@h/d?ssl_mode=verify_ca").ssl).toMatchObject({
    rejectUnauthorized: true,
    verifyIdentity: false,
  });
  expect(parseUrl("mysql://u@h/d?ssl_mode=disabled").ssl).toBeUndefined();
});

const signed = { rejectUnauthorized: true, verifyIdentity: false };
const identified = { rejectUnauthorized: true, verifyIdentity: true };
const encrypted = { rejectUnauthorized: false, verifyIdentity: false };

it.each([
  ["PlanetScale", 'ssl={"rejectUnauthorized":true}', { ssl: signed }],
  ["PlanetScale, for Prisma", "sslaccept=strict&connect_timeout=15", { ssl: identified, timeout: 15_000 }],
  ["TiDB Cloud", 'ssl={"minVersion":"TLSv1.2","rejectUnauthorized":true,"verifyIdentity":true}', { ssl: identified }],
  ["Aiven and DigitalOcean", "ssl-mode=REQUIRED", { ssl: encrypted }],
  ["MySQL's clients", "ssl-mode=VERIFY_IDENTITY", { ssl: identified }],
  ["Azure", 'ssl={"rejectUnauthorized":false}', { ssl: encrypted }],
  ["ClearDB of Heroku", "reconnect=true", { ssl: undefined }],
  ["Prisma", "connection_limit=3&charset=utf8mb4&sslaccept=accept_invalid_certs", { poolSize: 3, ssl: encrypted }],
])("takes the URL of %s", (_, query, options) => {
  expect(parseUrl(`mysql://u:p@h.example/d?${query}`)).toMatchObject(options);
  expect(parseUrl(`mysql://u:p@h.example/d?${encodeURI(query)}`)).toMatchObject(options);
});

it("refuses what it does not understand, by name and without the password", () => {
  const refused = [
    ["mysql:d", "mysql://user:password@host:port/database"],
    ["mysql://u:canary@h", "names one database"],
    ["mysql://u:canary@h/a/b", "names one database"],
    ["mysql://u:canary@h/%zz", "percent-encoded"],
    ["mysql://u:%canary@h/d", "percent-encoded"],
    ["mysql://u:canary@/d", "mysql://user:password@host"],
    ["mysql://u:canary@h/d?poolsize=3", 'unknown MySQL option "poolsize"'],
    ["mysql://u:canary@h/d?ssl=true", "write ssl_mode=verify_identity"],
    ["mysql://u:canary@h/d?ssl={", "write ssl_mode=verify_identity"],
    ['mysql://u:canary@h/d?ssl={"ca":"canary"}', "write ssl_mode=verify_identity"],
    ["mysql://u:canary@h/d?ssl-mode=PREFERRED", "write ssl_mode=required"],
    ["mysql://u:canary@h/d?ssl-mode=canary", "ssl_mode is one of"],
    ["mysql://u:canary@h/d?useSSL=true", "write ssl_mode=required"],
    ["mysql://u:canary@h/d?pool_timeout=2", "write timeout=<milliseconds>"],
    ["mysql://u:canary@h/d?timezone=Z", "leave it out"],
    ["mysql://u:canary@h/d?pool_size=1", "pool_size is a whole number from 2 to 1000"],
    ["mysql://u:canary@h/d?timeout=1s", "timeout is a whole number from 100 to 60000"],
    ["mysql://u:canary@h/d?timeout=500&timeout=600", "given twice"],
    ["mysql://u:canary@h/d?durability=none", "durability is one of full, relaxed"],
    ["mysql://u:canary@h/d?ssl_mode=on", "ssl_mode is one of"],
    ["mysql://u:canary@[::1]/d?ssl_mode=verify_identity", "needs a host name"],
    ["mysql://u:canary@h/d?ssl_ca=/x.pem", "ssl_ca cannot be read"],
    [`mysql://u:canary@h/d?ssl_ca=${import.meta.filename}`, "need an ssl_mode"],
  ] as const;
  for (const [url, message] of refused)
    try {
      parseUrl(url);
      expect.unreachable(url);
    } catch (error) {
      expect(error, url).toMatchObject({ name: "StorageError", code: "invalid_url" });
      expect((error as Error).message, url).toContain(message);
      expect(inspect(error, { depth: 9 })).not.toContain("canary");
    }
});
