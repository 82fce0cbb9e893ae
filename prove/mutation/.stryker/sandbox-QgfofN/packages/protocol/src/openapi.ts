import { Problem, problems, type ProblemCode } from "./problems.js";
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

const parameters = (route: Route): readonly object[] => {
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
    ...(route.open ? [] : (["api_key_invalid"] as const)),
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
        ...(route.open ? { security: [] } : {}),
      },
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Pawl", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    security: [{ apiKey: [] }, { bearer: [] }],
    paths,
    components: {
      schemas: { Problem },
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "api-key" },
        bearer: { type: "http", scheme: "bearer" },
      },
    },
  };
};
