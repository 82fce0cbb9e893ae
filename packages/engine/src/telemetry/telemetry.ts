import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  propagation,
  type Span,
  type SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { bindMeter } from "./meter.js";
import { type CounterName, type GaugeName, metricNames, metrics, type RecordDuration } from "./metrics.js";

/** What a span says at its start. Never a user id, a handle, or what a caller has sent. */
interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes | undefined;
  /** Headers of a request that may name the span that it was made in (W3C Trace Context). */
  readonly headers?: object | undefined;
}

/**
 * What one engine, core or client of a core tells of itself: counters that whoever wants them reads, durations, and spans of
 * OpenTelemetry, which are nothing without a provider.
 */
export interface Telemetry {
  /** Adds to a counter; `label` is the value of its label, and of our own words. */
  count(name: CounterName, label?: string, by?: number): void;
  readonly record: RecordDuration;
  /** From now on a gauge is read by this; undefined: there is nothing to tell. */
  setGauge(name: GaugeName, read: () => number | undefined): void;
  /** What was counted, by the value of the label; "" where there is no label. */
  counts(name: CounterName): Iterable<readonly [label: string, count: number]>;
  gauge(name: GaugeName): number | undefined;
  /** Starts a span that is not entered: for what calls nothing that has spans. */
  startSpan(start: SpanStart): Span;
  /**
   * Runs work within a span, which ends with it; an error's `code` becomes `error.type`. Gives the promise of the work itself,
   * and has told of its outcome before whoever waits for it goes on.
   */
  within<Result>(
    start: SpanStart,
    work: (span: Span) => Promise<Result>,
    tell?: { readonly result: (result: Result, span: Span) => void; readonly failure?: () => void },
  ): Promise<Result>;
  /** Headers for a request, which name the span that it is made in. */
  headers(): Readonly<Record<string, string>>;
  /** Nothing is told any more. */
  close(): void;
}

const SCOPE = "pawl";
const ignore = (): void => undefined;

/** What a failure is called: the code of an error of ours, else no more than that there was one. */
export const failureName = (error: unknown): string => {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === "string" && /^[a-zA-Z_]{1,40}$/.test(code) ? code : "error";
};

/** Marks a span as failed. Without the message, which may say more than a trace is to hold. */
export const failSpan = (span: Span, error: unknown): void => {
  span.setAttribute("error.type", failureName(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
};

const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/**
 * Whether the trace of a request is not recorded: then there are no spans of ours in it either, each of which would take
 * microseconds to be nothing.
 */
const isUnrecorded = (parent: Context): boolean => {
  const span = trace.getSpan(parent);
  return span !== undefined && !span.isRecording() && (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0;
};

/**
 * Counters and spans of one engine or one client of a core. Tell OpenTelemetry's provider of metrics before, for an
 * instrument made without one stays nothing; one of traces may come later.
 * @param record takes durations besides OpenTelemetry.
 */
export const createTelemetry = (record?: RecordDuration): Telemetry => {
  const counters = new Map<string, Map<string, number>>();
  for (const name of metricNames)
    if (metrics[name].kind === "counter")
      counters.set(name, new Map(metrics[name].labels.length === 0 ? [["", 0]] : []));
  const gauges = new Map<GaugeName, () => number | undefined>();
  const tracer = trace.getTracer(SCOPE);

  const counts = (name: CounterName): Map<string, number> => counters.get(name) as Map<string, number>;
  const parentOf = (headers: object | undefined) =>
    headers === undefined ? context.active() : propagation.extract(context.active(), headers);
  const gauge = (name: GaugeName): number | undefined => gauges.get(name)?.();
  const meter = bindMeter(SCOPE, { counts, gauge });

  return {
    count(name, label = "", by = 1) {
      const known = counts(name);
      known.set(label, (known.get(label) ?? 0) + by);
    },
    record:
      record === undefined
        ? meter.record
        : (name, seconds, first, second) => {
            record(name, seconds, first, second);
            meter.record(name, seconds, first, second);
          },
    setGauge: (name, read) => void gauges.set(name, read),
    counts,
    gauge,
    startSpan({ name, headers, ...options }) {
      const parent = parentOf(headers);
      return isUnrecorded(parent) ? NO_SPAN : tracer.startSpan(name, options as object, parent);
    },
    within({ name, headers, ...options }, work, tell) {
      const parent = parentOf(headers);
      if (isUnrecorded(parent)) {
        const result = headers === undefined ? work(NO_SPAN) : context.with(parent, work, undefined, NO_SPAN);
        if (tell !== undefined) result.then((value) => tell.result(value, NO_SPAN), tell.failure ?? ignore);
        return result;
      }
      return tracer.startActiveSpan(name, options as object, parent, (span) => {
        const result = work(span);
        result.then(
          (value) => {
            tell?.result(value, span);
            span.end();
          },
          (error: unknown) => {
            tell?.failure?.();
            failSpan(span, error);
            span.end();
          },
        );
        return result;
      });
    },
    headers() {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      return carrier;
    },
    close: () => meter.close(),
  };
};
