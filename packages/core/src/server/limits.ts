/** What one client may take. Durations are milliseconds. */
export type Limits = Readonly<typeof defaultLimits>;

export const defaultLimits = {
  /** Larger bodies are answered 413. Bytes. */
  body: 1024 * 1024,
  /** Larger request heads are answered 431. Bytes. */
  head: 16 * 1024,
  /** For the request head to arrive. */
  headTimeout: 10_000,
  /** For the whole request to arrive. */
  requestTimeout: 30_000,
  /** From the arrival of a request to its answer. */
  answerTimeout: 15_000,
  /** How long an idle connection is kept; longer than the usual 60 s of load balancers. */
  keepAliveTimeout: 75_000,
  /** How long the reader of a stream may leave it unread. */
  unreadTimeout: 30_000,
  /** How long a stopping core waits for requests in flight. */
  grace: 10_000,
  /** How long the storage may take to say that it is ready. */
  readyTimeout: 2_000,
  /** Between two comments on a silent stream. */
  heartbeat: 15_000,
};
