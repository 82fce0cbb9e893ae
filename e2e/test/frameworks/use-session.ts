import { init, type WebSnapshot } from "@pawl/web";
import { useSyncExternalStore } from "react";

export interface Payload {
  readonly role: string;
}

export const session = init<Payload>();

/** What is known of the session, for a component, which renders again when that changes. */
export const useSession = (): WebSnapshot<Payload> =>
  useSyncExternalStore(session.subscribe, session.getSnapshot, session.getServerSnapshot);
