import { describe, expect, test } from "vitest";
import { gatewayRoute, type OAuthRoute, oauthRoutes, openApi, type Route, routes } from "../src/index.js";

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
  readonly security?: readonly object[];
}
type Content = Readonly<Record<string, { readonly schema: object }>>;
interface Description {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: object };
  readonly security: readonly object[];
}

// As a client reads it: what JSON cannot hold is not in it.
const description = JSON.parse(JSON.stringify(openApi("1.2.3"))) as Description;
const operations = Object.entries(description.paths).flatMap(([path, byMethod]) =>
  Object.entries(byMethod).map(([method, operation]) => ({ path, method, operation })),
);
const at = (pointer: string): unknown =>
  pointer
    .slice(2)
    .split("/")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], description);

/** Every object in a JSON value. */
const objectsIn = (value: unknown): readonly Record<string, unknown>[] =>
  typeof value !== "object" || value === null
    ? []
    : [value as Record<string, unknown>, ...Object.values(value).flatMap(objectsIn)];

describe("the OpenAPI description", () => {
  test("is one of version 3.1 with the version it is given", () => {
    expect(description.openapi).toMatch(/^3\.1\.\d+$/);
    expect(description.info).toMatchObject({ title: "Pawl", version: "1.2.3" });
  });

  test("describes every route and nothing else", () => {
    const described = operations.map(({ path, method, operation }) => [operation.operationId, method, path]);
    const existing = (
      Object.entries({ ...routes, ...oauthRoutes, checkRequest: gatewayRoute }) as [
        string,
        Route | OAuthRoute | typeof gatewayRoute,
      ][]
    ).map(([name, { method, path }]) => [name, method.toLowerCase(), path]);
    expect(new Set(described.map(String))).toEqual(new Set(existing.map(String)));
    expect(new Set(existing.map(([name]) => name)).size).toBe(existing.length);
  });

  test("declares exactly the parameters that stand in a path", () => {
    for (const { path, operation } of operations) {
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect(declared.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(declared.every(({ required }) => required)).toBe(true);
      expect(new Set((operation.parameters ?? []).map(({ name }) => name)).size).toBe(
        operation.parameters?.length ?? 0,
      );
    }
  });

  test("gives every response a description, every content a schema, every operation one success", () => {
    for (const { path, operation } of operations) {
      expect(operation.summary.length).toBeGreaterThan(5);
      const statuses = Object.keys(operation.responses);
      expect(statuses.every((status) => /^[2-5]\d\d$/.test(status))).toBe(true);
      expect([path, statuses.filter((status) => status.startsWith("2")).length]).toEqual([path, 1]);
      for (const response of Object.values(operation.responses)) {
        expect(response.description).not.toBe("");
        for (const { schema } of Object.values(response.content ?? {})) expect(typeof schema).toBe("object");
      }
    }
  });

  test("has no reference that leads nowhere", () => {
    const references = objectsIn(description).flatMap(({ $ref }) => (typeof $ref === "string" ? [$ref] : []));
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) expect([reference, typeof at(reference)]).toEqual([reference, "object"]);
  });

  test("names the ways to send a key, and leaves open the key set, metadata, and what identity providers post", () => {
    const schemes = Object.keys(description.components.securitySchemes);
    expect(description.security.flatMap((way) => Object.keys(way)).toSorted()).toEqual(schemes.toSorted());
    const open = operations.filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path)).toEqual([
      "/v1/jwks",
      "/.well-known/oauth-authorization-server",
      "/oauth/backchannel-logout",
    ]);
  });

  test("uses types of JSON Schema only", () => {
    const types = objectsIn(description.paths).flatMap(({ type }) => (typeof type === "string" ? [type] : []));
    expect([...new Set(types)].toSorted()).toEqual(["array", "boolean", "integer", "object", "string"]);
  });
});
