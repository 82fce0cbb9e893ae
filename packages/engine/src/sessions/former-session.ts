import type { Millis } from "@pawl/storage";
import type { CreateSessionInput } from "../session.js";

/** What names the session of another system that a session is to take the place of. */
export interface FormerSession extends Pick<CreateSessionInput, "userId" | "tenantId"> {
  /** What no other session of that system is called, and nobody can guess: its id, or its cookie's value. */
  readonly former: string;
  /** Until when (ms since the epoch) such sessions are adopted, and the end of one is remembered. */
  readonly until: Millis;
}

/** A session of another system, as that has said it, to go on here. */
export interface AdoptSessionInput
  extends
    FormerSession,
    Pick<
      CreateSessionInput,
      "payload" | "checkPayload" | "data" | "device" | "address" | "form" | "algorithm" | "keyKind" | "enableAntiCsrf"
    > {
  /** When it began (ms since the epoch), from which the absolute timeout counts; now unless given. */
  readonly createdAt?: Millis | undefined;
}
