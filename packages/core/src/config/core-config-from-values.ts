import { defaultPolicy } from "@pawl/engine";
import { type Millis, millis } from "@pawl/storage";
import type { ConfigValues } from "./config-keys.js";
import type { CoreConfig, Setting } from "./core-config.js";

const whole = (value: number | undefined): Millis | undefined =>
  value === undefined ? undefined : millis(Math.round(value));

/** Composes the record the service works with from checked values: units become milliseconds. */
export const toCoreConfig = (
  values: ConfigValues,
  { path, settings }: { readonly path: string | undefined; readonly settings: readonly Setting[] },
): CoreConfig => {
  const mode = values.mode ?? (path === undefined ? "DEV" : "PRODUCTION");
  const algorithm = values.access_token_signing_algorithm;
  const dynamic = values.access_token_signing_key_dynamic;
  const logPath = (value: string | undefined): string | undefined => (value === "null" ? undefined : value);
  return {
    path,
    mode,
    host: values.host,
    port: values.port,
    dashboard: values.dashboard,
    metricsPort: values.metrics_port,
    storage: values.storage,
    masterKey: values.master_key?.join(","),
    masterKeyFile: values.master_key === undefined ? values.master_key_file : undefined,
    revocationLog: logPath(values.revocation_log),
    policy: {
      accessTokenValidity: millis(values.access_token_validity * 1000),
      refreshTokenValidity: millis(Math.round(values.refresh_token_validity * 60_000)),
      reuseWindow: millis(values.refresh_token_reuse_window * 1000),
      theftAction: values.token_theft_action,
      preset: values.session_preset,
      deviceBinding: values.device_binding,
      longestActing: millis(values.longest_acting),
      idleTimeout: whole(values.session_idle_timeout),
      absoluteTimeout: whole(values.session_absolute_timeout),
      maxSessionsPerUser: values.max_sessions_per_user,
      enableAntiCsrf: values.enable_anti_csrf,
      signingAlgorithm: algorithm ?? defaultPolicy.signingAlgorithm,
      issuer: values.access_token_issuer,
      audience: values.access_token_audience,
      signingKeyUpdateInterval: millis(Math.round(values.access_token_signing_key_update_interval * 3_600_000)),
      checkDatabase: values.access_token_blacklisting,
      eventRetention: millis(values.event_retention),
    },
    keyKind: (dynamic ?? true) ? "dynamic" : "static",
    cdiSigningAlgorithm: algorithm ?? "RS256",
    cdiVerifyKnows: values.cdi_verify_knows,
    cookies: {
      domain: values.cookie_domain,
      secure: values.cookie_secure ?? mode === "PRODUCTION",
      accessTokenPath: values.access_token_path,
      refreshApiPath: values.refresh_api_path ?? "/session/refresh",
    },
    cdi1: {
      enabled: algorithm !== "ES256",
      withoutKey: values.cdi_1_0_without_key,
      keyKind: (dynamic ?? false) ? "dynamic" : "static",
    },
    apiKeys: values.api_keys ?? [],
    verifierApiKeys: values.verifier_api_keys ?? [],
    identityProviders: values.identity_providers ?? [],
    webhooks: values.webhooks ?? [],
    ipAllow: values.ip_allow ?? [],
    logLevel: values.log_level,
    infoLogPath: logPath(values.info_log_path),
    errorLogPath: logPath(values.error_log_path),
    maxServerPoolSize: values.max_server_pool_size,
    settings,
  };
};
