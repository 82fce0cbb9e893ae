import type { IncomingHttpHeaders } from "node:http";
import type { ProblemCode } from "@pawl/protocol";

/** A request as the dialects see it: the body read, the target split, nothing decoded. */
export interface CoreRequest {
  readonly method: string;
  /** As sent, from the first `/` up to `?`. */
  readonly path: string;
  /** What follows `?`; empty when there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** UTF-8 text; empty when there is none. */
  readonly body: string;
  /** The network address that it came from; absent where the connection has gone. */
  readonly address?: string | undefined;
}

/** An answer in one piece. */
export interface CoreReply {
  readonly status: number;
  /** Absent: no body. */
  readonly contentType?: string;
  readonly body: string | Uint8Array;
  /** `no-store` unless given: nearly every answer carries a token or is about one. */
  readonly cacheControl?: string;
  /** Further header names and values, in turns. */
  readonly headers?: readonly string[];
}

/** Where a stream writes. */
export interface StreamSink {
  /** Aborted when the reader has gone or has stopped reading, or the core stops. */
  readonly closed: AbortSignal;
  /** Resolves when the reader has taken enough to send more. Never rejects: look at `closed`. */
  write(text: string): Promise<void>;
}

/** An answer that goes on until `run` resolves or the sink is closed. */
export interface StreamReply {
  readonly status: number;
  readonly contentType: string;
  readonly run: (sink: StreamSink) => Promise<void>;
}

/** What a caller has to show where keys are configured: nothing, any key, or one that is good for everything. */
export type Access = "open" | "verifier" | "full";

/** One operation of a dialect. */
export interface Operation {
  /** For the log; made of our own words only, never of what was sent. */
  readonly name: string;
  readonly access: Access;
  /**
   * What a browser may have to do with it; nothing unless given. `relayed`: a gateway asks with the headers of a browser's
   * request, and whatever answers may not do anything then. `own_page`: our own page asks, and no page of another origin may.
   */
  readonly browsers?: "relayed" | "own_page";
  readonly handle: (request: CoreRequest) => CoreReply | StreamReply | Promise<CoreReply | StreamReply>;
}

/** What a dialect makes of a method and a path: an operation, or the methods that the path takes instead. */
export type Found = { readonly operation: Operation } | { readonly allow: readonly string[]; readonly access: Access };

/** Further facts of a refusal. */
export interface Refusal {
  /** For a person. Never holds what was sent. */
  readonly detail?: string;
  /** With `internal_error`: the id in the log. */
  readonly errorId?: string;
  /** With `method_not_allowed`: the methods that the path takes. */
  readonly allow?: readonly string[];
}

/** A protocol over the engine. It translates and decides nothing. */
export interface Dialect {
  /** @returns undefined for a path of another dialect. */
  readonly find: (method: string, path: string) => Found | undefined;
  /** Whether an unknown path is this dialect's to refuse. */
  readonly owns: (path: string) => boolean;
  readonly refuse: (problem: ProblemCode, refusal: Refusal) => CoreReply;
}
