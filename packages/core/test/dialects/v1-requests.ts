import { openApi, problems, type Route, type RouteName, routes } from "@pawl/protocol";
import { expect } from "vitest";
import { compileValidator } from "../../src/dialects/v1/validator.js";
import type { Answer, ListeningCore, Sending } from "../listening-core.js";

const successes = Object.fromEntries(
  (Object.entries(routes) as [RouteName, Route][]).map(([name, { success }]) => [
    name,
    success.body === undefined ? undefined : compileValidator(success.body),
  ]),
) as Record<RouteName, ReturnType<typeof compileValidator> | undefined>;

const description = openApi("0") as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
};

/** Asks an operation and holds its status to the description, and its success to the documented schema. */
export const ask = async (
  core: ListeningCore,
  name: RouteName,
  asked: Sending & { path?: string } = {},
): Promise<Answer> => {
  const route: Route = routes[name];
  const answer = await core.send(route.method, asked.path ?? route.path, asked);
  const described = description.paths[route.path]?.[route.method.toLowerCase()];
  expect(Object.keys(described?.responses ?? {})).toContain(String(answer.status));
  if (answer.status < 300) {
    expect(answer.status).toBe(route.success.status);
    const validate = successes[name];
    if (validate === undefined) expect(answer.text).toBe("");
    else expect(validate(answer.json)).toBeUndefined();
  }
  return answer;
};

/** Holds a refusal to the one table. */
export const expectProblem = (answer: Answer, code: keyof typeof problems, more: object = {}): void => {
  const { status, title } = problems[code];
  expect(answer.status).toBe(status);
  expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.json).toMatchObject({ type: `urn:pawl:problem:${code}`, code, status, title, ...more });
  expect(answer.json).not.toHaveProperty("instance");
};

/** A refusal of a token says why. */
export const WHY = { detail: expect.any(String) as string };

export const create = async (core: ListeningCore, body: object = {}) =>
  (await ask(core, "createSession", { body: { userId: "user-1", ...body } })).json;
