import { type Route, type RouteName, routes } from "@pawl/protocol";
import type { CoreReply, CoreRequest, Dialect, Found, Operation } from "../../server/dialect.js";
import { parseJsonObject } from "../../server/json-object.js";
import { findMethod, type PathOperations } from "../path-table.js";
import { type Call, createHandlers, type HandlerOptions, type CallOutcome } from "./handlers.js";
import { problemReply } from "./problem-reply.js";
import { compileValidator, readQuery, type Validator } from "./validator.js";
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
  const exact = new Map<string, Map<string, Operation>>();
  const patterns = new Map<RegExp, Map<string, Operation>>();
  const operationsOf = new Map<string, Map<string, Operation>>();
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const operations = operationsOf.get(route.path) ?? new Map<string, Operation>();
    operationsOf.set(route.path, operations);
    const pattern = patternOf(route.path);
    operations.set(route.method, operationOf({ name, route, pattern, handler: handlers[name] as AnyHandler }));
    if (pattern === undefined) exact.set(route.path, operations);
    else if (operations.size === 1) patterns.set(pattern, operations);
  }

  const operationsAt = (path: string): PathOperations | undefined => {
    const found = exact.get(path);
    if (found !== undefined || !path.startsWith(PREFIX)) return found;
    for (const [pattern, operations] of patterns) if (pattern.test(path)) return operations;
    return undefined;
  };

  return {
    find(method, path): Found | undefined {
      const operations = operationsAt(path);
      return operations && findMethod(operations, withoutHead(method));
    },
    owns: (path) => path.startsWith(PREFIX) || path === "/v1",
    refuse: (problem, { detail, errorId }) =>
      problemReply(problem, {
        ...(detail === undefined ? {} : { detail }),
        ...(errorId === undefined ? {} : { instance: `urn:uuid:${errorId}` }),
      }),
  };
};

/** A path with a `{handle}`, which is one segment. */
const patternOf = (path: string): RegExp | undefined =>
  path.includes("{") ? new RegExp(`^${path.replace(/\{\w+\}/, "([^/]+)")}$`) : undefined;

interface OperationParts {
  readonly name: RouteName;
  readonly route: Route;
  readonly pattern: RegExp | undefined;
  readonly handler: AnyHandler;
}

const operationOf = ({ name, route, pattern, handler }: OperationParts): Operation => {
  const readBody = route.body === undefined ? () => undefined : bodyReader(compileValidator(route.body));
  const readQueryOf = route.query === undefined ? () => ({ values: {} }) : queryReader(route);
  return {
    name: `v1 ${name}`,
    open: route.open ?? false,
    handle(request) {
      const body = readBody(request);
      if (body !== undefined && "status" in body) return body;
      const query = readQueryOf(request.query);
      if ("status" in query) return query;
      const handle = pattern === undefined ? "" : decodeURIComponent(pattern.exec(request.path)?.[1] ?? "");
      const lastEventId = request.headers["last-event-id"];
      const outcome = handler({ body: body?.values, query: query.values, handle, lastEventId });
      return outcome instanceof Promise ? outcome.then((settled) => replyOf(route, settled)) : replyOf(route, outcome);
    },
  };
};

type Read = { readonly values: object } | CoreReply;

const bodyReader =
  (validate: Validator) =>
  ({ headers, body }: CoreRequest): Read => {
    if (!/^application\/json *(?:;|$)/i.test(headers["content-type"] ?? ""))
      return problemReply("unsupported_media_type");
    const values = parseJsonObject(body);
    if (values === undefined) return problemReply("invalid_json");
    const complaint = validate(values);
    return complaint === undefined ? { values } : problemReply("invalid_input", { detail: complaint });
  };

const queryReader = ({ query: schema }: Route): ((query: string) => Read) => {
  if (schema === undefined) return () => ({ values: {} });
  const validate = compileValidator(schema);
  return (query) => {
    const read = readQuery(schema, query);
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
