import { StorageError, type StorageErrorCode } from "@pawl/storage";
import { ErrorReply } from "@redis/client";

/** What an error says about the call that got it. */
export type Verdict =
  /** Another node has the slot for good. */
  | { readonly kind: "moved"; readonly address: string }
  /** Another node has it for this one call. */
  | { readonly kind: "ask"; readonly address: string }
  /** The server does not know the script yet. */
  | { readonly kind: "no_script" }
  /** Nothing was done, and soon it may be. */
  | { readonly kind: "later"; readonly message: string }
  | { readonly kind: "failed"; readonly error: unknown };

const unsent = "the server cannot be reached: does it run, and are host and port right?";
const lost = "the connection to the server was lost: whether the call was done is not known";
const moving = "the keys of this user are being moved to another node of the cluster";
const account = "the server refused the account: check user, password and the rights of the account";

/** Replies that begin with one of these words were given before anything was done. */
const later: Readonly<Record<string, string>> = {
  TRYAGAIN: moving,
  CLUSTERDOWN: "the cluster is down, or a part of its slots has no master",
  LOADING: "the server is still loading its data",
  MASTERDOWN: "the server is a replica without its master",
  BUSY: "the server is busy with a script",
};

const failures: Readonly<Record<string, readonly [StorageErrorCode, string]>> = {
  OOM: ["unavailable", "the server has no memory left: raise its maxmemory"],
  MISCONF: ["unavailable", "the server cannot save its data and takes no writes: see its log"],
  NOREPLICAS: ["unavailable", "too few replicas are connected to the server: see its min-replicas-to-write"],
  READONLY: ["read_only", "the server is a replica and cannot be written"],
  NOAUTH: ["unavailable", account],
  WRONGPASS: ["unavailable", account],
  NOPERM: ["unavailable", account],
  EXECABORT: ["unavailable", "the server refused the call"],
  WRONGTYPE: ["corrupt", "a key of the store holds something else: is its prefix used by another program?"],
};

const unreachable = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ConnectionTimeoutError",
  "ClientOfflineError",
  "ClientClosedError",
]);

/** Judges an error of the driver or the server. */
export const judge = (error: unknown): Verdict => {
  if (error instanceof StorageError) return { kind: "failed", error };
  if (error instanceof ErrorReply) {
    const text = error.message;
    const [word = "", , address = ""] = text.split(" ", 3);
    if (word === "MOVED" || word === "ASK") return { kind: word === "ASK" ? "ask" : "moved", address };
    if (word === "NOSCRIPT") return { kind: "no_script" };
    if (text.includes("non local key")) return { kind: "later", message: moving };
    const soon = later[word];
    if (soon !== undefined) return { kind: "later", message: soon };
  }
  // Refused by the driver before it was written.
  if (unreachable.has(nameOf(error))) return { kind: "later", message: unsent };
  return { kind: "failed", error: asStorageError(error) };
};

/** The system's code of an error, or the name of its class. */
const nameOf = (error: unknown): string => {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : (error as object).constructor.name;
};

/**
 * What is thrown for an error of the driver or the server. The error itself is not kept as the cause: the server quotes
 * values in its messages.
 */
export const asStorageError = (error: unknown): unknown => {
  if (error instanceof StorageError) return error;
  if (error instanceof ErrorReply) {
    const word = /^[A-Z]+/u.exec(error.message)?.[0] ?? "";
    const cause = new Error(word === "" ? "an error reply" : word);
    const known = failures[word];
    if (known !== undefined) return new StorageError(...known, { cause });
    // Scripts that fail inside carry the reason in their text.
    const inner = Object.keys(failures).find((name) => error.message.includes(`${name} `));
    if (inner !== undefined) return new StorageError(...failures[inner]!, { cause: new Error(inner) });
    return new StorageError("unavailable", `the server refused the call: ${word === "" ? "ERR" : word}`, { cause });
  }
  const name = nameOf(error);
  const isTls = /^ERR_TLS|CERT|SELF_SIGNED|UNABLE_TO/u.test(name);
  const message = isTls
    ? "the server offers no TLS, or its certificate is not accepted: see tls_ca"
    : unreachable.has(name)
      ? unsent
      : lost;
  return new StorageError("unavailable", message, { cause: new Error(name) });
};
