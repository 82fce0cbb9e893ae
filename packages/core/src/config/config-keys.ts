import { issuerFault, policyLimits, refreshTokenValidityFloor } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { type ConfigKey, key, withDefault } from "./config-key.js";
import { isAddressRange, isListenHost, isLoopbackHost } from "./network-address.js";
import { bindingCheck, withinPreset } from "./session-checks.js";
import { isStorageAddress, resolveStorageAddress, showStorageAddress } from "./storage-address.js";
import { apiKeyRule, apiKeysCheck, COOKIE_PATH, cookiePath, masterKeyCheck } from "./value-checks.js";
import { identityProviders } from "./identity-providers.js";
import { absolutePath, logKeys } from "./log-keys.js";
import { webhooks } from "./webhooks.js";
import { boolean, choice, decimal, duration, integer, text, textList } from "./value-type.js";

/** In hours, rounded up to what can be written. */
const LEAST_INTERVAL = Math.ceil((policyLimits.signingKeyUpdateInterval.least / 3_600_000) * 10_000) / 10_000;

/** A duration as the engine's policy accepts it. */
const durationOf = (rule: keyof typeof policyLimits) =>
  duration({ min: policyLimits[rule].least, max: policyLimits[rule].most });

/**
 * Every key, in the order in which values are checked: first the documented checks of SuperTokens 1.0 in their order,
 * then ours. Reading, `pawl config`, the environment variables and `docs/reference/configuration.md` all come from here.
 */
const configKeys = {
  core_config_version: key({
    group: "Documented form",
    summary: "Makes this a file of the documented form, and is its version; 0 is the only one so far.",
    type: integer({ min: 0 }),
    otherwise: "the file is of Pawl's own form",
    example: 0,
  }),
  refresh_api_path: key({
    group: "Documented form",
    summary: "Path of the application's refresh API, and so of the refresh token cookie.",
    type: text(),
    accepted: COOKIE_PATH,
    otherwise: "/session/refresh",
    example: "/session/refresh",
    compulsory: "give the path of your refresh API, such as /session/refresh",
    check: cookiePath,
  }),
  cookie_domain: key({
    group: "Documented form",
    summary: "Domain of the cookies: the host of the application's API, or a parent domain of it.",
    type: text(),
    accepted: "a host name without scheme, port and path",
    otherwise: "the host that sets them, alone",
    example: "localhost",
    compulsory: "give the host name of your API, such as api.example.com",
    check: (value) =>
      /^\.?[a-z0-9]([a-z0-9.-]{0,252})$/i.test(value) ? undefined : "must be a host name without scheme, port and path",
  }),
  access_token_validity: withDefault({
    group: "Sessions",
    summary: "How long an access token is accepted.",
    type: integer(),
    accepted: "an integer from 1 to 86400000",
    unit: "seconds",
    default: 3600,
    check: (value) =>
      value >= 1 && value <= 86_400_000 ? undefined : "must be between 1 and 86400000 seconds inclusive",
  }),
  refresh_token_validity: withDefault({
    group: "Sessions",
    summary: "How long a session lives after its last refresh (144000 minutes are 100 days).",
    type: decimal,
    accepted:
      "a number (in minutes) greater than access_token_validity and twice refresh_token_reuse_window together, at most 52560000",
    unit: "minutes",
    default: 144_000,
    check: (value, { access_token_validity, refresh_token_reuse_window }) =>
      value * 60 <= access_token_validity
        ? "must be strictly greater than 'access_token_validity'"
        : value * 60_000 <=
            refreshTokenValidityFloor({
              accessTokenValidity: millis(access_token_validity * 1000),
              reuseWindow: millis(refresh_token_reuse_window * 1000),
            })
          ? "must be greater than 'access_token_validity' and twice 'refresh_token_reuse_window' together"
          : value > 52_560_000
            ? "must be at most 52560000 minutes (100 years)"
            : undefined,
  }),
  max_server_pool_size: withDefault({
    group: "Service",
    summary: "Accepted for files written for a SuperTokens core; has no effect, since this core has no thread pool.",
    type: integer(),
    accepted: "an integer of at least 1",
    default: 10,
    check: (value) => (value >= 1 ? undefined : "must be >= 1"),
  }),
  mode: key({
    group: "Service",
    summary:
      "Takes the place of a SuperTokens core's first command-line argument; decides the default of cookie_secure.",
    type: choice("DEV", "PRODUCTION"),
    otherwise: "PRODUCTION; DEV without a config file",
    example: "PRODUCTION",
  }),
  host: withDefault({
    group: "Service",
    summary: "Host name or address to listen on. One that other machines can reach needs api_keys or ip_allow.",
    type: text(),
    accepted: "a host name or an IP address; not a loopback one only with api_keys or ip_allow",
    default: "localhost",
    check: (value, { api_keys, ip_allow }) =>
      !isListenHost(value)
        ? "must be a host name or an IP address, without scheme, brackets and port"
        : isLoopbackHost(value) || api_keys !== undefined || ip_allow !== undefined
          ? undefined
          : "must be a loopback address (localhost, 127.0.0.1, ::1) unless 'api_keys' or 'ip_allow' is set",
  }),
  port: withDefault({
    group: "Service",
    summary: "TCP port to listen on; 0 takes a free one.",
    type: integer({ min: 0, max: 65_535 }),
    default: 3567,
  }),
  dashboard: withDefault({
    group: "Service",
    summary: "Whether the core serves its dashboard at /dashboard; pawl dashboard gives a link that opens it.",
    type: boolean,
    default: false,
  }),
  metrics_port: key({
    group: "Service",
    summary: "Port on the same host that answers GET /metrics, and that alone, without a key; 0 takes a free one.",
    type: integer({ min: 0, max: 65_535 }),
    otherwise: "no such port: /metrics at 'port' alone",
    example: 9464,
  }),
  webhooks,
  storage: withDefault({
    group: "Storage",
    summary:
      'Where sessions are kept: sqlite:<file>, postgres://…, mysql://… or redis://…; "memory:", in quotes, keeps them for the life of the process.',
    type: text("a storage URL"),
    accepted: "a storage URL: sqlite:, memory:, postgres:, mysql:, redis:, rediss:",
    default: "sqlite:./pawl.db",
    check: (value) =>
      isStorageAddress(value)
        ? undefined
        : "must be a URL such as sqlite:./pawl.db, memory: or postgres://host/database",
    resolve: resolveStorageAddress,
    show: showStorageAddress,
  }),
  master_key: key({
    group: "Storage",
    summary:
      "Master keys that seal refresh tokens and signing keys, separated by commas. The first seals in a new store; later pawl keys rotate-master decides.",
    type: textList("32 bytes in base64"),
    accepted: "a list of keys, each 32 bytes in base64 (openssl rand -base64 32)",
    otherwise: "the file of master_key_file",
    secret: true,
    environmentOnly: true,
    check: masterKeyCheck,
  }),
  master_key_file: key({
    group: "Storage",
    summary: "File of master keys, one a line, each 32 bytes in base64; reread while the core runs.",
    type: text("the path of a file"),
    otherwise: "<database>.key beside a sqlite: database, made at the first start; other storages need one",
    example: "./master.key",
    resolve: absolutePath,
  }),
  revocation_log: key({
    group: "Storage",
    summary:
      "File that records each end of a session before it is acknowledged, to replay after restoring a backup; one per node.",
    type: text("the path of a file"),
    otherwise: "no log",
    example: "./revocations.log",
    resolve: absolutePath,
  }),
  access_token_blacklisting: withDefault({
    group: "Sessions",
    summary: "Whether every verification asks the database if the session is live.",
    type: boolean,
    default: false,
  }),
  cdi_verify_knows: withDefault({
    group: "Sessions",
    summary:
      "Whether CDI verification refuses a session that this core knows to have ended, also without checkDatabase.",
    type: boolean,
    default: false,
  }),
  refresh_token_reuse_window: withDefault({
    group: "Sessions",
    summary: "How long a repeated refresh gets the same successor.",
    type: integer({ min: 0, max: policyLimits.reuseWindow.most / 1000 }),
    unit: "seconds",
    default: 30,
  }),
  token_theft_action: withDefault({
    group: "Sessions",
    summary:
      "What ends when a refresh token is used that no honest client can hold: the session, all sessions of the user, nothing.",
    type: choice("revoke_session", "revoke_user", "report"),
    default: "revoke_session",
  }),
  session_preset: key({
    group: "Sessions",
    summary:
      "Idle and absolute timeouts of an assurance level of NIST SP 800-63B-4: 30 days; 24 hours and 1 hour idle; 12 hours and 15 minutes idle. Longer ones are refused then.",
    type: choice("nist-aal1", "nist-aal2", "nist-aal3"),
    otherwise: "no preset",
    example: "nist-aal1",
  }),
  session_idle_timeout: key({
    group: "Sessions",
    summary:
      "Ends a session that is neither used nor refreshed for this long; a request in every half of it keeps the session alive.",
    type: durationOf("idleTimeout"),
    otherwise: "that of session_preset, else no idle timeout",
    example: 1_800_000,
    check: withinPreset("idleTimeout"),
  }),
  session_absolute_timeout: key({
    group: "Sessions",
    summary: "Ends a session this long after its login, in any case.",
    type: durationOf("absoluteTimeout"),
    otherwise: "that of session_preset, else no absolute timeout",
    example: 30 * 86_400_000,
    check: withinPreset("absoluteTimeout"),
  }),
  device_binding: withDefault({
    group: "Sessions",
    summary:
      "Whether sessions of our SDK are bound to a key of the browser's device. off: none; prefer: in browsers that can; require: the same, and no other session can be refreshed, nor one of a CDI.",
    type: choice("off", "prefer", "require"),
    default: "off",
    check: bindingCheck,
  }),
  longest_acting: withDefault({
    group: "Sessions",
    summary: "How long somebody may act for another user at a time.",
    type: durationOf("longestActing"),
    default: 3_600_000,
  }),
  max_sessions_per_user: key({
    group: "Sessions",
    summary: "Live sessions a user may have; a further login ends the least recently refreshed one.",
    type: integer({ min: 1 }),
    otherwise: "no limit",
    example: 10,
  }),
  enable_anti_csrf: withDefault({
    group: "Sessions",
    summary:
      "Whether sessions carry an anti-CSRF token, older ones from their next refresh on, and requests are checked for it.",
    type: boolean,
    default: true,
  }),
  event_retention: withDefault({
    group: "Sessions",
    summary: "How long events (ends of sessions, alarms, key changes) are kept.",
    type: durationOf("eventRetention"),
    default: 90 * 86_400_000,
  }),
  access_token_signing_algorithm: key({
    group: "Signing keys",
    summary: "Algorithm of access tokens. ES256 here closes CDI below 2.21 and 1.0, whose tokens are always RS256.",
    type: choice("ES256", "RS256"),
    otherwise: "ES256 for our SDK and /v1, RS256 for CDI",
    example: "RS256",
  }),
  access_token_signing_key_dynamic: key({
    group: "Signing keys",
    summary:
      "Whether new sessions are signed with keys that are renewed regularly; CDI from 2.21 on may ask for either.",
    type: boolean,
    otherwise: "true for our SDK, /v1 and CDI from 2.9 on, false for CDI 1.0",
    example: true,
  }),
  access_token_signing_key_update_interval: withDefault({
    group: "Signing keys",
    summary: "How often a dynamic signing key is renewed.",
    type: decimal,
    accepted: `a number from ${LEAST_INTERVAL} (a minute) to 876000`,
    check: (value) =>
      value >= LEAST_INTERVAL && value <= 876_000
        ? undefined
        : `must be between ${LEAST_INTERVAL} (a minute) and 876000 hours`,
    unit: "hours",
    default: 168,
  }),
  access_token_issuer: key({
    group: "Signing keys",
    summary:
      "Makes access tokens of our SDK and /v1 those of RFC 9068, with this issuer, and serves its metadata (RFC 8414). The URL at which others reach this core.",
    type: text("a URL"),
    accepted: "an https URL without query, fragment and user name (http on localhost alone)",
    otherwise: "such tokens name no issuer and no audience",
    example: "https://sessions.example.com",
    check: (value, { access_token_audience }) => {
      const fault = issuerFault(value);
      if (fault !== undefined) return `must be ${fault}`;
      return access_token_audience === undefined ? "needs 'access_token_audience': for whom its tokens are" : undefined;
    },
  }),
  access_token_audience: key({
    group: "Signing keys",
    summary: "The APIs that access tokens are for: verifiers accept tokens that name one of those they expect.",
    type: textList("a list of names or URLs"),
    accepted: "a list of names or URLs; only with access_token_issuer",
    otherwise: "such tokens name no issuer and no audience",
    example: ["https://api.example.com"],
    check: (value, { access_token_issuer }) =>
      value.length === 0
        ? "must name one API at least"
        : access_token_issuer === undefined
          ? "needs 'access_token_issuer': who makes the tokens"
          : undefined,
  }),
  access_token_path: withDefault({
    group: "Cookies",
    summary: "Path of the access token cookie.",
    type: text(),
    accepted: COOKIE_PATH,
    default: "/",
    check: cookiePath,
  }),
  cookie_secure: key({
    group: "Cookies",
    summary: "Whether cookies are sent over HTTPS only.",
    type: boolean,
    otherwise: "true when mode is PRODUCTION, false when it is DEV",
    example: true,
  }),
  api_keys: key({
    group: "Access",
    summary: "API keys: every caller must send one of them.",
    type: textList(`a list of keys, ${apiKeyRule}`),
    otherwise: "no key is required",
    secret: true,
    check: apiKeysCheck,
  }),
  verifier_api_keys: key({
    group: "Access",
    summary:
      "Further API keys, for gateways, verifiers and Prometheus: good for verifying and introspecting tokens, following the feed and reading metrics, and for nothing else.",
    type: textList(`a list of keys, ${apiKeyRule}`),
    otherwise: "none",
    secret: true,
    check: (value, { api_keys }) =>
      apiKeysCheck(value) ??
      (api_keys === undefined ? "needs 'api_keys': without them no caller needs a key" : undefined),
  }),
  cdi_1_0_without_key: withDefault({
    group: "Access",
    summary: "Whether the CDI 1.0 paths are served without a key although api_keys is set; their SDKs cannot send one.",
    type: boolean,
    default: false,
  }),
  identity_providers: identityProviders,
  ip_allow: key({
    group: "Access",
    summary: "Addresses and ranges that may call.",
    type: textList("a list of IP addresses and CIDR ranges"),
    accepted: "a list of IP addresses and CIDR ranges such as 10.0.0.0/8",
    otherwise: "every address",
    example: ["127.0.0.1", "10.0.0.0/8"],
    check: (value) =>
      value.every(isAddressRange) ? undefined : "must be a list of IP addresses and CIDR ranges such as 10.0.0.0/8",
  }),
  ...logKeys,
};

export type ConfigName = keyof typeof configKeys;

/** Values by key, checked; keys that are not set and have no default are absent. */
export type ConfigValues = {
  readonly [Name in ConfigName]: (typeof configKeys)[Name] extends { readonly default: infer T; readonly type: unknown }
    ? T
    : (typeof configKeys)[Name] extends ConfigKey<infer T>
      ? T | undefined
      : never;
};

export const configNames = Object.keys(configKeys) as readonly ConfigName[];

/** The table for readers that treat all keys alike. */
export const configKey = (name: ConfigName): ConfigKey<unknown> => configKeys[name];

/** `PAWL_` and the key in capitals. */
export const environmentName = (name: ConfigName): string => `PAWL_${name.toUpperCase()}`;
