// Compiled with the tests: what must not compile is marked.
import { init, type WebSessionEvent } from "../src/index.js";
import { headerTokens } from "../src/header.js";

interface Payload {
  readonly role: "admin" | "reader";
}

export const check = async (): Promise<void> => {
  const { getPayload, onEvent, attemptRefresh, signOut } = init<Payload>({ tokens: headerTokens({ persist: true }) });
  const role: "admin" | "reader" | undefined = (await getPayload())?.role;
  // @ts-expect-error there is no such role
  const other: "nobody" | undefined = (await getPayload())?.role;
  onEvent((event) => {
    if (event.type === "created") event.payload.role satisfies string;
    // @ts-expect-error only an end has a reason
    void event.reason;
  });
  (await attemptRefresh()) satisfies "valid" | "ended" | "unknown";
  // @ts-expect-error after a sign-out no session is valid
  (await signOut()) satisfies "valid";
  const { status, userId, payload, reason } = init<Payload>().getSnapshot();
  if (status === "valid") [userId, payload.role] satisfies [string, string];
  else reason satisfies string | undefined;
  const untyped = init();
  (await untyped.getPayload())?.["role"] satisfies unknown;
  untyped.onEvent((event: WebSessionEvent) => void event.type);
  init({ onStepUp: async ({ max_age, acr_values, amr_values }) => [max_age, acr_values?.length, amr_values] });
  // @ts-expect-error there is no such option
  init({ refreshUrl: "/" });
  void [role, other];
};
