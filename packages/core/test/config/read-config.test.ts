import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ConfigName, configNames, environmentName } from "../../src/config/config-keys.js";
import { readConfig, readConfigWithForm } from "../../src/config/read-config.js";
import { compulsory, configFolder, faultOf } from "./config-folder.js";

const { folder, read, fault, write } = configFolder();
const path = join(folder, "config.yaml");
const empty = { env: {}, cwd: join(folder, "nothing-here") };
const key = "0123456789-abcdefgh=";
const masterKey = Buffer.alloc(32, 7).toString("base64");

describe("defaults", () => {
  test("without a file: development, on loopback, with nothing compulsory", () => {
    expect(readConfig(empty)).toEqual({
      mode: "DEV",
      host: "localhost",
      port: 3567,
      storage: `sqlite:${join(empty.cwd, "pawl.db")}`,
      dashboard: false,
      policy: {
        accessTokenValidity: 3_600_000,
        refreshTokenValidity: 8_640_000_000,
        reuseWindow: 30_000,
        theftAction: "revoke_session",
        deviceBinding: "off",
        longestActing: 3_600_000,
        enableAntiCsrf: true,
        signingAlgorithm: "ES256",
        signingKeyUpdateInterval: 604_800_000,
        checkDatabase: false,
        eventRetention: 7_776_000_000,
      },
      keyKind: "dynamic",
      cdiSigningAlgorithm: "RS256",
      cookies: { secure: false, accessTokenPath: "/", refreshApiPath: "/session/refresh" },
      cdiVerifyKnows: false,
      cdi1: { enabled: true, withoutKey: false, keyKind: "static" },
      apiKeys: [],
      verifierApiKeys: [],
      identityProviders: [],
      webhooks: [],
      ipAllow: [],
      logLevel: "info",
      maxServerPoolSize: 10,
      settings: expect.any(Array) as unknown,
    });
  });

  test("with an empty file: production, and the same defaults", () => {
    const { cookies, ...defaults } = readConfig({ env: {}, cwd: folder });
    expect(read("")).toEqual({
      ...defaults,
      path,
      mode: "PRODUCTION",
      cookies: { ...cookies, secure: true },
      settings: expect.any(Array) as unknown,
    });
  });

  test("with a file: production, and what the file says", () => {
    expect(read(compulsory)).toMatchObject({
      path,
      mode: "PRODUCTION",
      storage: `sqlite:${join(folder, "pawl.db")}`,
      cookies: {
        domain: "api.example.com",
        secure: true,
        accessTokenPath: "/",
        refreshApiPath: "/session/refresh",
      },
    });
  });

  test("config.yaml in the working directory is found, and an empty value counts as not set", () => {
    write(`${compulsory}port:\nhost: ~\nmode: null\n`);
    expect(readConfig({ env: {}, cwd: folder })).toMatchObject({
      path,
      port: 3567,
      host: "localhost",
      mode: "PRODUCTION",
    });
  });
});

describe("the two forms of a file", () => {
  const formOf = (text: string, env = {}) => readConfigWithForm({ file: write(text), env, cwd: folder }).form;

  test("core_config_version makes it a documented one, wherever it is set", () => {
    expect(formOf(compulsory)).toBe("documented");
    expect(formOf("port: 1\n")).toBe("own");
    expect(formOf("core_config_version:\n")).toBe("own");
    const env = { PAWL_CORE_CONFIG_VERSION: "0", PAWL_REFRESH_API_PATH: "/r", PAWL_COOKIE_DOMAIN: "a.example" };
    expect(formOf("port: 1\n", env)).toBe("documented");
    expect(readConfigWithForm({ ...empty, env: { PAWL_CORE_CONFIG_VERSION: "0" } }).form).toBeUndefined();
  });

  test("in one of Pawl's own nothing is compulsory", () => {
    expect(read("storage: sqlite:data/x.db\n")).toEqual({
      ...read(""),
      storage: `sqlite:${join(folder, "data/x.db")}`,
      settings: expect.any(Array) as unknown,
    });
  });

  test("it may set the cookies of SDKs that take them from the core", () => {
    const { cookies } = read("cookie_domain: api.example.com\nrefresh_api_path: /r\nmode: DEV\n");
    expect(cookies).toEqual({
      domain: "api.example.com",
      refreshApiPath: "/r",
      accessTokenPath: "/",
      secure: false,
    });
  });

  test("its values are checked as those of a documented one", () => {
    expect(fault("access_token_validity: 0\n").message).toBe(
      `'access_token_validity' must be between 1 and 86400000 seconds inclusive, but it is 0 seconds. Config file: ${path}`,
    );
    expect(fault("strage: sqlite:x.db\n")).toMatchObject({
      code: "unknown_key",
      message: `'strage' is not a key of config.yaml: did you mean 'storage'? Config file: ${path}`,
    });
  });
});

/** For each key a value as it stands in the file, and what the service then gets. */
const meanings: readonly (readonly [ConfigName, string, Record<string, unknown>])[] = [
  ["access_token_validity", "1", { policy: { accessTokenValidity: 1000 } }],
  ["refresh_token_validity", "61.5", { policy: { refreshTokenValidity: 3_690_000 } }],
  ["max_server_pool_size", "1", { maxServerPoolSize: 1 }],
  ["mode", "DEV", { mode: "DEV", cookies: { secure: false } }],
  ["mode", "PRODUCTION", { mode: "PRODUCTION", cookies: { secure: true } }],
  ["host", "127.0.0.2", { host: "127.0.0.2" }],
  ["host", '"::1"', { host: "::1" }],
  ["port", "0", { port: 0 }],
  ["port", "65535", { port: 65_535 }],
  ["dashboard", "true", { dashboard: true }],
  ["metrics_port", "9464", { metricsPort: 9464 }],
  ["storage", "sqlite:data/x.db?lock_timeout=5", { storage: `sqlite:${join(folder, "data/x.db")}?lock_timeout=5` }],
  ["storage", "sqlite:/var/x.db", { storage: "sqlite:/var/x.db" }],
  ["storage", '"sqlite::memory:"', { storage: "sqlite::memory:" }],
  ["storage", '"memory:"', { storage: "memory:" }],
  ["storage", "postgres://u:p@h:5432/db", { storage: "postgres://u:p@h:5432/db" }],
  ["storage", "redis://a:1,b:2", { storage: "redis://a:1,b:2" }],
  ["master_key_file", "keys/master", { masterKeyFile: join(folder, "keys/master") }],
  ["master_key_file", "/etc/pawl/key", { masterKeyFile: "/etc/pawl/key" }],
  ["access_token_blacklisting", "true", { policy: { checkDatabase: true } }],
  ["refresh_token_reuse_window", "0", { policy: { reuseWindow: 0 } }],
  ["refresh_token_reuse_window", "300", { policy: { reuseWindow: 300_000 } }],
  ["token_theft_action", "report", { policy: { theftAction: "report" } }],
  ["token_theft_action", "revoke_user", { policy: { theftAction: "revoke_user" } }],
  ["session_idle_timeout", "30m", { policy: { idleTimeout: 1_800_000 } }],
  ["session_absolute_timeout", "12h", { policy: { absoluteTimeout: 43_200_000 } }],
  ["session_preset", "nist-aal1", { policy: { preset: "nist-aal1" } }],
  ["session_preset", "nist-aal3", { policy: { preset: "nist-aal3" } }],
  ["device_binding", "off", { policy: { deviceBinding: "off" } }],
  ["device_binding", "prefer", { policy: { deviceBinding: "prefer" } }],
  ["longest_acting", "8h", { policy: { longestActing: 28_800_000 } }],
  ["max_sessions_per_user", "5", { policy: { maxSessionsPerUser: 5 } }],
  ["enable_anti_csrf", "false", { policy: { enableAntiCsrf: false } }],
  ["event_retention", "2w", { policy: { eventRetention: 1_209_600_000 } }],
  [
    "access_token_signing_algorithm",
    "RS256",
    { policy: { signingAlgorithm: "RS256" }, cdiSigningAlgorithm: "RS256", cdi1: { enabled: true } },
  ],
  [
    "access_token_signing_algorithm",
    "ES256",
    { policy: { signingAlgorithm: "ES256" }, cdiSigningAlgorithm: "ES256", cdi1: { enabled: false } },
  ],
  ["access_token_signing_key_dynamic", "true", { keyKind: "dynamic", cdi1: { keyKind: "dynamic" } }],
  ["access_token_signing_key_dynamic", "false", { keyKind: "static", cdi1: { keyKind: "static" } }],
  ["access_token_signing_key_update_interval", "1", { policy: { signingKeyUpdateInterval: 3_600_000 } }],
  ["access_token_signing_key_update_interval", "0.0167", { policy: { signingKeyUpdateInterval: 60_120 } }],
  ["access_token_path", "/app", { cookies: { accessTokenPath: "/app" } }],
  ["cookie_secure", "false", { cookies: { secure: false } }],
  ["api_keys", key, { apiKeys: [key] }],
  ["api_keys", `[${key}, "${key}2"]`, { apiKeys: [key, `${key}2`] }],
  ["api_keys", `"${key}, ${key}2"`, { apiKeys: [key, `${key}2`] }],
  ["cdi_verify_knows", "true", { cdiVerifyKnows: true }],
  ["cdi_1_0_without_key", "true", { cdi1: { withoutKey: true } }],
  [
    "identity_providers",
    "[{ issuer: https://id.example.com, client_id: my-app }]",
    { identityProviders: [{ issuer: "https://id.example.com", clientId: "my-app" }] },
  ],
  [
    "identity_providers",
    `
  - issuer: http://localhost:8080/realms/one
    client_id: "my app"
    jwks_uri: http://keycloak:8080/keys?v=1
    tenant_id: customer-1
    across_tenants:
  - { issuer: "https://id.example.com/", client_id: "2", across_tenants: true }`,
    {
      identityProviders: [
        {
          issuer: "http://localhost:8080/realms/one",
          clientId: "my app",
          jwksUri: "http://keycloak:8080/keys?v=1",
          tenantId: "customer-1",
        },
        { issuer: "https://id.example.com/", clientId: "2", acrossTenants: true },
      ],
    },
  ],
  [
    "webhooks",
    `
  - { url: "https://hooks.example.com/pawl", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw }
  - url: http://audit.internal:8080/
    secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD
    events: [admin]
    allow_private: true`,
    {
      webhooks: [
        { url: "https://hooks.example.com/pawl", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
        {
          url: "http://audit.internal:8080/",
          secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
          events: ["admin"],
          allowPrivate: true,
        },
      ],
    },
  ],
  [
    "ip_allow",
    "[127.0.0.1, 10.0.0.0/8, '::1', 'fe80::/10']",
    { ipAllow: ["127.0.0.1", "10.0.0.0/8", "::1", "fe80::/10"] },
  ],
  ["ip_allow", "0.0.0.0/0", { ipAllow: ["0.0.0.0/0"] }],
  ["log_level", "debug", { logLevel: "debug" }],
  ["log_level", "none", { logLevel: "none" }],
  ["revocation_log", "logs/revocations.log", { revocationLog: join(folder, "logs/revocations.log") }],
  ["info_log_path", "logs/info.log", { infoLogPath: join(folder, "logs/info.log") }],
  ["error_log_path", "/var/log/e.log", { errorLogPath: "/var/log/e.log" }],
];

describe("every key", () => {
  test.each(meanings)("%s: %s", (name, value, expected) => {
    expect(read(`${compulsory}${name}: ${value}\n`)).toMatchObject(expected);
  });

  test("is tried above, but for the compulsory ones, the one that no file may hold, and those that need another", () => {
    const tried = new Set(meanings.map(([name]) => name));
    expect(configNames.filter((name) => !tried.has(name))).toEqual([
      "core_config_version",
      "refresh_api_path",
      "cookie_domain",
      "master_key",
      "access_token_issuer",
      "access_token_audience",
      "verifier_api_keys",
    ]);
  });

  test('"null" as a log path is the standard stream', () => {
    const config = read(`${compulsory}info_log_path: "null"\nerror_log_path: "null"\n`);
    expect(config.infoLogPath).toBeUndefined();
    expect(config.errorLogPath).toBeUndefined();
  });

  test("the greatest access token validity does not overflow", () => {
    const { policy } = read(`${compulsory}access_token_validity: 86400000\nrefresh_token_validity: 1440001.5\n`);
    expect(policy.accessTokenValidity).toBe(86_400_000_000);
    expect(policy.refreshTokenValidity).toBe(86_400_090_000);
  });
});

describe("documented checks", () => {
  const end = `Config file: ${path}`;
  /** Each line breaks one check more than the next; the first broken one is told. */
  const broken = [
    "refresh_api_path: /r\n",
    "cookie_domain: a.example\n",
    "access_token_validity: 0\n",
    "refresh_token_validity: 0\n",
    "max_server_pool_size: 0\n",
    "port: 3567\n",
  ];
  const messages = [
    `'refresh_api_path' is not set in the config.yaml file: give the path of your refresh API, such as /session/refresh. ${end}`,
    `'cookie_domain' is not set in the config.yaml file: give the host name of your API, such as api.example.com. ${end}`,
    `'access_token_validity' must be between 1 and 86400000 seconds inclusive, but it is 0 seconds. ${end}`,
    `'refresh_token_validity' must be strictly greater than 'access_token_validity', but it is 0 minutes. ${end}`,
    `'max_server_pool_size' must be >= 1, but it is 0. ${end}`,
  ];

  test("run in the documented order, and name the file at their end", () => {
    const wrong = "access_token_validity: 0\nrefresh_token_validity: 0\nmax_server_pool_size: 0\n";
    expect(fault(`core_config_version: 0\n${wrong}`).message).toBe(messages[0]);
    expect(fault(`core_config_version: 0\nrefresh_api_path: /r\n${wrong}`).message).toBe(messages[1]);
    expect(fault(`${compulsory}${wrong}`).message).toBe(messages[2]);
    expect(fault(`${compulsory}${wrong.replace("validity: 0", "validity: 60")}`).message).toBe(messages[3]);
    expect(fault(`${compulsory}${broken[4]}`).message).toBe(messages[4]);
  });

  test("each is told alone, too", () => {
    for (const name of ["refresh_api_path", "cookie_domain"])
      expect(fault(compulsory.replace(new RegExp(`^${name}.*$`, "m"), "")).message).toMatch(
        `'${name}' is not set in the config.yaml file`,
      );
    for (const [index, line] of broken.slice(2, 5).entries())
      expect(fault(`${compulsory}${line}`).message).toBe(messages[index + 2]);
    expect(read(`${compulsory}${broken[5]}`).port).toBe(3567);
  });

  test("the bounds themselves", () => {
    expect(fault(`${compulsory}access_token_validity: 86400001\nrefresh_token_validity: 52560000\n`).message).toContain(
      "must be between 1 and 86400000 seconds inclusive, but it is 86400001 seconds",
    );
    // One minute is not strictly greater than sixty seconds.
    expect(fault(`${compulsory}access_token_validity: 60\nrefresh_token_validity: 1\n`).message).toContain(
      "strictly greater",
    );
    // Twice thirty seconds of reuse window come on top.
    expect(fault(`${compulsory}access_token_validity: 60\nrefresh_token_validity: 2\n`).message).toContain(
      "must be greater than 'access_token_validity' and twice 'refresh_token_reuse_window' together, but it is 2 minutes",
    );
    const short = `${compulsory}access_token_validity: 60\nrefresh_token_validity: `;
    expect(read(`${short}2.01\n`).policy.refreshTokenValidity).toBe(120_600);
    expect(read(`${short}1.01\nrefresh_token_reuse_window: 0\n`).policy.refreshTokenValidity).toBe(60_600);
    expect(fault(`${compulsory}access_token_validity: 8640001\n`).message).toBe(
      `'refresh_token_validity' must be strictly greater than 'access_token_validity', but it is 144000 minutes. ${end}`,
    );
    expect(fault(`${compulsory}refresh_token_validity: 52560001\n`).message).toContain(
      "must be at most 52560000 minutes",
    );
    expect(fault(compulsory.replace("version: 0", "version: -1")).message).toBe(
      `'core_config_version' must be an integer of at least 0, but it is -1. ${end}`,
    );
  });

  test("a compulsory key may come from the environment", () => {
    const env = { PAWL_CORE_CONFIG_VERSION: "0", PAWL_REFRESH_API_PATH: "/r", PAWL_COOKIE_DOMAIN: "a.example" };
    expect(read("port: 1\n", { env }).cookies).toMatchObject({ domain: "a.example", refreshApiPath: "/r" });
  });
});

describe("who may call", () => {
  const open = "host: 0.0.0.0\n";
  test("a host that others can reach needs keys or addresses", () => {
    for (const host of ["0.0.0.0", "'::'", "10.0.0.1", "core.internal", "'2001:db8::1'", "localhost.example.com"])
      expect(fault(`${compulsory}host: ${host}\n`).message).toMatch(
        /^'host' must be a loopback address \(localhost, 127\.0\.0\.1, ::1\) unless 'api_keys' or 'ip_allow' is set, but it is /,
      );
    expect(read(`${compulsory}${open}api_keys: ${key}\n`).host).toBe("0.0.0.0");
    expect(read(`${compulsory}${open}ip_allow: 10.0.0.0/8\n`).host).toBe("0.0.0.0");
    for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "'::1'", "'::ffff:127.0.0.1'"])
      expect(read(`${compulsory}host: ${host}\n`).host).toBe(host.replaceAll("'", ""));
  });

  test("the rule holds for --host and PAWL_HOST, which are named", () => {
    expect(faultOf(() => readConfig({ ...empty, options: { host: "0.0.0.0" } })).message).toMatch(
      /but it is "0\.0\.0\.0" \(option --host\)$/,
    );
    expect(faultOf(() => readConfig({ ...empty, env: { PAWL_HOST: "0.0.0.0" } })).message).toMatch(
      /but it is "0\.0\.0\.0" \(environment variable PAWL_HOST\)$/,
    );
    expect(readConfig({ ...empty, env: { PAWL_HOST: "0.0.0.0", PAWL_API_KEYS: key } }).apiKeys).toEqual([key]);
  });

  test.each([
    ["abc", "the key given has 3 characters"],
    [key.slice(1), "the key given has 19 characters"],
    [`${key}_`, "the key given holds another character"],
    [`"${key}, ${key}ä"`, "key 2 of 2 holds another character"],
    [`[${key}, ${key}, short]`, "key 3 of 3 has 5 characters"],
  ])("API key %s is refused without being shown", (value, why) => {
    const { message } = fault(`${compulsory}api_keys: ${value}\n`);
    expect(message).toBe(
      `'api_keys' must be a list of keys, each at least 20 characters of letters, digits, = and -; ${why}. Config file: ${path}`,
    );
    expect(message).not.toContain(value);
  });
});

describe("issuer and audience", () => {
  const issuer = "https://sessions.example.com/pawl";
  test("are given together", () => {
    const both = `access_token_issuer: ${issuer}\naccess_token_audience: [a, "https://b.example.com"]\n`;
    expect(read(compulsory + both).policy).toMatchObject({ issuer, audience: ["a", "https://b.example.com"] });
    expect(fault(`${compulsory}access_token_issuer: ${issuer}\n`).message).toMatch(/needs 'access_token_audience'/);
    expect(fault(`${compulsory}access_token_audience: a\n`).message).toMatch(/needs 'access_token_issuer'/);
  });

  test.each([
    "http://sessions.example.com",
    "sessions.example.com",
    "https://a/?b",
    "https://a/#b",
    "https://u:p@a/",
    "ftp://a",
  ])("%s is no issuer", (value) => {
    const { message } = fault(`${compulsory}access_token_issuer: "${value}"\naccess_token_audience: a\n`);
    expect(message).toMatch(/^'access_token_issuer' must be an https URL without query, fragment and user name/);
  });
});

describe("keys of verifiers", () => {
  test("stand beside API keys, are as long, and are never shown", () => {
    const keys = `${compulsory}api_keys: ${key}\n`;
    expect(read(`${keys}verifier_api_keys: [${key}2, ${key}3]\n`)).toMatchObject({
      apiKeys: [key],
      verifierApiKeys: [`${key}2`, `${key}3`],
    });
    expect(fault(`${keys}verifier_api_keys: short\n`).message).toMatch(
      /^'verifier_api_keys' must be .* 5 characters\. /,
    );
    expect(fault(`${compulsory}verifier_api_keys: ${key}\n`).message).toBe(
      `'verifier_api_keys' needs 'api_keys': without them no caller needs a key. Config file: ${path}`,
    );
  });
});

describe("master keys", () => {
  test("PAWL_MASTER_KEY may hold several and wins over the file of keys", () => {
    const other = Buffer.alloc(32, 8).toString("base64");
    const config = read(`${compulsory}master_key_file: ./k\n`, { env: { PAWL_MASTER_KEY: `${masterKey}, ${other}` } });
    expect(config.masterKey).toBe(`${masterKey},${other}`);
    expect(config.masterKeyFile).toBeUndefined();
  });

  test("a bad one is refused without being shown", () => {
    for (const bad of [
      "CANARY",
      Buffer.alloc(31).toString("base64"),
      `${masterKey}x`,
      `${masterKey},CANARY`,
      `${masterKey},${masterKey}`,
    ]) {
      const { code, message } = faultOf(() => readConfig({ ...empty, env: { PAWL_MASTER_KEY: bad } }));
      expect(code).toBe("invalid_value");
      expect(message).toMatch(/^'master_key' is not accepted: .* \(environment variable PAWL_MASTER_KEY\)$/);
      expect(message).not.toContain(bad);
      expect(message).not.toContain("CANARY");
    }
  });
});

describe("environment variables", () => {
  test("identity providers are JSON there", () => {
    const provider = { issuer: "https://id.example.com", client_id: "my-app" };
    const env = { PAWL_IDENTITY_PROVIDERS: JSON.stringify([provider]) };
    const { identityProviders } = readConfig({ ...empty, env });
    expect(identityProviders).toEqual([{ issuer: "https://id.example.com", clientId: "my-app" }]);
  });

  test("each key has one, which wins over the file and says so when it is wrong", () => {
    for (const name of configNames.filter((name) => !/(log_path|_file|_log)$/.test(name))) {
      const { message } = fault(compulsory, { env: { [environmentName(name)]: "," } });
      expect(message, name).toMatch(`'${name}' `);
      expect(message, name).toContain(`(environment variable ${environmentName(name)})`);
      expect(message, name).toContain(`. Config file: ${path}`);
    }
  });

  test.each([
    ["PAWL_PORT", " 4000 ", { port: 4000 }],
    ["PAWL_ENABLE_ANTI_CSRF", "false", { policy: { enableAntiCsrf: false } }],
    ["PAWL_REFRESH_TOKEN_VALIDITY", "61.5", { policy: { refreshTokenValidity: 3_690_000 } }],
    ["PAWL_SESSION_IDLE_TIMEOUT", "1h", { policy: { idleTimeout: 3_600_000 } }],
    ["PAWL_API_KEYS", `${key},${key}2`, { apiKeys: [key, `${key}2`] }],
    ["PAWL_IP_ALLOW", "127.0.0.1, 10.0.0.0/8", { ipAllow: ["127.0.0.1", "10.0.0.0/8"] }],
    ["PAWL_CDI_1_0_WITHOUT_KEY", "true", { cdi1: { withoutKey: true } }],
    ["PAWL_MODE", "PRODUCTION", { mode: "PRODUCTION", cookies: { secure: true } }],
  ])("%s=%s", (name, value, expected) => {
    expect(readConfig({ ...empty, env: { [name]: value } })).toMatchObject(expected);
    expect(read(compulsory, { env: { [name]: value } })).toMatchObject(expected);
  });

  test.each(["3567x", "0x10", "1e3", "1.5", "", "true"])("PAWL_PORT=%s is no port, but for the empty one", (value) => {
    if (value === "") expect(read(`${compulsory}port: 9\n`, { env: { PAWL_PORT: value } }).port).toBe(9);
    else
      expect(faultOf(() => readConfig({ ...empty, env: { PAWL_PORT: value } })).message).toMatch(
        /^'port' must be an integer from 0 to 65535, but it is .* \(environment variable PAWL_PORT\)$/,
      );
  });

  test("Kubernetes' PAWL_PORT is told from a port", () => {
    expect(faultOf(() => readConfig({ ...empty, env: { PAWL_PORT: "tcp://10.0.0.1:3567" } })).message).toBe(
      `'port' must be an integer from 0 to 65535, but it is "tcp://10.0.0.1:3567" (environment variable PAWL_PORT), as Kubernetes sets it: enableServiceLinks: false stops that`,
    );
  });

  test("a misspelt variable is an error, one of somebody else is not", () => {
    expect(faultOf(() => readConfig({ ...empty, env: { PAWL_PROT: "1" } }))).toMatchObject({
      code: "unknown_key",
      message: "the environment variable PAWL_PROT is unknown: did you mean PAWL_PORT?",
    });
    const env = {
      PAWL_SERVICE_HOST: "10.0.0.1",
      PAWL_PORT_3567_TCP_ADDR: "x",
      PAWL_URL: "x",
      PAWL_API_KEY_FILE: "x",
      PAWL_CHROMIUM: "x",
      HOST: "x",
    };
    expect(readConfig({ ...empty, env }).port).toBe(3567);
  });

  test("relative paths count from the working directory there, from the folder of the file in it", () => {
    const cwd = join(folder, "elsewhere");
    const env = { PAWL_STORAGE: "sqlite:a.db", PAWL_INFO_LOG_PATH: "i.log" };
    const text = `${compulsory}storage: sqlite:b.db\ninfo_log_path: j.log\nerror_log_path: e.log\n`;
    const file = write(text);
    expect(readConfig({ env, cwd, file })).toMatchObject({
      storage: `sqlite:${join(cwd, "a.db")}`,
      infoLogPath: join(cwd, "i.log"),
      errorLogPath: join(folder, "e.log"),
    });
    expect(readConfig({ env: {}, cwd, file }).storage).toBe(`sqlite:${join(folder, "b.db")}`);
  });
});

describe("sources", () => {
  test("options win over environment, file and defaults, and each value tells where it comes from", () => {
    const file = write(`${compulsory}port: 1\nhost: 127.0.0.1\nlog_level: warn\n`);
    const config = readConfig({
      file,
      cwd: folder,
      env: { PAWL_PORT: "2", PAWL_HOST: "127.0.0.2" },
      options: { port: "3" },
    });
    expect(config).toMatchObject({ port: 3, host: "127.0.0.2", logLevel: "warn" });
    expect(Object.fromEntries(config.settings.map(({ key, source }) => [key, source]))).toMatchObject({
      port: "option",
      host: "environment",
      log_level: "file",
      storage: "default",
    });
    expect(config.settings.map(({ key }) => key)).toEqual(configNames);
  });

  test("a wrong option is named as such", () => {
    expect(fault(compulsory, { options: { port: "http" } }).message).toBe(
      `'port' must be an integer from 0 to 65535, but it is "http" (option --port). Config file: ${path}`,
    );
  });
});

describe("secrets", () => {
  test("the password of a storage URL is not in any message", () => {
    for (const url of [
      "postgre://u:CANARY@h/db",
      "u:CANARY@h/db",
      "CANARY",
      "https://u:CANARY@h",
      "[postgres://u:CANARY@h]",
      "{url: CANARY}",
      "POSTGRES://u:CANARY@h",
    ]) {
      const { message } = fault(`${compulsory}storage: ${url}\n`);
      expect(message).toContain("'storage' must be");
      expect(message).not.toContain("CANARY");
    }
  });
});
