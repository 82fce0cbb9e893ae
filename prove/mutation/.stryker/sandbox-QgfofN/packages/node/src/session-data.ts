import type { JsonObject } from "@pawl/engine";
import type { UserId } from "@pawl/storage";
import type { SessionBackend } from "./session-backend.js";
import { generalError, unauthorised } from "./session-error.js";

const gone = () => unauthorised("Session does not exist.");

/**
 * Refuses what would not come back from JSON as the object it was.
 * @throws SessionError `GENERAL_ERROR` naming the argument.
 */
export const checkJsonObject = (name: string, value: object): JsonObject => {
  const prototype: unknown = typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : undefined;
  // Objects of another realm (a test runner's, a vm's) have a prototype of their own whose prototype is null.
  if (prototype === undefined || (prototype !== null && Object.getPrototypeOf(prototype) !== null))
    throw generalError(`${name} must be a plain object`);
  return value as JsonObject;
};

/**
 * Does what writes payload or data as JSON.
 * @throws SessionError `GENERAL_ERROR` where that cannot be done (a cycle, a BigInt); the cause may quote the value and is left out.
 */
export const writingJson = <Result>(write: () => Result): Result => {
  try {
    return write();
  } catch (cause) {
    throw generalError(`payload or data cannot be written as JSON (${cause instanceof Error ? cause.name : "error"})`);
  }
};

/** @throws SessionError `GENERAL_ERROR` for no text: it would name nobody, and nothing would be ended. */
export const checkUserId = (userId: string): UserId => {
  if (typeof userId !== "string") throw generalError("userId must be a text");
  return userId as UserId;
};

/** @throws SessionError `UNAUTHORISED` when there is no such live session. */
export const readSessionData = async (backend: SessionBackend, handle: string): Promise<JsonObject> => {
  const session = await backend.get(handle);
  if (session === undefined) throw gone();
  return session.data;
};

/** @throws SessionError `UNAUTHORISED` when there is no such live session. */
export const writeSessionData = async (backend: SessionBackend, handle: string, data: object): Promise<void> => {
  if (!(await backend.updateData(handle, checkJsonObject("session data", data)))) throw gone();
};
