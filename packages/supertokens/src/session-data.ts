import { checkNewUserId, type JsonObject } from "@pawl/engine";
import type { UserId } from "@pawl/storage";
import type { SessionBackend } from "@pawl/node/backend";
import { generalError, unauthorised } from "./session-error.js";

const gone = () => unauthorised("Session does not exist.");

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
  if (!(await backend.updateData(handle, data as JsonObject))) throw gone();
};
