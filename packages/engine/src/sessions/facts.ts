import type { Millis, SessionRecord, UserId } from "@pawl/storage";
import type { DeviceKey } from "../binding/device-key.js";
import type { Acting, Actor, Authentication, JsonObject } from "../session.js";

/** Acting as it is kept: since when, and with a payload and data of its own. */
export interface KeptActing extends Acting {
  readonly payload: JsonObject;
  readonly data: JsonObject;
  readonly at: Millis;
}

/** The key that a session is bound to. */
export interface BoundKey extends DeviceKey {
  /** When it was bound: copies of its refresh tokens sealed before are of before the answer that told the browser so. */
  readonly at: Millis;
  /** Until the key has proved a refresh, for that answer may be lost: the number of the newest refresh token then. */
  readonly pending?: number | undefined;
}

/** What the engine keeps of a session beside its rotation. */
export interface Facts {
  /** Absent: at the session's creation, without methods. */
  readonly auth?: Authentication | undefined;
  readonly act?: KeptActing | undefined;
  /** Where the row is bound. */
  readonly device?: BoundKey | undefined;
}

/** Reads the `facts` of a row. */
export const parseFacts = (text: string): Facts => (text === "{}" ? {} : (JSON.parse(text) as Facts));

/** Writes the `facts` of a row. */
export const factsText = (facts: Facts): string => JSON.stringify(facts);

/** As `SessionSummary` says it. */
export const isBound = ({ bound }: Pick<SessionRecord, "bound">): true | undefined => (bound === "" ? undefined : true);

/** Whom a session speaks for at a time, and how sure it is who is there. */
export interface Identity {
  readonly userId: UserId;
  readonly actor?: Actor | undefined;
  readonly payload: JsonObject;
  /** The payload as JSON, where the row holds it so. */
  readonly payloadText?: string | undefined;
  readonly payloadVersion: number;
  readonly auth: Authentication;
  /** It speaks for this user until then at most. */
  readonly until?: Millis | undefined;
}

/** Whom the owner of a session acts for at a time. */
export const actingAt = ({ act }: Facts, now: Millis): KeptActing | undefined =>
  act !== undefined && now < act.until ? act : undefined;

/** How sure it is who is there. */
export const authenticationOf = (row: Pick<SessionRecord, "createdAt">, { auth }: Facts): Authentication =>
  auth ?? { at: row.createdAt, methods: [] };

export const identityOf = (row: SessionRecord, now: Millis): Identity => {
  const facts = parseFacts(row.facts);
  const { payloadVersion } = row;
  const auth = authenticationOf(row, facts);
  const act = actingAt(facts, now);
  if (act !== undefined) {
    const { userId, payload, until } = act;
    return { userId, actor: { userId: row.userId }, payload, payloadVersion, auth, until };
  }
  const payload = JSON.parse(row.payload) as JsonObject;
  return { userId: row.userId, payload, payloadText: row.payload, payloadVersion, auth };
};
