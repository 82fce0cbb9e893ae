import { init } from "@pawl/web";
import { readonly, type ShallowRef, shallowRef } from "vue";
import { type CurrentUser, sessionStore } from "./session-store.js";

export interface Payload {
  readonly role: string;
}

export const session = init<Payload>();
const store = sessionStore(session);
const current = shallowRef<CurrentUser<Payload>>();
store.subscribe(() => (current.value = store.get()));

/** The user, as a ref that follows the session. */
export const user = readonly(current) as Readonly<ShallowRef<CurrentUser<Payload>>>;
