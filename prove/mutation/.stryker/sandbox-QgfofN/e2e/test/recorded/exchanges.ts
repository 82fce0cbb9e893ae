import { readFileSync } from "node:fs";

/**
 * One request to a core of the original and its answer. What cannot be the same twice stands as `<NAME>`: the same name is
 * the same token, handle or key throughout. Lists of handles hold those of the recording's own life alone.
 */
export interface Exchange {
  readonly section: string;
  readonly name: string;
  /** Method and target. */
  readonly request: string;
  /** `cdi-version`; absent: none was sent. */
  readonly version?: string;
  readonly rid?: string;
  /** As it was sent, to the letter. */
  readonly body?: string;
  readonly status: number;
  /** Content type. */
  readonly type?: string;
  readonly cacheControl?: string;
  /** A text, or JSON. */
  readonly answer?: unknown;
  /** The access token of the answer, decoded. */
  readonly token?: DecodedToken;
}

export interface DecodedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Every exchange with a core 10.1.4, in the order it took place. */
export const modernExchanges: readonly Exchange[] = readFileSync(
  new URL("../../recorded/core-10.1-cdi-2.7-5.3.jsonl", import.meta.url),
  "utf8",
)
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Exchange);

/** The two parts of a JWT that say something, whichever base64 it is in. */
export const decodeToken = (token: string): DecodedToken => {
  const [header, payload] = token
    .split(".", 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64").toString()) as Readonly<Record<string, unknown>>);
  return { header: header ?? {}, payload: payload ?? {} };
};
