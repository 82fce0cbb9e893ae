import { context, metrics, propagation, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { startCore } from "@pawl/core";
import { metrics as table } from "@pawl/engine/telemetry";
import { afterEach, beforeEach, expect, test } from "vitest";
import { testConfig } from "../../../core/test/listening-core.js";
import { createPawl, fetchExchange } from "../../src/index.js";

const spans = new InMemorySpanExporter();
const open: (() => Promise<unknown>)[] = [];
let exporter: InMemoryMetricExporter;
let meters: MeterProvider;

/** The real SDK, as an application sets it up. */
beforeEach(() => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  metrics.setGlobalMeterProvider(meters);
});

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
  await meters.shutdown();
  for (const api of [trace, context, propagation, metrics]) api.disable();
  spans.reset();
});

const sdk = (options: Parameters<typeof createPawl>[0]) => {
  const pawl = createPawl(options);
  open.push(() => pawl.close());
  return pawl;
};

interface Told {
  readonly unit: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What the SDK exports, by name: values by their attributes. */
const collected = async (): Promise<Readonly<Record<string, Told>>> => {
  exporter.reset();
  await meters.forceFlush();
  const told = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
  expect(new Set(told.map(({ scope }) => scope.name))).toEqual(new Set(["pawl"]));
  return Object.fromEntries(
    told
      .flatMap(({ metrics: ofScope }) => ofScope)
      .map(({ descriptor, dataPoints }) => [
        descriptor.name,
        {
          unit: descriptor.unit,
          values: Object.fromEntries(
            dataPoints.map(({ attributes, value }) => [
              Object.values(attributes).join(" "),
              typeof value === "number" ? value : value.count,
            ]),
          ),
        },
      ]),
  );
};

const tree = (): string[] => {
  const all = spans.getFinishedSpans();
  const pathOf = (span: ReadableSpan): string => {
    const parent = all.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId);
    return parent === undefined ? span.name : `${pathOf(parent)} > ${span.name}`;
  };
  return all.map(pathOf);
};

test("with the engine in process: counters, durations, gauges, and spans down to the storage", async () => {
  const pawl = sdk({ storage: "memory:" });
  const { accessToken, refreshToken } = await pawl.tokens.create({
    userId: "canary-user",
    payload: { role: "canary" },
  });
  await pawl.tokens.verify(accessToken);
  await expect(pawl.tokens.verify("canary")).rejects.toThrow();
  await pawl.tokens.refresh(refreshToken);

  const told = await collected();
  expect(told["pawl.logins"]).toEqual({ unit: "{session}", values: { "": 1 } });
  expect(told["pawl.refreshes"]?.values).toEqual({ repeated: 1 });
  expect(told["pawl.verifications"]?.values).toEqual({ valid: 1, try_refresh: 1 });
  expect(told["pawl.thefts"]?.values).toEqual({ "": 0 });
  expect(told["pawl.storage.call.duration"]).toMatchObject({ unit: "s", values: { "createSession ok": 1 } });
  expect(Object.keys(told).filter((name) => !Object.hasOwn(table, name))).toEqual([]);
  expect(tree()).toEqual(
    expect.arrayContaining(["pawl login > storage createSession", "pawl refresh > storage rotate"]),
  );
  const seen = JSON.stringify([
    told,
    spans.getFinishedSpans().map(({ name, attributes, events }) => [name, attributes, events]),
  ]);
  for (const secret of ["canary", accessToken, refreshToken]) expect(seen).not.toContain(secret);
});

test("with a core: its client counts, and the core goes on with the trace", async () => {
  const core = await startCore(testConfig());
  open.push(() => core.close());
  const pawl = sdk({ core: [`http://127.0.0.1:${core.address.port}`] });
  const { accessToken, refreshToken } = await pawl.tokens.create({ userId: "alice" });
  await pawl.tokens.verify(accessToken);
  await pawl.tokens.refresh(refreshToken);

  expect(tree()).toEqual(
    expect.arrayContaining([
      "pawl login > core createSession > v1 createSession > pawl login > storage createSession",
      "pawl refresh > core refreshSession > v1 refreshSession > pawl refresh > storage rotate",
    ]),
  );
  const adopting = sdk({
    core: [`http://127.0.0.1:${core.address.port}`],
    adopt: { cookies: ["old"], until: Date.now() + 60_000, load: () => ({ id: "canary", userId: "bob" }) },
  });
  const headers = { cookie: "old=canary" };
  expect((await adopting.getSession(fetchExchange(new Request("https://a.example/", { headers }))))?.userId).toBe(
    "bob",
  );
  expect(tree()).toContain(
    "pawl refresh > core adoptSession > v1 adoptSession > pawl refresh > storage importSessions",
  );
  const server = spans.getFinishedSpans().find(({ name }) => name === "v1 refreshSession");
  expect(server?.attributes).toEqual({ "http.request.method": "POST", "http.response.status_code": 200 });
  const told = await collected();
  // Both tell of themselves in this process.
  expect(told["pawl.logins"]?.values).toEqual({ "": 2 });
  expect(told["pawl.refreshes"]?.values).toEqual({ repeated: 4 });
  const calls = { "createSession 201": 1, "refreshSession 200": 1, "adoptSession 200": 1 };
  expect(told["pawl.core.call.duration"]?.values).toMatchObject(calls);
  expect(told["pawl.request.duration"]?.values).toMatchObject({ "v1 createSession 201": 1 });
});

test("a call that fails is a span that says so by its code, without a message", async () => {
  const core = await startCore(testConfig());
  const pawl = sdk({ core: [`http://127.0.0.1:${core.address.port}`], callTimeout: "1s" });
  await pawl.ready();
  await core.close();
  await expect(pawl.tokens.create({ userId: "alice" })).rejects.toMatchObject({ code: "UNKNOWN" });
  const failed = spans.getFinishedSpans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
  expect(failed.map(({ name, attributes }) => [name, attributes["error.type"]])).toEqual(
    expect.arrayContaining([
      ["core createSession", "ECONNREFUSED"],
      ["pawl login", "UNKNOWN"],
    ]),
  );
  expect(
    failed.flatMap(({ events, status }) => [...events, ...(status.message === undefined ? [] : [status])]),
  ).toEqual([]);
});

test("within a request whose trace is not recorded there are no spans, also not at the core, and the trace goes on", async () => {
  const core = await startCore(testConfig());
  open.push(() => core.close());
  const pawl = sdk({ core: [`http://127.0.0.1:${core.address.port}`] });
  // What the core and its client do in the background is in no request.
  const ofRequests = () => tree().filter((path) => path.includes("createSession"));
  const request = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const within = (traceFlags: number) =>
    context.with(trace.setSpanContext(context.active(), { ...request, traceFlags }), () =>
      pawl.tokens.create({ userId: "alice" }),
    );
  await within(TraceFlags.NONE);
  expect(ofRequests()).toEqual([]);
  expect((await collected())["pawl.logins"]?.values).toEqual({ "": 2 });
  await within(TraceFlags.SAMPLED);
  expect(tree()).toContain("pawl login > core createSession > v1 createSession > pawl login > storage createSession");
  const own = spans.getFinishedSpans().filter(({ name }) => name.includes("createSession"));
  expect(new Set(own.map((span) => span.spanContext().traceId))).toEqual(new Set([request.traceId]));
});

test("instances in one process are added up, also those that were closed", async () => {
  const [one, two] = [sdk({ storage: "memory:" }), sdk({ storage: "memory:" })];
  await one.tokens.create({ userId: "alice" });
  await two.tokens.create({ userId: "alice" });
  await one.close();
  expect((await collected())["pawl.logins"]?.values).toEqual({ "": 2 });
  const three = sdk({ storage: "memory:" });
  await three.tokens.create({ userId: "alice" });
  expect((await collected())["pawl.logins"]?.values).toEqual({ "": 3 });
});

test("without a provider everything works and nothing is told", async () => {
  for (const api of [trace, context, propagation, metrics]) api.disable();
  const pawl = sdk({ storage: "memory:" });
  const { accessToken } = await pawl.tokens.create({ userId: "alice" });
  expect((await pawl.tokens.verify(accessToken)).userId).toBe("alice");
  expect(spans.getFinishedSpans()).toEqual([]);
});
