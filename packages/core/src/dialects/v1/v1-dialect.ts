import { type JsonSchema, type Route, type RouteName, routes } from "@pawl/protocol";
import type { CoreReply, CoreRequest, Dialect, Operation } from "../../server/dialect.js";
import { type CallerInformation, callerOf } from "../../server/access-control.js";
import { parseJsonObject } from "../../server/json-object.js";
import { createPathTable, patternOf } from "../path-table.js";
import type { Call, CallOutcome } from "./call.js";
import { createHandlers, type HandlerOptions } from "./handlers.js";
import { problemReply } from "./problem-reply.js";
import { compileValidator, parseQuery } from "./validator.js";
import { withoutHead } from "../../server/request-target.js";

const PREFIX = "/v1/";
const JSON_TYPE = "application/json; charset=utf-8";
/** Half of what a new signing key is published before it signs. */
const KEY_SET_CACHE = "public, max-age=30";

/** Any operation's handler as the router sees it: the input is checked by the very schemas that give its type. */
type AnyHandler = (
  call: Record<keyof Call<RouteName>, unknown>,
) => CallOutcome<RouteName> | Promise<CallOutcome<RouteName>>;

/** Our own API: the routes of `@pawl/protocol` over the engine. */
export const createV1Dialect = (options: HandlerOptions): Dialect => {
  const handlers = createHandlers(options);
  const table = createPathTable(
    (Object.entries(routes) as [RouteName, Route][]).map(([name, route]) => [
      route.method,
      route.path,
      operationOf(name, route, handlers[name] as AnyHandler),
    ]),
  );
  return {
    find: (method, path) => table.find(withoutHead(method), path),
    owns: (path) => path.startsWith(PREFIX) || path === "/v1",
    refuse: (problem, { detail, errorId }) =>
      problemReply(problem, { detail, instance: errorId === undefined ? undefined : `urn:uuid:${errorId}` }),
  };
};

const operationOf = (name: RouteName, route: Route, handler: AnyHandler): Operation => {
  const pattern = route.path.includes("{") ? patternOf(route.path) : undefined;
  const readBody = bodyReader(route.body);
  const readQuery = queryReader(route.query);
  return {
    name: `v1 ${name}`,
    access: route.access ?? "full",
    handle(request) {
      const body = readBody(request);
      if ("status" in body) return body;
      const query = readQuery(request.query);
      if ("status" in query) return query;
      const handle = pattern === undefined ? "" : decodeURIComponent(pattern.exec(request.path)?.[1] ?? "");
      const lastEventId = request.headers["last-event-id"];
      const by = (): CallerInformation => callerOf(request);
      const outcome = handler({ body: body.values, query: query.values, handle, lastEventId, by });
      return outcome instanceof Promise ? outcome.then((settled) => replyOf(route, settled)) : replyOf(route, outcome);
    },
  };
};

type Read = { readonly values: object | undefined } | CoreReply;

const bodyReader = (schema: JsonSchema | undefined): ((request: CoreRequest) => Read) => {
  if (schema === undefined) return () => ({ values: undefined });
  const validate = compileValidator(schema);
  return ({ headers, body }) => {
    if (!/^application\/json *(?:;|$)/i.test(headers["content-type"] ?? ""))
      return problemReply("unsupported_media_type");
    const values = parseJsonObject(body);
    if (values === undefined) return problemReply("invalid_json");
    const complaint = validate(values);
    return complaint === undefined ? { values } : problemReply("invalid_input", { detail: complaint });
  };
};

const queryReader = (schema: JsonSchema | undefined): ((query: string) => Read) => {
  if (schema === undefined) return () => ({ values: {} });
  const validate = compileValidator(schema);
  return (query) => {
    const read = parseQuery(schema, query);
    if ("repeated" in read) return problemReply("invalid_input", { detail: `${read.repeated}: must be given once` });
    const complaint = validate(read.values);
    return complaint === undefined ? read : problemReply("invalid_input", { detail: complaint });
  };
};

const replyOf = (route: Route, outcome: CallOutcome<RouteName>): ReturnType<Operation["handle"]> => {
  if ("problem" in outcome) return problemReply(outcome.problem, outcome.detail);
  if ("stream" in outcome) return outcome.stream;
  const { status } = route.success;
  if (outcome.ok === undefined) return { status, body: "" };
  return {
    status,
    contentType: JSON_TYPE,
    body: JSON.stringify(outcome.ok),
    ...(route === routes.keySet ? { cacheControl: KEY_SET_CACHE } : {}),
  };
};
