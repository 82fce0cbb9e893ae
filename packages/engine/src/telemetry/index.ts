export {
  BUCKETS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type Metric,
  type MetricName,
  metricNames,
  metrics,
  prometheusName,
  type RecordDuration,
} from "./metrics.js";
export { storageCalls } from "./measured-storage.js";
export { createTelemetry, failSpan, failureName, type Telemetry } from "./telemetry.js";
export { type Span, SpanKind } from "@opentelemetry/api";
