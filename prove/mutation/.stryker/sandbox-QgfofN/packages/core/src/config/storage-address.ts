import { resolve } from "node:path";

const schemes = new Set(["sqlite", "memory", "postgres", "postgresql", "mysql", "mariadb", "redis", "rediss"]);

/** Whether a text is a storage URL of a kind that exists. */
export const isStorageAddress = (text: string): boolean =>
  schemes.has(/^([a-z]+):/.exec(text)?.[1] ?? "") && !text.includes("\0");

/** A storage URL as it may be shown: without user, password and parameters. */
export const showStorageAddress = (address: string): string => {
  if (!isStorageAddress(address)) return "a URL of another kind";
  if (/^(sqlite|memory):/.test(address)) return address;
  const [, scheme, credentials = "", place] = /^([a-z]+:\/\/)([^@/?#,]*@)?([^@?#]*)$/.exec(address) ?? [];
  return scheme === undefined
    ? `${address.slice(0, address.indexOf(":"))}:***`
    : `${scheme}${credentials === "" ? "" : "***@"}${place}`;
};

/** Makes the relative path of a `sqlite:` URL absolute; other URLs stay as they are. */
export const resolveStorageAddress = (address: string, folder: string): string =>
  address.replace(/^sqlite:(?!\/|:memory:)([^?]+)/, (_, path: string) => `sqlite:${resolve(folder, path)}`);
