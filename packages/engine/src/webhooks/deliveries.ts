import { type EventRecord, millis, type OutboxRecord, type OutboxSettlement, type Storage } from "@pawl/storage";
import { type Attempts, attemptsOf } from "./delivery.js";
import { messageOf, signedHeaders } from "./message.js";
import { createSender, SEND_TIMEOUT, type Sender } from "./send.js";
import { type Webhook, webhookId } from "./webhook.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** From one attempt to the next; the last one again and again. */
const PAUSES = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR];
/** From the first attempt on; then it is a dead letter. */
const GIVEN_UP_AFTER = 72 * HOUR;
/** An entry that was taken is nobody else's for so long: longer than an answer may take. */
const LEASE = 30 * SECOND;
/** Messages on their way at once. */
const AT_ONCE = 32;
/** How long nothing but a first attempt goes to a webhook that does not answer. */
const LONGEST_DOWN = MINUTE;

export interface Deliveries {
  /** Takes what is due and begins to send it; goes on by itself as long as there is more. Resolves when it has begun. */
  tick(): Promise<void>;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
  /**
   * Takes nothing more. Resolves when nothing is on its way any more; what has not arrived when `grace` resolves is cut, and
   * is sent again by whoever comes next.
   */
  stop(grace: Promise<unknown>): Promise<void>;
}

interface Target {
  readonly webhook: Webhook;
  readonly sender: Sender;
  failed: number;
  downUntil: number;
}

/**
 * Delivers what is in the outbox of a store: at least once, to each webhook in the order of each session, and by one process at
 * a time. What is for a webhook that is not configured here waits as for one that fails: while processes are started anew
 * with another list, those that know it deliver it.
 */
export const createDeliveries = ({
  storage,
  webhooks,
  onError,
  senderOf = createSender,
}: {
  readonly storage: Pick<Storage, "now" | "takeOutbox" | "settleOutbox">;
  readonly webhooks: readonly Webhook[];
  /** Called with what the store refuses; what was not settled is sent again. */
  readonly onError: (error: unknown) => void;
  readonly senderOf?: ((webhook: Webhook) => Sender) | undefined;
}): Deliveries => {
  const targets: ReadonlyMap<string, Target> = new Map(
    webhooks.map((webhook) => [webhookId(webhook), { webhook, sender: senderOf(webhook), failed: 0, downUntil: 0 }]),
  );
  const running = new Set<Promise<void>>();
  let stopped = false;
  let taking: Promise<void> | undefined;

  /** @returns why it was not delivered; undefined: it was. */
  const sendTo = async (target: Target, event: EventRecord): Promise<string | undefined> => {
    const now = storage.now();
    if (now < target.downUntil) return "it did not answer other messages";
    // One message finds out whether it answers again: many that hang would keep others from being sent.
    const isTrial = target.failed > 0;
    if (isTrial) target.downUntil = now + SEND_TIMEOUT;
    const message = messageOf(event);
    const sent = await target.sender.send(message.body, signedHeaders(message, target.webhook, now));
    if (sent.kind === "delivered" || !sent.isDown) {
      target.failed = 0;
      target.downUntil = 0;
    } else if (isTrial || now >= target.downUntil) {
      // Of many that were on their way at once, one tells that it is down.
      const pause = PAUSES[Math.min(target.failed, PAUSES.length - 1)] ?? 0;
      target.failed += 1;
      target.downUntil = storage.now() + Math.min(pause, LONGEST_DOWN);
    }
    return sent.kind === "delivered" ? undefined : sent.why;
  };

  const deliver = async ({ destination, event, state }: OutboxRecord): Promise<void> => {
    const settle = (settlement: OutboxSettlement): Promise<boolean> =>
      storage.settleOutbox({ key: event.key, destination }, settlement);
    const target = targets.get(destination);
    const tried = target === undefined || storage.now() >= target.downUntil;
    const failure = target === undefined ? "no such webhook is configured" : await sendTo(target, event);
    if (failure === undefined) {
      await settle({ kind: "delivered" });
      return;
    }
    const now = storage.now();
    const before = attemptsOf(state);
    const { since = now } = before;
    const count = before.count + (tried ? 1 : 0);
    const noted = JSON.stringify({ count, since, failure } satisfies Attempts);
    if (tried && now - since >= GIVEN_UP_AFTER) {
      await settle({ kind: "dead", state: noted });
      return;
    }
    const pause = PAUSES[Math.min(Math.max(count, 1), PAUSES.length) - 1] ?? 0;
    const dueAt = millis(Math.max(tried ? now + pause : 0, target?.downUntil ?? 0, now + SECOND));
    await settle({ kind: "postponed", dueAt, state: noted });
  };

  /** @returns whether there may be more. */
  const takeSome = async (): Promise<boolean> => {
    const free = AT_ONCE - running.size;
    if (free === 0 || stopped) return false;
    const taken = await storage.takeOutbox(free, millis(storage.now() + LEASE));
    for (const entry of taken) begin(entry);
    return taken.length === free;
  };

  const begin = (entry: OutboxRecord): void => {
    const work: Promise<void> = deliver(entry)
      .catch(onError)
      .finally(() => {
        running.delete(work);
        // What waited behind it is due now.
        tick().catch(onError);
      });
    running.add(work);
  };

  const take = async (): Promise<void> => {
    for (let isMore = true; isMore;) isMore = await takeSome();
  };

  const tick = (): Promise<void> => (taking ??= take().finally(() => (taking = undefined)));

  const idle = async (): Promise<void> => {
    for (let going = onTheirWay(); going.length > 0; going = onTheirWay()) await Promise.allSettled(going);
  };
  const onTheirWay = (): readonly Promise<void>[] => (taking === undefined ? [...running] : [taking, ...running]);

  return {
    tick,
    idle,
    async stop(grace) {
      stopped = true;
      await Promise.race([idle(), grace]);
      for (const { sender } of targets.values()) sender.close();
      await idle();
    },
  };
};
