import { expect, it } from "vitest";
import { parseUrl } from "../src/options.js";

const defaults = { database: 0, prefix: "pawl", timeout: 5000, wait: 0, durability: "everysec" };

it("reads one host, several, and everything that a URL may say", () => {
  expect(parseUrl("redis://localhost")).toEqual({
    ...defaults,
    addresses: [{ host: "localhost", port: 6379 }],
  });
  expect(parseUrl("redis://a:1,b,[::1]:3")).toEqual({
    ...defaults,
    addresses: [
      { host: "a", port: 1 },
      { host: "b", port: 6379 },
      { host: "::1", port: 3 },
    ],
    cluster: true,
  });
  const options = "cluster=false&prefix=shop&timeout=800&wait=2&durability=always&tls_verify=false&tls_servername=x";
  expect(parseUrl(`rediss://app:p%40ss%2F@db.example:7000/3?${options}`)).toEqual({
    addresses: [{ host: "db.example", port: 7000 }],
    username: "app",
    password: "p@ss/",
    database: 3,
    cluster: false,
    prefix: "shop",
    timeout: 800,
    wait: 2,
    durability: "always",
    tls: { rejectUnauthorized: false, servername: "x" },
  });
  expect(parseUrl("redis://:secret@h/?cluster=true")).toMatchObject({ password: "secret", cluster: true });
});

it.each([
  ["Upstash", "rediss://default:p@h.upstash.io:6379", { tls: { rejectUnauthorized: true } }],
  ["Heroku", "rediss://:p@h:6380?ssl_cert_reqs=none", { tls: { rejectUnauthorized: false } }],
  ["redis-py", "rediss://h?ssl_cert_reqs=CERT_REQUIRED&protocol=3", { tls: { rejectUnauthorized: true } }],
  ["go-redis", "rediss://h?skip_verify=true", { tls: { rejectUnauthorized: false } }],
  ["Railway", "redis://default:p@h:6379?family=0", { tls: undefined }],
  ["ioredis", "redis://h/2?connectTimeout=900", { database: 2, timeout: 900 }],
])("takes the URL of %s", (_, url, options) => {
  expect(parseUrl(url)).toMatchObject(options);
});

it.each([
  ["redis://a?tls=true", "write rediss: in place of redis:"],
  ["redis://a?db=1", "write the number after the host"],
  ["redis://a?family=6", "leave it out"],
  ["redis://a?max_connections=5", "a server needs one connection"],
  ["redis://a?skip_verify=true", "tls_verify needs a rediss: URL"],
  ["rediss://a?ssl_cert_reqs=optional", "write tls_verify=true"],
  ["http://localhost", "a Redis URL is"],
  ["redis:localhost", "a Redis URL is"],
  ["redis://", "each host"],
  ["redis://a,,b", "each host"],
  ["redis://a:0", "each host"],
  ["redis://a:70000", "each host"],
  ["redis://a/x", "the database"],
  ["redis://a,b/1", "no databases but 0"],
  ["redis://a,b?cluster=false", "one of a cluster"],
  ["redis://a?cluster=yes", "cluster is one of true, false"],
  ["redis://a?ttl=3", 'unknown Redis option "ttl"'],
  ["redis://a?wait=1&wait=2", "given twice"],
  ["redis://a?wait=9", "wait is a whole number from 0 to 5"],
  ["redis://a?timeout=1.5", "timeout is a whole number"],
  ["redis://a?prefix={x}", "prefix"],
  ["redis://a?durability=maybe", "durability is one of"],
  ["redis://a?tls_ca=/ca.pem", "tls_ca needs a rediss: URL"],
  ["rediss://a?tls_ca=/nowhere/ca.pem", "tls_ca cannot be read"],
  ["redis://a:%zz@h", "not percent-encoded"],
])("refuses %s", (url, message) => {
  expect(() => parseUrl(url)).toThrow(
    expect.objectContaining({ code: "invalid_url", message: expect.stringContaining(message) as string }),
  );
});

it("repeats nothing that may be secret", () => {
  for (const url of ["redis://u:canary@a?x=canary", "redis://u:canary%zz@a", "redis://u:canary@a/canary"])
    expect(() => parseUrl(url)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("canary") as string }),
    );
});
