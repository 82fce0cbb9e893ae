import type { CountName, LiveSessions } from "@pawl/engine";
import type { EndReason, EventType, Page, PageRequest } from "@pawl/storage";

/** One line of what happened to a session. */
export interface SessionEvent {
  /** Ms since the epoch. */
  readonly at: number;
  readonly type: EventType;
  readonly reason?: EndReason;
  /** Further facts; never a token, hash or key. */
  readonly detail?: unknown;
  /** How often, where the like of it within an hour is counted instead of repeated. */
  readonly count: number;
}

/** Which counts: of the steps in which any time from `from` on and before `to` lies, ms since the epoch. */
export interface CountsRange {
  readonly from: number;
  readonly to: number;
  /** `hour` unless given; days are those of UTC. At most 1000 of them. */
  readonly step?: "hour" | "day" | undefined;
  /** All tenants together unless given. */
  readonly tenantId?: string | undefined;
}

/** How often what happened. */
export interface CountsOfSessions {
  /** By time, then by name; steps in which nothing happened are left out. `at`: the beginning of the step. */
  readonly counts: readonly { readonly at: number; readonly name: CountName; readonly count: number }[];
  /** How many sessions of all tenants are live; absent until they were counted once. */
  readonly live?: LiveSessions | undefined;
}

/** Which events. */
export interface EventFilter extends Partial<PageRequest> {
  readonly handle?: string | undefined;
  readonly userId?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly type?: EventType | undefined;
}

/** One line of the audit trail. */
export interface AuditEvent extends SessionEvent {
  /** Names the event. */
  readonly key: string;
  readonly handle?: string | undefined;
  readonly userId?: string | undefined;
  readonly tenantId?: string | undefined;
}

/** An event that is to be delivered to a webhook, or could not be. */
export interface WebhookDelivery {
  readonly event: AuditEvent;
  /** The id of the webhook. */
  readonly webhook: string;
  /** Scheme, host and port of its URL; absent where no such webhook is configured. */
  readonly origin?: string | undefined;
  /** When it is tried next, ms since the epoch. */
  readonly dueAt: number;
  readonly attempts: number;
  /** Why it has not got it. */
  readonly failure?: string | undefined;
}

/** What an operator asks and does. */
export interface Operation {
  /** How often what happened, per hour or day, and how many sessions are live; without counting sessions. */
  counts(range: CountsRange): Promise<CountsOfSessions>;
  /** The audit trail, newest first, a page at a time. */
  events(filter?: EventFilter): Promise<Page<AuditEvent>>;
  /** What waits for delivery to webhooks, or with `dead` what was given up, a page at a time. */
  deliveries(options?: Partial<PageRequest> & { readonly dead?: boolean | undefined }): Promise<Page<WebhookDelivery>>;
  /**
   * Has an event delivered again, within a minute.
   * @param webhook its id; every one that is configured unless given. @returns false when nothing of this key waits or was
   * given up.
   */
  retryDelivery(key: string, webhook?: string): Promise<boolean>;
  /** Has an event delivered no more; it stays in the audit trail. @returns false as `retryDelivery`. */
  dropDelivery(key: string, webhook?: string): Promise<boolean>;
}

/** Items of a page unless the caller says otherwise. */
export const OPERATION_PAGE = 100;
