import type { IdentityProvider, Policy, Webhook } from "@pawl/engine";
import type { SigningAlgorithm, SigningKeyKind } from "@pawl/storage";

/** Takes the place of the original core's command-line mode; decides the default of `cookie_secure`. */
type Mode = "DEV" | "PRODUCTION";

/** Least severe line that is logged. */
type LogLevel = "debug" | "info" | "warn" | "error" | "none";

/** Cookie attributes that a 1.0 SDK learns from the handshake and our SDK from `/v1/settings`. */
export interface CookieConfig {
  /** Absent without a config file: cookies then belong to the host that set them. */
  readonly domain?: string | undefined;
  readonly secure: boolean;
  /** Path of the access token cookie; starts with `/`. */
  readonly accessTokenPath: string;
  /** Path of the refresh API and of the refresh token cookie; starts with `/`. */
  readonly refreshApiPath: string;
}

/** The bare paths of CDI 1.0. */
interface Cdi1Config {
  /** False when the operator chose ES256 for all tokens: tokens of version 1 are always RS256. */
  readonly enabled: boolean;
  /** Whether the bare paths are served without a key although `apiKeys` are set: their SDKs cannot send one. */
  readonly withoutKey: boolean;
  /** Kind of signing key of sessions created on the bare paths. */
  readonly keyKind: SigningKeyKind;
}

/** One key of the configuration as it is in force. */
export interface Setting {
  readonly key: string;
  /** As config.yaml would say it, a secret hidden; absent where it is not set. */
  readonly value: string | undefined;
  readonly source: "default" | "file" | "environment" | "option";
  readonly summary: string;
}

/** The checked configuration of the service. Paths are absolute. */
export interface CoreConfig {
  /** The file that was read; absent when the core runs on development defaults. */
  readonly path?: string | undefined;
  readonly mode: Mode;
  readonly host: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
  /** Whether `/dashboard` is served. */
  readonly dashboard: boolean;
  /** A port of the metrics alone. */
  readonly metricsPort?: number | undefined;
  /** Storage URL for `openStorage`; may hold a password. */
  readonly storage: string;
  /** One or more master keys, each 32 bytes in base64, separated by commas. Secret. */
  readonly masterKey?: string | undefined;
  /** File of master keys, one a line in base64; only given when `masterKey` is not. */
  readonly masterKeyFile?: string | undefined;
  /** File of the revocation log. */
  readonly revocationLog?: string | undefined;
  readonly policy: Policy;
  /** Kind of signing key of sessions created through `/v1` and modern CDI, unless the request says otherwise. */
  readonly keyKind: SigningKeyKind;
  /** Algorithm of access tokens for CDI 2.21 and later: RS256 unless the operator chose one. */
  readonly cdiSigningAlgorithm: SigningAlgorithm;
  /** Whether verification through CDI refuses sessions that this core knows to have ended, also unless asked to look. */
  readonly cdiVerifyKnows: boolean;
  readonly cookies: CookieConfig;
  readonly cdi1: Cdi1Config;
  /** Empty: no key is asked for. Secret. */
  readonly apiKeys: readonly string[];
  /** Further keys, which are good for verifying alone. Secret. */
  readonly verifierApiKeys: readonly string[];
  /** Who may end the sessions of their logins. */
  readonly identityProviders: readonly IdentityProvider[];
  /** Where events are delivered to. Secret. */
  readonly webhooks: readonly Webhook[];
  /** Addresses and CIDR ranges that may call; empty: all. */
  readonly ipAllow: readonly string[];
  readonly logLevel: LogLevel;
  /** File for lines below `error`; absent: standard output. */
  readonly infoLogPath?: string | undefined;
  /** File for lines of `error` and worse; absent: standard error. */
  readonly errorLogPath?: string | undefined;
  /** Checked and shown, without effect: this core has no pool of threads. */
  readonly maxServerPoolSize: number;
  /** What was read, for people. */
  readonly settings: readonly Setting[];
}
