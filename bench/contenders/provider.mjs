import { context, metrics, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";

/** Takes spans and forgets them: what a network takes is not ours. */
const nowhere = {
  export: (/** @type {unknown} */ _spans, /** @type {(result: { code: number }) => void} */ done) => done({ code: 0 }),
  shutdown: async () => undefined,
};

/** OpenTelemetry's SDK as an application sets it up, which exports every second. */
export const registerProvider = (/** @type {{ recordsAll: boolean }} */ { recordsAll }) => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  // As every request does where HTTP is traced: from then on Node.js follows each promise.
  context.with(context.active(), () => undefined);
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      sampler: recordsAll ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(0.01),
      spanProcessors: [new BatchSpanProcessor(nowhere)],
    }),
  );
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1000, exportTimeoutMillis: 1000 });
  setInterval(() => exporter.reset(), 5000).unref();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
};
