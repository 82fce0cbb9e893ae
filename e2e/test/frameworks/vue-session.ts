import { init } from "@pawl/web";
import { shallowRef } from "vue";

export const session = init<{ readonly role: string }>();

/** What is known of the session, as a ref that follows it. */
export const current = shallowRef(session.getSnapshot());
session.subscribe(() => (current.value = session.getSnapshot()));
