import { checkNewUserId, type JsonObject, jsonObjectText } from "@pawl/engine";
import type { UserId } from "@pawl/storage";
import type { SessionBackend } from "./session-backend.js";
import { generalError, unauthorised } from "./session-error.js";

const gone = () => unauthorised("Session does not exist.");

/**
 * Refuses what would not come back from JSON as the object it was.
 * @throws EngineError naming the argument or the member.
 */
export const checkJsonObject = (name: string, value: object): JsonObject => {
  jsonObjectText(name, value);
  return value as JsonObject;
};

/** @throws an error for an empty text too: an application that lost an id must not make everybody's session. */
export const checkLoginUserId = (userId: string): UserId => {
  if (userId === "") throw generalError("userId must not be empty");
  return checkNewUserId(userId);
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
