import type { WebSession } from "@pawl/web";

/** Undefined while it is not known, null when logged out. */
export type CurrentUser<Payload extends object> =
  | { readonly userId: string; readonly payload: Payload }
  | null
  | undefined;

export interface SessionStore<Payload extends object> {
  get(): CurrentUser<Payload>;
  subscribe(listener: () => void): () => void;
}

export const sessionStore = <Payload extends object>(session: WebSession<Payload>): SessionStore<Payload> => {
  let user: CurrentUser<Payload>;
  const listeners = new Set<() => void>();
  const read = async (): Promise<void> => {
    const [userId, payload] = await Promise.all([session.getUserId(), session.getPayload()]);
    user = userId === undefined || payload === undefined ? null : { userId, payload };
    for (const listener of listeners) listener();
  };
  session.onEvent(() => void read());
  void read();
  return {
    get: () => user,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
