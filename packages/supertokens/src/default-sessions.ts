import type { JsonObject } from "@pawl/engine";
import { defaultPawl } from "./default-pawl.js";

/** Ends all sessions of a user. @returns how many. */
export const revokeAllSessionsForUser = async (userId: string): Promise<number> =>
  defaultPawl().revokeAllSessionsForUser(userId);

export const getAllSessionHandlesForUser = async (userId: string): Promise<string[]> =>
  defaultPawl().getAllSessionHandlesForUser(userId);

/** Ends a session; no cookie is touched. @returns whether it was live. */
export const revokeSessionUsingSessionHandle = async (handle: string): Promise<boolean> =>
  defaultPawl().revokeSessionUsingSessionHandle(handle);

/** @throws SessionError `UNAUTHORISED` when there is no such session. */
export const getSessionData = async <Data extends object = JsonObject>(handle: string): Promise<Data> =>
  (await defaultPawl().getSessionData(handle)) as unknown as Data;

/** Replaces the data. @throws SessionError `UNAUTHORISED` when there is no such session. */
export const updateSessionData = async (handle: string, data: object): Promise<void> =>
  defaultPawl().updateSessionData(handle, data as JsonObject);
