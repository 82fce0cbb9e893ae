/** What never changes of an event. */
export const eventFacts = "key, at, type, tenant_id, user_id, session_id, reason, detail";

export const eventColumns = `${eventFacts}, count`;
