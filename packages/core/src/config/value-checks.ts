import { parseMasterKeys } from "@pawl/engine";

/* What single values of config.yaml are checked for: the end of "'key' …" where one is not accepted. */

export const COOKIE_PATH = "a path that starts with / and holds no blank, ; or control character";
export const cookiePath = (value: string): string | undefined =>
  /^\/[\x21-\x3a\x3c-\x7e]*$/.test(value) ? undefined : `must be ${COOKIE_PATH}`;

const ordinal = (index: number, count: number): string =>
  count === 1 ? "the key given" : `key ${index + 1} of ${count}`;

export const apiKeyRule = "each at least 20 characters of letters, digits, = and -";
export const apiKeysCheck = (keys: readonly string[]): string | undefined => {
  const wrong = keys.findIndex((key) => !/^[A-Za-z0-9=-]{20,}$/.test(key));
  if (wrong === -1) return undefined;
  const value = keys[wrong]!;
  const why = /^[A-Za-z0-9=-]*$/.test(value) ? `has ${value.length} characters` : "holds another character";
  return `must be a list of keys, ${apiKeyRule}; ${ordinal(wrong, keys.length)} ${why}`;
};

export const masterKeyCheck = (keys: readonly string[]): string | undefined => {
  try {
    parseMasterKeys(keys.join(","));
    return undefined;
  } catch (error) {
    return `is not accepted: ${(error as Error).message}`;
  }
};
