import type { Millis, SessionRecord, UserId } from "@pawl/storage";
import type { Acting, Actor, Authentication, JsonObject } from "../session.js";

/** What the engine keeps of a session beside its rotation. */
export interface Facts {
  /** Absent: at the session's creation, without methods. */
  readonly auth?: Authentication | undefined;
  readonly act?: Acting | undefined;
}

/** Reads the `facts` of a row. */
export const parseFacts = (text: string): Facts => (text === "{}" ? {} : (JSON.parse(text) as Facts));

/** Writes the `facts` of a row. */
export const factsText = (facts: Facts): string => JSON.stringify(facts);

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
export const actingAt = ({ act }: Facts, now: Millis): Acting | undefined =>
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
