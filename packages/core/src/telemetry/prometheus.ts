import {
  BUCKETS,
  type CounterName,
  createTelemetry,
  type GaugeName,
  type Metric,
  type MetricName,
  metricNames,
  metrics,
  prometheusName,
  type Telemetry,
} from "@pawl/engine/telemetry";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export interface Prometheus {
  /** Tells OpenTelemetry too, where there is a provider. */
  readonly telemetry: Telemetry;
  /** All metrics in Prometheus' text format, with those of the process (`process_…`, `nodejs_…`). */
  text(): Promise<string>;
  readonly contentType: string;
}

/** What a core has none of: it calls no other. */
const absent: ReadonlySet<MetricName> = new Set<MetricName>(["pawl.core.call.duration"]);

/** Gauges that prom-client calls totals, which Prometheus' own checks complain of; and what they are totals of. */
const misnamed = ["handles", "requests", "resources"].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

/** The metrics that a core exports. */
export const coreMetrics = metricNames.filter((name) => !absent.has(name));

/** The metrics of a core as Prometheus reads them. */
export const createPrometheus = (): Prometheus => {
  const registry = new Registry();
  const histograms = new Map<MetricName, Histogram>();
  const telemetry = createTelemetry((name, seconds, first, second) => {
    const [one = "", other = ""] = metrics[name].labels;
    histograms.get(name)?.observe({ [one]: first, [other]: second }, seconds);
  });
  const metricOf = (known: MetricName): Counter | Gauge | Histogram => {
    const { kind, help, labels }: Metric = metrics[known];
    const settings = { name: prometheusName(known), help, registers: [] };
    if (kind === "histogram") return new Histogram({ ...settings, labelNames: labels, buckets: [...BUCKETS] });
    if (kind === "gauge")
      return new Gauge({
        ...settings,
        collect() {
          const value = telemetry.gauge(known as GaugeName);
          if (value === undefined) this.remove();
          else this.set(value);
        },
      });
    const [label] = labels;
    return new Counter({
      ...settings,
      labelNames: labels,
      collect() {
        this.reset();
        for (const [said, count] of telemetry.counts(known as CounterName))
          if (label === undefined) this.inc(count);
          else this.inc({ [label]: said }, count);
      },
    });
  };
  for (const known of coreMetrics) {
    const metric = metricOf(known);
    registry.registerMetric(metric);
    if (metric instanceof Histogram) histograms.set(known, metric);
  }
  let isAsked = false;
  return {
    telemetry,
    contentType: registry.contentType,
    async text() {
      // They watch the event loop and the garbage collector, which is for those who look.
      if (!isAsked) {
        collectDefaultMetrics({ register: registry });
        for (const name of misnamed) registry.removeSingleMetric(name);
      }
      isAsked = true;
      return registry.metrics();
    },
  };
};
