import type { JsonObject } from "@pawl/engine";
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
