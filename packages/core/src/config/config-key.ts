import type { PolicyPreset } from "@pawl/engine";
import type { ValueType } from "./value-type.js";

/** The parts of the reference page and of a new config.yaml, in order. */
export const groups = [
  "Documented form",
  "Service",
  "Storage",
  "Sessions",
  "Signing keys",
  "Cookies",
  "Access",
  "Logs",
] as const;

/** What a check of one key may look at besides its own value. */
export interface Related {
  readonly access_token_validity: number;
  readonly refresh_token_reuse_window: number;
  readonly session_preset: PolicyPreset | undefined;
  readonly access_token_issuer: string | undefined;
  readonly access_token_audience: readonly string[] | undefined;
  readonly session_idle_timeout: number | undefined;
  readonly api_keys: readonly string[] | undefined;
  readonly ip_allow: readonly string[] | undefined;
}

/** One key of config.yaml: everything that is known of it. */
export interface ConfigKey<T> {
  readonly group: (typeof groups)[number];
  /** One sentence for the reference page and the comment in a new file. */
  readonly summary: string;
  readonly type: ValueType<T>;
  readonly unit?: "seconds" | "minutes" | "hours";
  readonly default?: NoInfer<T>;
  /** What holds when the key is not set, where that is not one value. */
  readonly otherwise?: string;
  /** What a new file shows when there is no default. */
  readonly example?: NoInfer<T>;
  /** Compulsory in a file of the documented form: what to do, for the message when it is not set. */
  readonly compulsory?: string;
  /** Never shown, also not when it is wrong. */
  readonly secret?: true;
  /** Read from the environment alone. */
  readonly environmentOnly?: true;
  /** Makes a relative path in the value absolute. */
  resolve?(this: void, value: NoInfer<T>, folder: string): NoInfer<T>;
  /** What is accepted, for the reference page, where the type does not say it all. */
  readonly accepted?: string;
  /** The end of "'key' …" when the value is not accepted: `must be …`. */
  check?(this: void, value: NoInfer<T>, related: Related): string | undefined;
  /** Shows a value in place of the type's way. */
  show?(this: void, value: NoInfer<T>): string;
}

/** One entry of the table. */
export const key = <T>(key: ConfigKey<T>): ConfigKey<T> => key;
/** A key that always has a value. */
export const withDefault = <T>(
  key: ConfigKey<T> & { readonly default: NoInfer<T> },
): ConfigKey<T> & { readonly default: T } => key;
