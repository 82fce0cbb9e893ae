import { inspect } from "node:util";
import type { StorageError, TenantId, UserId } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import type { CreateSessionInput, EngineError, JsonObject } from "../../src/index.js";
import { MAX_DATA_BYTES, MAX_PAYLOAD_BYTES, MAX_USER_ID_BYTES } from "../../src/sessions/session-input.js";
import { claimsOf, memoryStage, refresh, refreshed, USER } from "../engines.js";

const CANARY = "canary-3f1c";

const refused = async (input: unknown): Promise<EngineError | StorageError> => {
  const engine = await memoryStage().engine();
  const error = await engine.createSession(input as CreateSessionInput).then(
    () => undefined,
    (thrown: unknown) => thrown as EngineError,
  );
  if (error === undefined) throw new Error("expected a refusal");
  expect(error.message).not.toContain(CANARY);
  expect(await engine.listSessions({}, { limit: 1 })).toEqual({ items: [] });
  return error;
};

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;
const deep = (depth: number): JsonObject => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`) as JsonObject;

describe("bad input at create is an error that names the field, and nothing is stored", () => {
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ["U+0000 in the user id", { userId: `a\0${CANARY}` }, /userId/],
    ["a lone surrogate in the user id", { userId: "\uD800" }, /userId/],
    ["a user id of 513 bytes", { userId: "é".repeat(256) + "x" }, /at most 512 bytes, not 513/],
    ["no user id", {}, /userId/],
    ["a number for the user id", { userId: 7 }, /userId/],
    ["a tenant with a path in it", { userId: USER, tenantId: "../x" }, /tenantId/],
    ["an empty tenant", { userId: USER, tenantId: "" }, /tenantId/],
    ["a tenant with an underscore", { userId: USER, tenantId: "a_b" }, /tenantId/],
    ["a tenant of 65 characters", { userId: USER, tenantId: "a".repeat(65) }, /tenantId/],
    ["an unknown form", { userId: USER, form: "v9" }, /form/],
    ["a form from the prototype", { userId: USER, form: "constructor" }, /form/],
    ["a device that is no text", { userId: USER, device: {} }, /device/],
    ...[null, 1, "text", [1], [], true, new Map(), new Date(0), () => 1, new URL("a:b")].flatMap((value) => [
      [`${inspect(value)} as payload`, { userId: USER, payload: value }, /payload must be a plain object/] as const,
      [`${inspect(value)} as data`, { userId: USER, data: value }, /data must be a plain object/] as const,
    ]),
    ...[new Map([[1, 2]]), new Set([1]), new Error("x"), new Uint8Array(2), /x/u].flatMap((value) => [
      [
        `${inspect(value)} inside the payload`,
        { userId: USER, payload: { cart: [{}, { "two words": value }] } },
        /^payload\.cart\[1\]\["two words"\] must be a plain object$/,
      ] as const,
      [
        `${inspect(value)} inside the data`,
        { userId: USER, data: { at: { last: value } } },
        /^data\.at\.last must be a plain object$/,
      ] as const,
    ]),
    ["a cycle in the payload", { userId: USER, payload: cycle }, /payload cannot be written as JSON/],
    ["a BigInt in the data", { userId: USER, data: { big: 1n } }, /data cannot be written as JSON/],
    ["a payload that writes itself as something else", { userId: USER, payload: { toJSON: () => [] } }, /payload/],
  ];
  it.each(cases)("%s", async (_name, input, message) => {
    const error = await refused(input);
    expect(error).toMatchObject({ name: "EngineError", code: "invalid_input" });
    expect(error.message).toMatch(message);
  });

  it.each([
    "sub",
    "iat",
    "exp",
    "sessionHandle",
    "refreshTokenHash1",
    "parentRefreshTokenHash1",
    "antiCsrfToken",
    "tId",
    "rsub",
  ])("the protected claim %s in the payload", async (claim) => {
    const error = await refused({ userId: USER, payload: { [claim]: CANARY } });
    expect(error).toMatchObject({ code: "protected_claim", message: `payload holds the protected claim ${claim}` });
  });

  it.each([
    ["payload", MAX_PAYLOAD_BYTES],
    ["data", MAX_DATA_BYTES],
  ])("%s beyond its size, told with both sizes", async (name, limit) => {
    const value = { text: "x".repeat(limit) };
    const error = await refused({ userId: USER, [name]: value });
    expect(error).toMatchObject({ code: "payload_too_large" });
    expect(error.message).toBe(`${name} has ${limit + 11} bytes of JSON; at most ${limit} are kept`);
  });

  it("nesting as deep as it comes is an error or comes back whole, and the process lives", async () => {
    const engine = await memoryStage().engine();
    const session = await engine.createSession({ userId: USER, data: deep(500) });
    expect((await engine.getSession(session.session.handle))?.data).toEqual(deep(500));
    let bottomless: unknown = {};
    for (let level = 0; level < 200_000; level++) bottomless = { a: bottomless };
    expect(await refused({ userId: USER, data: bottomless })).toMatchObject({ code: "invalid_input" });
  });
});

describe("input at its bounds is taken", () => {
  it("the longest user id, the largest payload and data, in both forms", async () => {
    const engine = await memoryStage().engine();
    const fill = (bytes: number): JsonObject => ({ text: "é".repeat((bytes - 12) / 2) + "x" });
    // Control characters are the longest in JSON: the token of this session is the longest there is.
    const userId = "\u0001".repeat(MAX_USER_ID_BYTES) as UserId;
    for (const form of ["v1", "v5"] as const) {
      const session = await engine.createSession({
        userId,
        payload: fill(MAX_PAYLOAD_BYTES),
        data: fill(MAX_DATA_BYTES),
        tenantId: "a".repeat(64) as TenantId,
        form,
      });
      expect(await claimsOf(engine, session)).toMatchObject({ userId, payload: fill(MAX_PAYLOAD_BYTES) });
      expect((await engine.getSession(session.session.handle))?.data).toEqual(fill(MAX_DATA_BYTES));
    }
  });

  it("a browser's name of any length and content never fails a login", async () => {
    const engine = await memoryStage().engine();
    const device = `\0\uD800${"💾".repeat(1000)}`;
    const session = await engine.createSession({ userId: USER, device, address: "x".repeat(1000) });
    const information = await engine.getSession(session.session.handle);
    expect(information?.device).toMatch(/^\uFFFD\uFFFD💾+$/u);
    expect(information?.device).toHaveLength(512);
    expect(information?.address).toHaveLength(128);
  });

  it("an undefined member is left out, as JSON does, and the answer says what was kept", async () => {
    const engine = await memoryStage().engine();
    const payload = { a: undefined, b: 1 } as unknown as JsonObject;
    expect((await engine.createSession({ userId: USER, payload })).session.payload).toEqual({ b: 1 });
  });
});

describe("hostile tokens and names", () => {
  const hostile = [
    "",
    " ",
    "\0",
    "null",
    "undefined",
    "pawl_rt_1.",
    "pawl_rt_1.AAAA",
    "x.V1",
    "é".repeat(200),
    "a".repeat(1_000_000),
  ];

  it.each(hostile.map((text) => [text.slice(0, 20), text]))(
    "%j is no refresh token, no access token, no handle",
    async (_, text) => {
      const engine = await memoryStage().engine();
      expect(await engine.refreshSession({ refreshToken: text })).toMatchObject({ why: "invalid_token" });
      expect(await engine.verifyAccessToken({ accessToken: text })).toMatchObject({ kind: "try_refresh" });
      expect(await engine.confirmAccessToken({ accessToken: text })).toMatchObject({ kind: "try_refresh" });
      expect(await engine.regenerateAccessToken(text)).toMatchObject({ why: "invalid_token" });
      expect(await engine.getSession(text)).toBeUndefined();
      expect(await engine.revokeSessions([text])).toEqual([]);
      expect((await engine.explainSession(text)).status).toBe("unknown");
    },
  );

  it("a refresh token that is cut or changed at any byte, of another session or another key is refused", async () => {
    const engine = await memoryStage().engine();
    const session = await engine.createSession({ userId: USER });
    const { token } = session.refreshToken;
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
      for (const text of [token.slice(0, at), changed])
        expect(await engine.refreshSession({ refreshToken: text })).toMatchObject({ why: "invalid_token" });
    }
    expect(await engine.refreshSession({ refreshToken: session.accessToken.token })).toMatchObject({
      why: "invalid_token",
    });
    expect(await engine.verifyAccessToken({ accessToken: token })).toMatchObject({ kind: "try_refresh" });
    for (const text of [undefined, null, 7, {}, [token]])
      expect(await engine.refreshSession({ refreshToken: text as never })).toMatchObject({ why: "invalid_token" });
    refreshed(await refresh(engine, session));
  });

  it("the names of users and tenants in questions are checked like those of sessions", async () => {
    const engine = await memoryStage().engine();
    const bad = "a\0" as UserId;
    const calls = [
      () => engine.listSessionHandles({ userId: bad }),
      () => engine.listSessions({ userId: bad }, { limit: 1 }),
      () => engine.revokeAllForUser({ userId: bad }),
      () => engine.revokeAllForUser({ userId: USER, tenantId: "A" as TenantId }),
      () => engine.revokeTenant("" as TenantId),
      () => engine.revokeSessions([], { detail: "x".repeat(513) }),
      () => engine.revokeSessions([], { detail: "\0" }),
      () => engine.updateSessionData("x", [] as never),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ name: "EngineError", code: "invalid_input" });
    await expect(engine.updatePayload("x", { sub: 1 })).rejects.toMatchObject({ code: "protected_claim" });
    // A user who cannot exist has no sessions.
    expect(await engine.listSessionHandles({ userId: "" as UserId })).toEqual([]);
    expect(await engine.revokeAllForUser({ userId: "x".repeat(1000) as UserId })).toEqual([]);
  });
});
