import { init } from "@pawl/web";
import { readable } from "svelte/store";
import { type CurrentUser, sessionStore } from "./session-store.js";

export interface Payload {
  readonly role: string;
}

export const session = init<Payload>();
const store = sessionStore(session);

/** The user, as a store that follows the session: `$user` in a component. */
export const user = readable<CurrentUser<Payload>>(undefined, (set) => {
  set(store.get());
  return store.subscribe(() => set(store.get()));
});
