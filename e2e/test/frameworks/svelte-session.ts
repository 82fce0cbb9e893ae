import { init, type WebSnapshot } from "@pawl/web";
import { createSubscriber } from "svelte/reactivity";

export interface Payload {
  readonly role: string;
}

export const session = init<Payload>();
const follow = createSubscriber(session.subscribe);

/** What is known of the session; what reads it is drawn again when that changes. */
export const current = (): WebSnapshot<Payload> => (follow(), session.getSnapshot());
