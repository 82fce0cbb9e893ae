import { type Histogram, metrics as api, type Meter, type MeterProvider } from "@opentelemetry/api";
import {
  BUCKETS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type Metric,
  metricNames,
  metrics,
  type RecordDuration,
} from "./metrics.js";

/** What instruments read when they are collected. */
interface Source {
  readonly counts: (name: CounterName) => Iterable<readonly [string, number]>;
  readonly gauge: (name: GaugeName) => number | undefined;
}

/** The instruments of one provider of metrics, and everything in this process that they tell of. */
interface Instruments {
  readonly histograms: ReadonlyMap<HistogramName, Histogram>;
  readonly sources: Set<Source>;
  /** What sources counted that are gone: a counter never goes down. */
  readonly gone: Map<CounterName, Map<string, number>>;
}

/** One set for each provider: two instruments of one name would overwrite each other's values. */
const known = new WeakMap<MeterProvider, Instruments>();

const addAll = (to: Map<string, number>, counts: Iterable<readonly [string, number]>): Map<string, number> => {
  for (const [label, count] of counts) to.set(label, (to.get(label) ?? 0) + count);
  return to;
};

const createInstruments = (meter: Meter): Instruments => {
  const histograms = new Map<HistogramName, Histogram>();
  const sources = new Set<Source>();
  const gone: Instruments["gone"] = new Map();
  for (const name of metricNames) {
    const { kind, unit, help, labels }: Metric = metrics[name];
    const options = { unit, description: help };
    if (kind === "histogram") {
      const advice = { explicitBucketBoundaries: [...BUCKETS] };
      histograms.set(name as HistogramName, meter.createHistogram(name, { ...options, advice }));
    } else if (kind === "counter")
      meter.createObservableCounter(name, options).addCallback((result) => {
        const counter = name as CounterName;
        const sum = new Map(gone.get(counter));
        for (const source of sources) addAll(sum, source.counts(counter));
        for (const [label, count] of sum) result.observe(count, attributesOf(labels, [label]));
      });
    else
      meter.createObservableGauge(name, options).addCallback((result) => {
        const values = [...sources].map((source) => source.gauge(name as GaugeName));
        const told = values.filter((value) => value !== undefined);
        if (told.length > 0) result.observe(Math.max(...told));
      });
  }
  return { histograms, sources, gone };
};

const attributesOf = (labels: readonly string[], values: readonly string[]): Record<string, string> =>
  Object.fromEntries(labels.map((label, place) => [label, values[place] ?? ""]));

/** Attributes by both values: what is recorded often makes no object each time. */
const createAttributes = (name: HistogramName) => {
  const made = new Map<string, Map<string, Record<string, string>>>();
  return (first: string, second: string): Record<string, string> => {
    let ofFirst = made.get(first);
    if (ofFirst === undefined) made.set(first, (ofFirst = new Map()));
    let attributes = ofFirst.get(second);
    if (attributes === undefined)
      ofFirst.set(second, (attributes = attributesOf(metrics[name].labels, [first, second])));
    return attributes;
  };
};

/**
 * Has OpenTelemetry's metrics tell of a source. Where several in one process count, the counts are added up and the largest
 * of a gauge is told.
 */
export const bindMeter = (
  scope: string,
  source: Source,
): { readonly record: RecordDuration; readonly close: () => void } => {
  const provider = api.getMeterProvider();
  const instruments = known.get(provider) ?? createInstruments(provider.getMeter(scope));
  known.set(provider, instruments);
  const { histograms, sources, gone } = instruments;
  sources.add(source);
  const recorders = new Map(
    [...histograms].map(([name, histogram]) => {
      const attributes = createAttributes(name);
      return [
        name,
        (seconds: number, first: string, second: string) => histogram.record(seconds, attributes(first, second)),
      ];
    }),
  );
  return {
    record: (name, seconds, first, second) => recorders.get(name)?.(seconds, first, second),
    close() {
      if (!sources.delete(source)) return;
      for (const name of metricNames)
        if (metrics[name].kind === "counter") {
          const counter = name as CounterName;
          gone.set(counter, addAll(gone.get(counter) ?? new Map(), source.counts(counter)));
        }
    },
  };
};
