import { Problem, problems, type ProblemCode } from "./problems.js";
import { gatewayHeaders, gatewayRefusals, gatewayRoute } from "./gateway.js";
import { object, Text } from "./schemas.js";
import { OAuthError, oauthErrorOf, type OAuthRoute, oauthRoutes } from "./oauth.js";
import { routes, type Route } from "./routes.js";

/** Problems that any operation can answer with. */
const everywhere: readonly ProblemCode[] = [
  "browser_refused",
  "host_refused",
  "address_refused",
  "internal_error",
  "storage_unavailable",
  "shutting_down",
];

const json = (schema: unknown, contentType = "application/json") => ({ content: { [contentType]: { schema } } });

const headersOf = (...names: readonly (keyof typeof gatewayHeaders)[]): object =>
  Object.fromEntries(names.map((name) => [gatewayHeaders[name], { schema: Text }]));

const parameters = (route: Pick<Route, "path" | "query">): readonly object[] => {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query: { properties?: Record<string, unknown>; required?: readonly string[] } | undefined = route.query;
  const inQuery = Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: query?.required?.includes(name) ?? false,
    schema,
  }));
  return [...inPath, ...inQuery];
};

const responses = (route: Route): object => {
  const codes: readonly ProblemCode[] = [
    ...route.problems,
    ...(route.access === "open" ? [] : (["api_key_invalid"] as const)),
    ...(route.body ? (["body_too_large", "unsupported_media_type"] as const) : []),
    ...everywhere,
  ];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(problems[code].status, [...(byStatus.get(problems[code].status) ?? []), code]);
  return {
    [route.success.status]: {
      description: "Success",
      ...(route.success.body ? json(route.success.body, route.success.contentType) : {}),
    },
    ...Object.fromEntries(
      [...byStatus].map(([status, of]) => [
        status,
        {
          description: of.map((code) => `\`${code}\`: ${problems[code].title}`).join("; "),
          ...json({ $ref: "#/components/schemas/Problem" }, "application/problem+json"),
        },
      ]),
    ),
  };
};

/** What an OAuth endpoint may answer besides success: errors by status. */
const statusesOf = (form: unknown, access: OAuthRoute["access"]): ReadonlyMap<number, ReadonlySet<string>> => {
  const ofForm: readonly ProblemCode[] = form ? ["invalid_input", "body_too_large", "unsupported_media_type"] : [];
  const codes: readonly ProblemCode[] = [
    ...ofForm,
    ...(access === "open" ? [] : (["api_key_invalid"] as const)),
    ...everywhere,
  ];
  const byStatus = new Map<number, Set<string>>();
  for (const code of codes) {
    const { status } = problems[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(oauthErrorOf(code)));
  }
  return byStatus;
};

const oauthOperation = (operationId: string, { summary, form, success, access }: OAuthRoute): object => ({
  operationId,
  summary,
  ...(form ? { requestBody: { required: true, ...json(form, "application/x-www-form-urlencoded") } } : {}),
  responses: {
    200: { description: "Success", ...(success ? json(success) : {}) },
    ...Object.fromEntries(
      [...statusesOf(form, access)].map(([status, errors]) => [
        status,
        { description: [...errors].join(", "), ...json({ $ref: "#/components/schemas/OAuthError" }) },
      ]),
    ),
  },
  ...(access === "open" ? { security: [] } : {}),
});

const gatewayOperation = {
  operationId: "checkRequest",
  summary: gatewayRoute.summary,
  parameters: parameters(gatewayRoute),
  responses: {
    200: { description: "Success", headers: headersOf("user", "session", "claims") },
    ...Object.fromEntries(
      [401, 403, 503].map((status) => [
        status,
        {
          description: Object.entries(gatewayRefusals)
            .filter(([, refusal]) => refusal.status === status)
            .map(([code]) => code)
            .join(", "),
          headers: headersOf("code", "return"),
          ...json(object({ message: Text, code: Text }, { detail: Text })),
        },
      ]),
    ),
  },
};

/** The OpenAPI 3.1 description of our HTTP API, made from the same schemas the server checks with. */
export const openApi = (version: string): object => {
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, route] of Object.entries(routes) as [string, Route][]) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: {
        operationId,
        summary: route.summary,
        ...(parameters(route).length > 0 ? { parameters: parameters(route) } : {}),
        ...(route.body ? { requestBody: { required: true, ...json(route.body) } } : {}),
        responses: responses(route),
        ...(route.access === "open" ? { security: [] } : {}),
      },
    };
  }
  for (const [operationId, route] of Object.entries(oauthRoutes) as [string, OAuthRoute][])
    paths[route.path] = { [route.method.toLowerCase()]: oauthOperation(operationId, route) };
  paths[gatewayRoute.path] = { get: gatewayOperation };
  return {
    openapi: "3.1.0",
    info: { title: "Pawl", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    security: [{ apiKey: [] }, { bearer: [] }, { basic: [] }],
    paths,
    components: {
      schemas: { Problem, OAuthError },
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "api-key" },
        bearer: { type: "http", scheme: "bearer" },
        basic: { type: "http", scheme: "basic", description: "The key is the password; any user name" },
      },
    },
  };
};
