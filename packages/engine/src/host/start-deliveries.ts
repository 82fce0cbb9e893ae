import { setTimeout } from "node:timers";
import { type Millis, millis, type Storage } from "@pawl/storage";
import type { Deliveries } from "../webhooks/deliveries.js";
import { type Schedule, timers } from "./maintenance.js";

/** From one look into the outbox to the next; the end of a session is seen at once. */
const EVERY = millis(1000);
/** After the store has refused. */
const PAUSE = millis(20_000);
/** What is on its way may arrive before the process ends; the rest is sent again. */
const GRACE = 1000;

/**
 * Looks for what is to be delivered, again and again.
 * @returns stop, which resolves when nothing is on its way any more.
 */
export const startDeliveries = (
  deliveries: Deliveries,
  {
    storage,
    onError,
    schedule = timers,
  }: {
    readonly storage: Pick<Storage, "watchFeeds">;
    readonly onError: (error: unknown) => void;
    readonly schedule?: Schedule | undefined;
  },
): (() => Promise<void>) => {
  let stopped = false;
  let cancel: () => void = () => undefined;
  const plan = (delay: Millis): void => {
    if (!stopped) cancel = schedule(() => void look(), delay);
  };
  const look = async (): Promise<void> => {
    try {
      await deliveries.tick();
      plan(EVERY);
    } catch (error) {
      onError(error);
      plan(PAUSE);
    }
  };
  const unwatch = storage.watchFeeds(() => void deliveries.tick().catch(() => undefined));
  plan(EVERY);
  return async () => {
    stopped = true;
    cancel();
    unwatch();
    await deliveries.stop(new Promise((resolve) => void setTimeout(resolve, GRACE).unref()));
  };
};
