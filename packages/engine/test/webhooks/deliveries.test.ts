import { MemoryStorage, millis, type EventRecord, type SessionId, type Storage } from "@pawl/storage";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { expect, it, onTestFinished } from "vitest";
import { destinationsOf, type Webhook } from "../../src/index.js";
import { createDeliveries, createWebhooks } from "../../src/webhooks/index.js";
import { createSender } from "../../src/webhooks/send.js";
import { webhookId } from "../../src/webhooks/webhook.js";
import { DAY, HOUR, MINUTE, SECOND, StandingClock } from "../standing-clock.js";
import { intercepted } from "../intercepted-storage.js";
import { receiver, SECRET, status } from "./receiver.js";

const SESSION = "0000f6c2-3c1d-4d07-9f0e-3c1d4d079f0e" as SessionId;

/** A store with an outbox for these webhooks, and as many nodes that deliver as are asked for. */
const stage = (webhooks: readonly Webhook[]) => {
  const clock = new StandingClock();
  clock.advance(Date.now() - clock.now());
  const storage: Storage = new MemoryStorage({ clock, outbox: destinationsOf(webhooks) });
  let count = 0;
  const node = ({
    over = storage,
    timeout,
    knows = webhooks,
  }: { over?: Storage; timeout?: number; knows?: readonly Webhook[] } = {}) => {
    const errors: unknown[] = [];
    const deliveries = createDeliveries({
      storage: over,
      webhooks: knows,
      onError: (error) => errors.push(error),
      senderOf: (webhook) => createSender(webhook, timeout),
    });
    onTestFinished(() => deliveries.stop(Promise.resolve()));
    return { ...deliveries, errors };
  };
  const event = (parts: Partial<EventRecord> = {}): EventRecord => ({
    key: `admin:${(count += 1)}`,
    at: clock.now(),
    type: "admin",
    count: 1,
    ...parts,
  });
  return { clock, storage, node, event, webhooks: createWebhooks(storage, webhooks) };
};

type Stage = ReturnType<typeof stage>;

/** Delivers what is due, until nothing more is on its way. */
const work = async ({ tick, idle }: ReturnType<Stage["node"]>): Promise<void> => {
  await tick();
  await idle();
};

const waiting = async ({ storage }: Stage) => (await storage.listOutbox({ dead: false }, { limit: 100 })).items;
const dead = async ({ webhooks }: Stage) => (await webhooks.list({ dead: true }, { limit: 100 })).items;

it("delivers what a Standard Webhooks library verifies, as the event is told", async () => {
  const to = await receiver();
  const on = stage([to.webhook]);
  const ended = on.event({
    key: `session_ended:${SESSION}`,
    type: "session_ended",
    sessionId: SESSION,
    tenantId: "acme" as never,
    userId: "é" as never,
    reason: "revoked_by_admin",
    detail: '{"by":"support"}',
  });
  await on.storage.appendEvents([ended]);
  await work(on.node());
  const [received] = to.got;
  const verified = new StandardWebhook(SECRET).verify(received!.body, received!.headers as Record<string, string>);
  expect(verified).toEqual({
    type: "session_ended",
    timestamp: new Date(ended.at).toISOString(),
    data: {
      key: ended.key,
      at: ended.at,
      type: "session_ended",
      count: 1,
      handle: `${SESSION}_acme`,
      tenantId: "acme",
      userId: "é",
      reason: "revoked_by_admin",
      detail: { by: "support" },
    },
  });
  expect(received?.headers).toMatchObject({ "content-type": "application/json", "webhook-id": ended.key });
  expect(() =>
    new StandardWebhook("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").verify(received!.body, received!.headers as never),
  ).toThrow();
});

it("signs with both keys while one takes the place of another", async () => {
  const to = await receiver();
  const other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const on = stage([{ ...to.webhook, secret: `${SECRET}, ${other}` }]);
  await on.storage.appendEvents([on.event()]);
  await work(on.node());
  const { body, headers } = to.got[0]!;
  for (const secret of [SECRET, other]) new StandardWebhook(secret).verify(body, headers as never);
});

it("tries again with the same id, later and later, and after three days it is a dead letter", async () => {
  const to = await receiver(status(500));
  const on = stage([to.webhook]);
  const event = on.event();
  await on.storage.appendEvents([event]);
  const node = on.node();
  const begun = on.clock.now();
  const times: number[] = [];
  while ((await dead(on)).length === 0) {
    times.push(on.clock.now() - begun);
    await work(node);
    expect(to.got).toHaveLength(times.length);
    const [next] = await waiting(on);
    if (next !== undefined) on.clock.advance(next.dueAt - on.clock.now());
  }
  expect(times.slice(0, 6)).toEqual([0, 5 * SECOND, 35 * SECOND, 155 * SECOND, 755 * SECOND, 2555 * SECOND]);
  expect(times.at(-1)).toBeGreaterThanOrEqual(3 * DAY);
  expect(times.at(-1)).toBeLessThan(3.5 * DAY);
  expect(new Set(to.ids())).toEqual(new Set([event.key]));
  expect(await dead(on)).toMatchObject([
    {
      event,
      webhook: webhookId(to.webhook),
      origin: new URL(to.webhook.url).origin,
      attempts: times.length,
      failure: "status 500",
    },
  ]);
  to.answers(status(200));
  expect(await on.webhooks.retry(event.key)).toBe(true);
  on.clock.advance(MINUTE);
  await work(node);
  expect(await dead(on)).toEqual([]);
  expect(to.ids().at(-1)).toBe(event.key);
  expect([await on.webhooks.retry(event.key), await on.webhooks.drop(event.key)]).toEqual([false, false]);
});

it("keeps the order of a session while its first event waits, and holds nobody else up", async () => {
  const to = await receiver((response, { id }) => status(id === "first" ? 400 : 204)(response));
  const on = stage([to.webhook]);
  const of = { sessionId: SESSION, tenantId: "public" as never };
  await on.storage.appendEvents([
    on.event({ key: "first", ...of }),
    on.event({ key: "second", ...of }),
    on.event({ key: "other" }),
  ]);
  const node = on.node();
  await work(node);
  expect(new Set(to.ids())).toEqual(new Set(["first", "other"]));
  to.answers(status(204));
  on.clock.advance(MINUTE);
  await work(node);
  expect(to.ids().filter((id) => id !== "other")).toEqual(["first", "first", "second"]);
});

it("repeats to the webhook that has not got it alone, and sends each what it asked for", async () => {
  const [good, bad, ends] = [await receiver(), await receiver(status(400)), await receiver()];
  const on = stage([good.webhook, bad.webhook, { ...ends.webhook, events: ["session_ended"] }]);
  await on.storage.appendEvents([on.event({ key: "a" })]);
  const node = on.node();
  await work(node);
  bad.answers(status(204));
  on.clock.advance(MINUTE);
  await work(node);
  expect([good.ids(), bad.ids(), ends.ids()]).toEqual([["a"], ["a", "a"], []]);
});

it("gives a webhook all events of a session in order and at once, while another one fails", async () => {
  const [good, bad] = [await receiver(), await receiver(status(500))];
  const on = stage([good.webhook, bad.webhook]);
  const of = { sessionId: SESSION, tenantId: "public" as never };
  await on.storage.appendEvents([
    on.event({ key: "token_reuse", type: "token_reuse", ...of }),
    on.event({ key: "session_ended", type: "session_ended", ...of }),
  ]);
  const node = on.node();
  await work(node);
  expect([good.ids(), bad.ids()]).toEqual([["token_reuse", "session_ended"], ["token_reuse"]]);
  bad.answers(status(204));
  on.clock.advance(MINUTE);
  await work(node);
  expect([good.got.length, bad.ids()]).toEqual([2, ["token_reuse", "token_reuse", "session_ended"]]);
});

it("retries and drops for one webhook, or for each that is configured", async () => {
  const [one, two] = [await receiver(status(400)), await receiver(status(400))];
  const on = stage([one.webhook, two.webhook]);
  await on.storage.appendEvents([on.event({ key: "a" })]);
  const node = on.node();
  await work(node);
  expect(await on.webhooks.retry("a", webhookId(two.webhook))).toBe(true);
  await work(node);
  expect([one.got.length, two.got.length]).toEqual([1, 2]);
  expect(await on.webhooks.retry("a")).toBe(true);
  await work(node);
  expect([one.got.length, two.got.length]).toEqual([2, 3]);
  expect(await on.webhooks.drop("a", webhookId(one.webhook))).toBe(true);
  expect((await waiting(on)).map(({ destination }) => destination)).toEqual([webhookId(two.webhook)]);
  expect([await on.webhooks.drop("a"), await on.webhooks.drop("a")]).toEqual([true, false]);
});

it("holds back what is for a webhook that it does not know, for those that do; for three days", async () => {
  const to = await receiver();
  const on = stage([to.webhook]);
  const old = on.node({ knows: [] });
  await on.storage.appendEvents([on.event({ key: "a" })]);
  await work(old);
  const failure = "no such webhook is configured";
  expect(createWebhooks(on.storage).configured).toEqual([]);
  expect((await createWebhooks(on.storage).list({ dead: false }, { limit: 9 })).items).toMatchObject([
    { webhook: webhookId(to.webhook), origin: undefined, attempts: 1, failure },
  ]);
  on.clock.advance(5 * SECOND);
  await work(on.node());
  expect(to.ids()).toEqual(["a"]);

  await on.storage.appendEvents([on.event({ key: "b" })]);
  for (let day = 0; day <= 3; day += 1) {
    expect(await dead(on)).toEqual([]);
    await work(old);
    on.clock.advance(DAY);
  }
  expect(await dead(on)).toMatchObject([{ event: { key: "b" }, failure }]);
  expect(to.ids()).toEqual(["a"]);
});

it("nodes share the work: none sends what another one is sending, and one that is gone is replaced", async () => {
  const to = await receiver();
  const on = stage([to.webhook]);
  await on.storage.appendEvents(Array.from({ length: 200 }, () => on.event()));
  const nodes = [on.node(), on.node(), on.node()];
  await Promise.all(nodes.map(work));
  for (const node of nodes) await work(node);
  expect(to.ids()).toHaveLength(200);
  expect(new Set(to.ids()).size).toBe(200);

  await on.storage.appendEvents([on.event({ key: "left behind" })]);
  await on.storage.takeOutbox(9, millis(on.clock.now() + 30 * SECOND));
  await nodes[0]!.tick();
  expect(to.ids()).toHaveLength(200);
  on.clock.advance(30 * SECOND);
  await work(nodes[1]!);
  expect(to.ids().at(-1)).toBe("left behind");
});

it("sends again, with the same id, what the store could not settle", async () => {
  const to = await receiver();
  const on = stage([to.webhook]);
  let down = true;
  const shaky = intercepted(on.storage, async ({ method, proceed }) => {
    if (down && method === "settleOutbox") throw new Error("the store is down");
    return proceed();
  });
  const node = on.node({ over: shaky });
  await on.storage.appendEvents([on.event({ key: "a" })]);
  await work(node);
  expect(node.errors).toHaveLength(1);
  down = false;
  on.clock.advance(30 * SECOND);
  await work(node);
  expect(to.ids()).toEqual(["a", "a"]);
});

it("gives up a target that hangs, and spares it until it answers again", async () => {
  let isHung = true;
  const to = await receiver((response) => (isHung ? undefined : response.writeHead(200).end()));
  const on = stage([to.webhook]);
  await on.storage.appendEvents(Array.from({ length: 40 }, () => on.event()));
  const node = on.node({ timeout: 1000 });
  await work(node);
  // Those that were on their way at once; what came after has not been tried.
  expect(to.got.length).toBeLessThanOrEqual(32);
  expect(new Set((await waiting(on)).map(({ state }) => (JSON.parse(state) as { failure: string }).failure))).toEqual(
    new Set(["no answer within 10 s", "it did not answer other messages"]),
  );
  const burst = to.got.length;
  // All of one burst say no more than one: the next attempt is due in five seconds. A single message makes it.
  on.clock.advance(5 * SECOND);
  await work(node);
  expect(to.got).toHaveLength(burst + 1);
  isHung = false;
  on.clock.advance(30 * SECOND);
  await work(node);
  expect(to.got.length).toBeGreaterThan(burst + 1);
  for (let round = 0; round < 5 && (await waiting(on)).length > 0; round += 1) {
    on.clock.advance(HOUR);
    await work(node);
  }
  expect(await waiting(on)).toEqual([]);
  expect(new Set(to.ids()).size).toBe(40);
});

it("tests each webhook, past the outbox, and says what came of it", async () => {
  const [good, bad] = [await receiver(), await receiver(status(302, { location: "http://127.0.0.1:1/" }))];
  const on = stage([good.webhook, bad.webhook]);
  expect(await on.webhooks.test()).toEqual([
    { id: webhookId(good.webhook), origin: `http://127.0.0.1:${good.port}` },
    { id: webhookId(bad.webhook), origin: `http://127.0.0.1:${bad.port}`, failure: "status 302" },
  ]);
  expect(good.got[0]?.event).toMatchObject({ type: "test" });
  expect(await waiting(on)).toEqual([]);
});
