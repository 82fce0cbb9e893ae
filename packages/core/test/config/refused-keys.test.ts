import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configKey, configNames } from "../../src/config/config-keys.js";
import { compulsory, configFolder } from "./config-folder.js";

const { folder, fault, read } = configFolder();
const path = join(folder, "config.yaml");

const secretOfWebhook = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** Values that YAML gives and that a key of this type must refuse. */
const wrongValues: Readonly<Record<string, readonly string[]>> = {
  integer: ["text", "'3'", "1.5", ".nan", ".inf", "-.inf", "true", "[1]", "{a: 1}", "1e400", "99999999999999999999"],
  number: ["text", "'3'", ".nan", ".inf", "true", "[1]", "{a: 1}"],
  boolean: ["yes", "'true'", "1", "0", "[true]", "{a: true}"],
  text: ["1", "true", "''", "'  '", "[a]", "{a: b}", "2001-01-01T00:00:00Z: x"],
  duration: ["30", "1800.5", "true", "'30 m'", "'1.5h'", "-5m", "'0s'", "[30m]", "forever"],
  "list of mappings": [
    "1",
    "text",
    "[]",
    "{issuer: 'https://id.example', client_id: a}",
    "[https://id.example]",
    "[[]]",
    "[~]",
    "[{}]",
    "[{issuer: 'https://id.example'}]",
    "[{client_id: a}]",
    "[{issuer: id.example, client_id: a}]",
    "[{issuer: 'ftp://id.example', client_id: a}]",
    "[{issuer: 'https://id.example?a=b', client_id: a}]",
    "[{issuer: 'https://id.example', client_id: ''}]",
    "[{issuer: 'https://id.example', client_id: 1}]",
    "[{issuer: 'https://id.example', client_id: a, jwks_uri: keys}]",
    "[{issuer: 'https://id.example', client_id: a, tenant_id: A_B}]",
    "[{issuer: 'https://id.example', client_id: a, across_tenants: 'yes'}]",
    "[{issuer: 'https://id.example', client_id: a, jwksUri: 'https://id.example/keys'}]",
    "[{issuer: 'https://id.example', client_id: a}, {issuer: 'https://other.example'}]",
    `[${["admin", "token_reuse"].map((type) => `{url: 'https://a.example', secret: ${secretOfWebhook}, events: [${type}]}`).join()}]`,
  ],
  "list of text": ["1", "true", "[]", "''", "[1]", "[a, '']", "{a: b}", "[[a]]"],
};

describe("wrong values", () => {
  const readable = configNames.filter((name) => configKey(name).environmentOnly !== true);

  test.each(readable)("%s refuses what is not of its type, naming key, value and what is accepted", (name) => {
    const { type, secret } = configKey(name);
    for (const value of wrongValues[type.name] ?? ["1", "true", "nonsense", "''", "[DEV]", "{a: b}", "dev"]) {
      const text = `${compulsory.replace(new RegExp(`^${name}.*\n`, "m"), "")}${name}: ${value}\n`;
      const { code, message } = fault(text);
      expect([code, value]).toEqual([value.includes(": x") ? "invalid_yaml" : "invalid_value", value]);
      if (code === "invalid_yaml") continue;
      expect(message.startsWith(`'${name}' must be `), message).toBe(true);
      expect(message.endsWith(`. Config file: ${path}`), message).toBe(true);
      expect(message.includes(", but it is "), message).toBe(secret !== true);
      expect(message).not.toContain("\n");
    }
  });

  test.each([
    ["port", "65536", "must be an integer from 0 to 65535, but it is 65536"],
    ["port", "-1", "must be an integer from 0 to 65535, but it is -1"],
    ["port", ".nan", "must be an integer from 0 to 65535, but it is NaN"],
    ["refresh_token_reuse_window", "301", "must be an integer from 0 to 300, but it is 301 seconds"],
    ["refresh_token_reuse_window", "-1", "must be an integer from 0 to 300, but it is -1 seconds"],
    ["token_theft_action", "ignore", 'must be one of revoke_session, revoke_user, report, but it is "ignore"'],
    ["mode", "dev", 'must be DEV or PRODUCTION, but it is "dev"'],
    ["access_token_signing_algorithm", "HS256", 'must be ES256 or RS256, but it is "HS256"'],
    ["log_level", "warning", 'must be one of debug, info, warn, error, none, but it is "warning"'],
    ["max_sessions_per_user", "0", "must be an integer of at least 1, but it is 0"],
    [
      "access_token_signing_key_update_interval",
      "0.001",
      "must be between 0.0167 (a minute) and 876000 hours, but it is 0.001 hours",
    ],
    [
      "session_idle_timeout",
      "59s",
      'must be a duration from 1m to 36500d, such as 30m or 12h (units s, m, h, d, w), but it is "59s"',
    ],
    [
      "session_absolute_timeout",
      "36501d",
      'must be a duration from 1s to 36500d, such as 30m or 12h (units s, m, h, d, w), but it is "36501d"',
    ],
    [
      "longest_acting",
      "25h",
      'must be a duration from 1m to 1d, such as 30m or 12h (units s, m, h, d, w), but it is "25h"',
    ],
    ["device_binding", "always", 'must be one of off, prefer, require, but it is "always"'],
    ["session_preset", "nist-aal4", 'must be one of nist-aal1, nist-aal2, nist-aal3, but it is "nist-aal4"'],
    [
      "event_retention",
      "59m",
      'must be a duration from 1h to 36500d, such as 30m or 12h (units s, m, h, d, w), but it is "59m"',
    ],
    [
      "host",
      "http://localhost",
      'must be a host name or an IP address, without scheme, brackets and port, but it is "http://localhost"',
    ],
    ["host", "'[::1]'", 'must be a host name or an IP address, without scheme, brackets and port, but it is "[::1]"'],
    [
      "host",
      "localhost:3567",
      'must be a host name or an IP address, without scheme, brackets and port, but it is "localhost:3567"',
    ],
    [
      "cookie_domain",
      "https://api.example.com",
      'must be a host name without scheme, port and path, but it is "https://api.example.com"',
    ],
    [
      "cookie_domain",
      "'api.example.com; Secure'",
      'must be a host name without scheme, port and path, but it is "api.example.com; Secure"',
    ],
    [
      "ip_allow",
      "[10.0.0.0/8, 10.0.0.300]",
      "must be a list of IP addresses and CIDR ranges such as 10.0.0.0/8, but it is a list",
    ],
    ["ip_allow", "'::1/129'", 'must be a list of IP addresses and CIDR ranges such as 10.0.0.0/8, but it is "::1/129"'],
    [
      "ip_allow",
      "localhost",
      'must be a list of IP addresses and CIDR ranges such as 10.0.0.0/8, but it is "localhost"',
    ],
    [
      "host",
      `"${"a".repeat(300)}"`,
      `must be a host name or an IP address, without scheme, brackets and port, but it is "${"a".repeat(80)}…"`,
    ],
  ])("%s: %s", (name, value, rest) => {
    const text = `${compulsory.replace(new RegExp(`^${name}.*\n`, "m"), "")}${name}: ${value}\n`;
    expect(fault(text).message).toBe(`'${name}' ${rest}. Config file: ${path}`);
  });

  test.each([
    ["nist-aal1", "session_absolute_timeout", "30d", "31d"],
    ["nist-aal2", "session_absolute_timeout", "1d", "25h"],
    ["nist-aal2", "session_idle_timeout", "1h", "61m"],
    ["nist-aal3", "session_absolute_timeout", "12h", "13h"],
    ["nist-aal3", "session_idle_timeout", "15m", "16m"],
  ])("%s: %s of at most %s", (preset, name, most, more) => {
    const text = (value: string) => `${name}: ${value}\nsession_preset: ${preset}\n`;
    expect(read(text(most))).toMatchObject({ policy: { preset } });
    expect(fault(text(more)).message).toBe(
      `'${name}' must be at most ${most} with the session_preset ${preset}, but it is "${more}". Config file: ${path}`,
    );
  });

  test("sessions are bound to devices only where access tokens live 5 minutes", () => {
    const bound = "device_binding: prefer\n";
    expect(read(`${bound}access_token_validity: 300\n`)).toMatchObject({ policy: { deviceBinding: "prefer" } });
    expect(read(`${bound}session_preset: nist-aal3\n`)).toMatchObject({ policy: { deviceBinding: "prefer" } });
    for (const short of ["access_token_validity: 299", "session_idle_timeout: 11m"])
      expect(fault(`${bound}${short}\n`).message).toBe(
        `'device_binding' must be off when access tokens live less than 5 minutes: see 'access_token_validity' and 'session_idle_timeout', but it is "prefer". Config file: ${path}`,
      );
  });

  test("CVE-2024-47764: no cookie attribute can be slipped in through a path or domain", () => {
    for (const hostile of ["/a; HttpOnly", "/a\\r\\nSet-Cookie: x=1", "/a\\0", "/a b", "/ä", "a", "/\\u007f"])
      for (const name of ["refresh_api_path", "access_token_path"])
        expect(
          fault(`${compulsory.replace(new RegExp(`^${name}.*\n`, "m"), "")}${name}: "${hostile}"\n`).message,
        ).toContain(`'${name}' must be a path that starts with / and holds no blank, ; or control character`);
    for (const hostile of ["a;b", "a\\r\\nb", "a\\0b", "a,b", "a b", "-a", "..", "a/b", "a:1"])
      expect(fault(compulsory.replace("api.example.com", `"${hostile}"`)).code, hostile).toBe("invalid_value");
  });

  test("every type is told before any check", () => {
    expect(fault("core_config_version: 0\nport: x\n").message).toMatch(/^'port' must be an integer/);
  });
});

describe("unknown keys", () => {
  test.each([
    ["prot: 1", "'prot' is not a key of config.yaml: did you mean 'port'?"],
    ["Port: 1", "'Port' is not a key of config.yaml: did you mean 'port'?"],
    ["cookie-domain: a", "'cookie-domain' is not a key of config.yaml: did you mean 'cookie_domain'?"],
    ["api_key: a", "'api_key' is not a key of config.yaml: did you mean 'api_keys'?"],
    [
      "access_token_blacklist: true",
      "'access_token_blacklist' is not a key of config.yaml: did you mean 'access_token_blacklisting'?",
    ],
    [
      "refresh_token_validty: 1",
      "'refresh_token_validty' is not a key of config.yaml: did you mean 'refresh_token_validity'?",
    ],
    ["mysql_user: a", "'mysql_user' is not a key of config.yaml: pawl config init --documented --stdout shows all."],
    ["1: a", "'1' is not a key of config.yaml: pawl config init --documented --stdout shows all."],
    ["<<: {port: 1}", "'<<' is not a key of config.yaml: pawl config init --documented --stdout shows all."],
    [
      "__proto__: {port: 1}",
      "'__proto__' is not a key of config.yaml: pawl config init --documented --stdout shows all.",
    ],
    ["constructor: 1", "'constructor' is not a key of config.yaml: pawl config init --documented --stdout shows all."],
    [
      "? [a]\n: b",
      "'(a list or mapping)' is not a key of config.yaml: pawl config init --documented --stdout shows all.",
    ],
    ["nope:", "'nope' is not a key of config.yaml: pawl config init --documented --stdout shows all."],
    [
      "master_key: a",
      "'master_key' is not a key of config.yaml: secrets stay out of it, use the environment variable PAWL_MASTER_KEY.",
    ],
  ])("%s", (line, message) => {
    expect(fault(`${compulsory}${line}\n`)).toMatchObject({
      code: "unknown_key",
      message: `${message} Config file: ${path}`,
    });
  });

  test("a long one is cut", () => {
    expect(fault(`${compulsory}${"k".repeat(500)}: 1\n`).message.length).toBeLessThan(250 + path.length);
  });
});
