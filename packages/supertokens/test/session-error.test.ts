import { inspect } from "node:util";
import { StorageError } from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { Error as SessionError } from "../src/index.js";
import { asSessionError, generalError, tokenTheft, tryRefreshToken, unauthorised } from "../src/session-error.js";

const theft = { sessionHandle: "h", userId: "u" };

test("the documented numbers", () => {
  expect(SessionError.GENERAL_ERROR).toBe(1000);
  expect(SessionError.UNAUTHORISED).toBe(2000);
  expect(SessionError.TRY_REFRESH_TOKEN).toBe(3000);
  expect(SessionError.TOKEN_THEFT_DETECTED).toBe(4000);
});

test.each([
  [generalError("m"), 1000, "GENERAL_ERROR"],
  [unauthorised("m"), 2000, "UNAUTHORISED"],
  [tryRefreshToken("m"), 3000, "TRY_REFRESH_TOKEN"],
] as const)("%s is a real Error of the documented shape", (error, errType, code) => {
  expect(error).toBeInstanceOf(Error);
  expect(error).toBeInstanceOf(SessionError);
  expect(error).toMatchObject({ name: "SessionError", message: "m", errType, code });
  expect(error.err).toBeInstanceOf(Error);
  expect((error.err as Error).message).toBe("m");
  expect(error.stack).toContain("session-error.test");
  expect(Object.keys(error)).toContain("errMagic");
});

test.each([
  [generalError("m", { cause: new Error("why"), retryAfter: 3 }), { retryAfter: 3, err: { message: "m" } }],
  [unauthorised("m"), { err: { message: "m" } }],
  [tokenTheft(theft), { message: "token theft detected", err: theft }],
])("%s keeps its members when it is copied or written as JSON", (error, more) => {
  const { errMagic, errType, code } = error;
  expect(JSON.parse(JSON.stringify(error))).toEqual({ errMagic, errType, code, message: "m", ...more });
  expect(Object.assign({}, error).err).toBe(error.err);
  const own = ["code", "err", "errMagic", "errType", "name", ...("retryAfter" in more ? ["retryAfter"] : [])];
  expect(Object.keys(error).toSorted()).toEqual(own);
});

test.each([
  [generalError("m", { cause: new Error("why"), retryAfter: 3 }), ["GENERAL_ERROR", "retryAfter: 3", "Error: why"]],
  [unauthorised("m"), ["SessionError: m", "errType: 2000", "session-error.test"]],
  [tokenTheft(theft), ["sessionHandle: 'h'"]],
])("%s is logged with its members and its stack, and not within itself", (error, texts) => {
  const logged = inspect(error);
  for (const text of texts) expect(logged).toContain(text);
  expect(logged).not.toContain("Circular");
});

test("a theft names the session and the user", () => {
  const error = tokenTheft(theft);
  expect(error).toMatchObject({ errType: 4000, code: "TOKEN_THEFT_DETECTED", err: theft });
});

describe("isErrorFromAuth", () => {
  test("knows ours, also from another copy of the package", () => {
    const error = unauthorised("m");
    expect(SessionError.isErrorFromAuth(error)).toBe(true);
    expect(SessionError.isErrorFromAuth({ errMagic: error.errMagic, errType: 2000, err: new Error("m") })).toBe(true);
  });
  test.each([[null], [undefined], ["text"], [5], [{}], [new Error("m")], [{ errType: 2000 }], [[]]])(
    "%s is none of ours",
    (value) => expect(SessionError.isErrorFromAuth(value)).toBe(false),
  );
});

describe("asSessionError", () => {
  test("leaves ours", () => {
    const error = tokenTheft(theft);
    expect(asSessionError(error)).toBe(error);
  });
  test("tells when a store that does not answer is worth another try", () => {
    expect(asSessionError(new StorageError("unavailable", "the database is locked"))).toMatchObject({
      errType: 1000,
      retryAfter: 1,
    });
    expect(asSessionError(new StorageError("corrupt", "m")).retryAfter).toBeUndefined();
  });
  test("makes everything else a GENERAL_ERROR with its cause", () => {
    const cause = new TypeError("the store is gone");
    const error = asSessionError(cause);
    expect(error).toMatchObject({ errType: 1000, message: "the store is gone", cause });
    expect(error.err).toBe(error);
    expect(asSessionError("thrown text")).toMatchObject({ errType: 1000, cause: "thrown text" });
  });
});
