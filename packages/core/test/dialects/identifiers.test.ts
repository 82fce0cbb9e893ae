import { routes } from "@pawl/protocol";
import type { UserId } from "@pawl/storage";
import { expect, test } from "vitest";
import { listen, type ListeningCore } from "../listening-core.js";
import { at } from "./cdi-requests.js";

/** The user whom a text names that was read leniently. */
const MISTAKEN = "\uFFFD";

/** Every place in a URL that holds an id. */
const inUrls: readonly (readonly [method: string, path: string])[] = [
  ...Object.values(routes).flatMap(({ method, path, ...route }): [string, string][] => {
    if (path.includes("{handle}")) return [[method, path.replace("{handle}", "ID")]];
    const { properties = {} } = ("query" in route ? route.query : {}) as { readonly properties?: object };
    return ["userId", "tenantId", "handle"]
      .filter((name) => name in properties)
      .map((name) => [method, `${path}?${name}=ID`]);
  }),
  ["GET", "/recipe/session/user?userId=ID"],
  ["GET", "/recipe/session?sessionHandle=ID"],
  ["GET", "/recipe/session/data?sessionHandle=ID"],
  ["GET", "/recipe/jwt/data?sessionHandle=ID"],
  ["GET", "/user/id?userId=ID"],
  ["GET", "/session/user?userId=ID"],
  ["GET", "/session/data?sessionHandle=ID"],
];

/** Every member of a body that is a user or a tenant; handles that are none name no session. */
const inBodies: readonly (readonly [method: string, path: string, body: (id: string) => object])[] = [
  ["POST", "/v1/sessions", (userId) => ({ userId })],
  ["POST", "/v1/sessions", (tenantId) => ({ userId: "u", tenantId })],
  ["POST", "/v1/sessions/adopt", (userId) => ({ former: "f", userId, until: 1 })],
  ["POST", "/v1/sessions/adopt", (tenantId) => ({ former: "f", userId: "u", tenantId, until: 1 })],
  ["POST", "/v1/sessions/refuse-adoption", (userId) => ({ former: "f", userId, until: 1 })],
  ["POST", "/v1/sessions/refuse-adoption", (tenantId) => ({ former: "f", userId: "u", tenantId, until: 1 })],
  ["POST", "/v1/sessions/revoke", (userId) => ({ userId })],
  ["POST", "/v1/sessions/revoke", (tenantId) => ({ userId: "u", tenantId })],
  ["POST", "/v1/sessions/revoke", (except) => ({ userId: "u", except })],
  ["POST", "/v1/sessions/revoke", (allOfTenant) => ({ allOfTenant })],
  ["POST", "/recipe/session", (userId) => ({ ...login, enableAntiCsrf: false, userId })],
  ["POST", "/recipe/session/remove", (userId) => ({ userId })],
  ["PUT", "/recipe/multitenancy/tenant/v2", (tenantId) => ({ tenantId })],
  ["POST", "/session", (userId) => ({ ...login, userId })],
  ["DELETE", "/session", (userId) => ({ userId })],
];
const login = { userDataInJWT: {}, userDataInDatabase: {} };

const withMistaken = async (): Promise<{ readonly core: ListeningCore; readonly isUntouched: () => Promise<void> }> => {
  const core = await listen();
  const userId = MISTAKEN as UserId;
  const { session } = await core.engine.createSession({ userId });
  return {
    core,
    isUntouched: async () => expect(await core.engine.listSessionHandles({ userId })).toEqual([session.handle]),
  };
};

test.each(inUrls)("%s %s: what is no percent-encoded UTF-8 is 400, and nobody else's id", async (method, path) => {
  const { core, isUntouched } = await withMistaken();
  for (const id of ["%FF", "%ED%A0%80", "a%C0%80", "%", "%zz", "%E2%82"]) {
    const body = method === "PUT" ? { body: { data: {}, payload: {} } } : {};
    const answer = await core.send(method, path.replace("ID", id), body);
    expect([answer.status, answer.text], id).toEqual([400, expect.stringContaining("percent-encoded")]);
    expect(answer.text).not.toContain(MISTAKEN);
  }
  await isUntouched();
});

test.each(inBodies)("%s %s: an id that no store keeps is 400", async (method, path, body) => {
  const { core, isUntouched } = await withMistaken();
  for (const id of ["\uD800", "a\uDC00b", "\0"]) {
    const answer = await core.send(method, path, { ...(path.startsWith("/recipe") ? at("5.4") : {}), body: body(id) });
    expect(answer.status, JSON.stringify(id)).toBe(400);
  }
  await isUntouched();
});

test("an id of any script that was percent-encoded is read to the letter", async () => {
  const core = await listen();
  for (const userId of [MISTAKEN, "é", "😀", "a+b c", "100%", "?x=1&y#z"]) {
    const { session } = await core.engine.createSession({ userId: userId as UserId });
    const query = `?userId=${encodeURIComponent(userId)}`;
    expect((await core.send("GET", `/v1/sessions/handles${query}`)).json.handles).toEqual([session.handle]);
    expect((await core.send("GET", `/session/user${query}`)).json.sessionHandles).toEqual([session.handle]);
  }
});
