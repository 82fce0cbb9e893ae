/** One metric, as OpenTelemetry names it; Prometheus' name follows from it. */
export interface Metric {
  readonly kind: "counter" | "gauge" | "histogram";
  /** Seconds, or what is counted (UCUM annotations, as OpenTelemetry has them). */
  readonly unit: "s" | `{${string}}`;
  readonly help: string;
  /** No label ever holds what a user or a caller has sent. */
  readonly labels: readonly string[];
}

/**
 * Every metric of Pawl. What a process has of them depends on what runs in it: an engine, a core's HTTP server, or the client
 * of a core. `docs/operate/metrics.md` is held equal to this table.
 */
export const metrics = {
  "pawl.logins": { kind: "counter", unit: "{session}", labels: [], help: "Sessions created" },
  "pawl.refreshes": {
    kind: "counter",
    unit: "{refresh}",
    labels: ["outcome"],
    help: "Refreshes, by what came of them",
  },
  "pawl.thefts": {
    kind: "counter",
    unit: "{theft}",
    labels: [],
    help: "Refresh tokens presented that no honest client can hold",
  },
  "pawl.verifications": {
    kind: "counter",
    unit: "{verification}",
    labels: ["outcome"],
    help: "Access tokens verified, by what came of it",
  },
  "pawl.ends": { kind: "counter", unit: "{session}", labels: ["reason"], help: "Sessions that this process has ended" },
  "pawl.refusals": {
    kind: "counter",
    unit: "{request}",
    labels: ["problem"],
    help: "Requests refused before anything was said of a session, by problem",
  },
  "pawl.request.duration": {
    kind: "histogram",
    unit: "s",
    labels: ["operation", "status"],
    help: "From the arrival of a request to the end of its answer; not of streams",
  },
  "pawl.storage.call.duration": {
    kind: "histogram",
    unit: "s",
    labels: ["call", "outcome"],
    help: "Calls of the storage",
  },
  "pawl.core.call.duration": {
    kind: "histogram",
    unit: "s",
    labels: ["operation", "status"],
    help: "Requests to a core",
  },
  "pawl.feed.lag": {
    kind: "gauge",
    unit: "s",
    labels: [],
    help: "Time since this process last knew everything that the feed of revocations and changes holds",
  },
  "pawl.revocations.known": {
    kind: "gauge",
    unit: "{session}",
    labels: [],
    help: "Sessions ended or changed whose older access tokens are refused by memory",
  },
  "pawl.signing_key.age": {
    kind: "gauge",
    unit: "s",
    labels: [],
    help: "Time since the active dynamic signing key began to sign",
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof metrics;
type NameOf<Kind extends Metric["kind"]> = {
  [Name in MetricName]: (typeof metrics)[Name]["kind"] extends Kind ? Name : never;
}[MetricName];
export type CounterName = NameOf<"counter">;
export type GaugeName = NameOf<"gauge">;
export type HistogramName = NameOf<"histogram">;

/** Takes one duration of a histogram; the labels' values in the order of the table. */
export type RecordDuration = (name: HistogramName, seconds: number, first: string, second: string) => void;

export const metricNames = Object.keys(metrics) as readonly MetricName[];

/** Upper bounds of the histograms' buckets, in seconds. */
export const BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The name as Prometheus has it, by the rules of OpenTelemetry's exporters: `pawl_refreshes_total`, `pawl_feed_lag_seconds`. */
export const prometheusName = (name: MetricName): string => {
  const { kind, unit }: Metric = metrics[name];
  return `${name.replaceAll(".", "_")}${unit === "s" ? "_seconds" : ""}${kind === "counter" ? "_total" : ""}`;
};
