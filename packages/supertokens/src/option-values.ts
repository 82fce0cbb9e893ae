import type { CoreOptions, EmbeddedOptions, PawlOptions } from "./options.js";
import { generalError, shown } from "./session-error.js";

type Kind = "true or false" | "a text" | "a function" | "an object" | "an object with a method now()";

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isOrigin = (value: unknown): boolean =>
  typeof value === "string" && /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;

const isOfKind: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  "true or false": (value) => typeof value === "boolean",
  "a text": (value) => typeof value === "string",
  "a function": (value) => typeof value === "function",
  "an object": isObject,
  "an object with a method now()": (value) => typeof (value as { readonly now?: unknown } | null)?.now === "function",
};

/**
 * Refuses values of the wrong kind: a `"false"` would count as true, and what is no function would never be called.
 * @throws SessionError `GENERAL_ERROR` naming the option, never its value, which may be a key.
 */
export const checkOptionValues = (options: PawlOptions): void => {
  const { cookies, onTokenTheft, clock, csrf, origins = [], headerMode } = options;
  const { enableAntiCsrf, checkDatabase, masterKey, masterKeyFile, revocationLog } =
    options as Partial<EmbeddedOptions>;
  const { apiKey } = options as Partial<CoreOptions>;
  const given: readonly (readonly [string, unknown, Kind])[] = [
    ["cookies", cookies, "an object"],
    ["cookies.secure", cookies?.secure, "true or false"],
    ["onTokenTheft", onTokenTheft, "a function"],
    ["headerMode", headerMode, "true or false"],
    ["clock", clock, "an object with a method now()"],
    ["enableAntiCsrf", enableAntiCsrf, "true or false"],
    ["checkDatabase", checkDatabase, "true or false"],
    ["masterKey", masterKey, "a text"],
    ["masterKeyFile", masterKeyFile, "a text"],
    ["revocationLog", revocationLog, "a text"],
    ["apiKey", apiKey, "a text"],
  ];
  for (const [name, value, kind] of given)
    if (value !== undefined && !isOfKind[kind](value)) throw generalError(`${name} must be ${kind}`);
  if (csrf !== undefined && !["token", "header", "fetch-metadata"].includes(csrf))
    throw generalError(`csrf must be "token", "header" or "fetch-metadata", not ${shown(csrf)}`);
  if (!Array.isArray(origins) || !origins.every(isOrigin))
    throw generalError("origins must be a list of origins such as https://app.example.com: scheme, host, no path");
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw generalError("apiKey must be visible ASCII characters only: look for a line end or a blank in it");
};
