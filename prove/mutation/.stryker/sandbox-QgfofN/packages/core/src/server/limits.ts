/** What one client may take. Durations are milliseconds. */
export interface Limits {
  /** Larger bodies are answered 413. Bytes. */
  readonly body: number;
  /** Larger request heads are answered 431. Bytes. */
  readonly head: number;
  /** For the request head to arrive. */
  readonly headTimeout: number;
  /** For the whole request to arrive. */
  readonly requestTimeout: number;
  /** From the arrival of a request to its answer. */
  readonly answerTimeout: number;
  /** How long an idle connection is kept; longer than the usual 60 s of the balancers before us. */
  readonly keepAliveTimeout: number;
  /** How long the reader of a stream may leave it unread. */
  readonly unreadTimeout: number;
  /** How long a stopping core waits for what is in flight. */
  readonly grace: number;
  /** How long the storage may take to say that it is ready. */
  readonly readyTimeout: number;
  /** Between two comments on a silent stream. */
  readonly heartbeat: number;
}

export const defaultLimits: Limits = {
  body: 1024 * 1024,
  head: 16 * 1024,
  headTimeout: 10_000,
  requestTimeout: 30_000,
  answerTimeout: 15_000,
  keepAliveTimeout: 75_000,
  unreadTimeout: 30_000,
  grace: 10_000,
  readyTimeout: 2_000,
  heartbeat: 15_000,
};
