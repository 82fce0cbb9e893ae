import { init } from "@pawl/web";
import { useSyncExternalStore } from "react";
import { type CurrentUser, sessionStore } from "./session-store.js";

export interface Payload {
  readonly role: string;
}

export const session = init<Payload>();
const store = sessionStore(session);

/** The user for a component, which renders again on changes. */
export const useUser = (): CurrentUser<Payload> => useSyncExternalStore(store.subscribe, store.get, () => undefined);
