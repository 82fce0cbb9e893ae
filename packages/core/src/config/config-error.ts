/**
 * - `file_missing`: a named config file does not exist
 * - `file_unreadable`: it is a directory, cannot be opened, is too large or not text
 * - `invalid_yaml`: it is not YAML, or not one mapping of keys to values
 * - `unknown_key`: a key or environment variable that does not exist
 * - `not_set`: a compulsory key of a documented file is missing
 * - `invalid_value`: a value of a wrong type or outside of what is accepted
 */
export type ConfigErrorCode =
  | "file_missing"
  | "file_unreadable"
  | "invalid_yaml"
  | "unknown_key"
  | "not_set"
  | "invalid_value";

/** The configuration cannot be used. The message is one line that names the key, its value and what is accepted. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: ConfigErrorCode;

  constructor(code: ConfigErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
