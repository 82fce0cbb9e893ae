// Operations that run at the same time, stopped at every call of the storage and let go in every order.
import { AsyncLocalStorage } from "node:async_hooks";
import { afterMint, decideRotation } from "@pawl/storage";
import { UNIT } from "./honest-client.mjs";
import { openStage } from "./stage.mjs";

/** A stage on which each call of the storage waits for its turn while a schedule runs. */
export const openGatedStage = async (kind, broken = (_method, call) => call()) => {
  const operation = new AsyncLocalStorage();
  const waiting = [];
  const gate = (call) =>
    operation.getStore() === undefined
      ? call()
      : new Promise((resolve, reject) => waiting.push(() => call().then(resolve, reject)));
  const around = (method, call, args, storage) =>
    broken(method, () => gate(call), args, { storage, gate, restore: (row) => stage.restore(row, stage.clock.time) });
  const stage = await openStage(kind, { around });
  return { ...stage, operation, waiting, gate };
};

/** Stores that break the contract: what is one step there takes two, or compares nothing. */
export const brokenLines = {
  "the store reads, then mints": async (method, call, [attempt], { storage, gate, restore }) => {
    if (method !== "rotate") return call();
    const record = await gate(() => storage.getSession(attempt.id));
    const now = storage.now();
    const decision = decideRotation(record, attempt, now);
    if (decision.kind !== "mint") return { minted: false, record, now };
    const minted = afterMint(record, { ...attempt, now });
    await gate(() => restore(minted, now));
    return { minted: true, record: minted, now };
  },
  "the store ends sessions without comparing": async (method, call, [expected, change], { storage, gate }) => {
    if (method !== "applyRotation") return call();
    return gate(async () => storage.applyRotation(await storage.getSession(expected.id), change));
  },
};

const signature = (outcomes, row) =>
  JSON.stringify([outcomes, row && [row.current, row.next, row.issuedAt, row.endReason ?? "live"]]);

/** What can be done to a session, by name; each is one call of the engine, or one event beside it. */
const operations = {
  refresh: ({ stage }, copy) => stage.refresh(copy).then(({ kind, copy: got }) => [kind, got?.id]),
  use: async ({ stage, handle }, copy) => void (await stage.use(copy, handle)),
  revoke: async ({ stage, handle }) => (await stage.engine.revokeSessions([handle], { reason: "logout" })).length,
  // The engine makes no answer of it; it only has to stand between any two calls.
  "time passes": ({ stage }) => stage.gate(async () => void (stage.clock.time += 5 * UNIT)),
  "a commit is lost": ({ stage, world }) =>
    stage.gate(async () => {
      const [before] = world.commits;
      if (before !== undefined) await stage.restore(before, stage.clock.time);
    }),
};

const perform = (scene, [name, copy]) => operations[name](scene, copy);

const permutations = (list) =>
  list.length < 2
    ? [list]
    : list.flatMap((item, index) => permutations(list.filter((_, at) => at !== index)).map((rest) => [item, ...rest]));

/** What comes out when one operation ends before the next begins, for every order. */
const oneAfterAnother = async (scene, todo) => {
  const results = new Set();
  for (const order of permutations(todo.map((_, index) => index))) {
    await scene.stage.restore(scene.world.row, scene.world.now);
    const outcomes = [];
    for (const index of order) outcomes[index] = await perform(scene, todo[index]);
    results.add(signature(outcomes, await scene.stage.row(scene.world.row.id)));
  }
  return results;
};

const isAlarm = (outcome) => Array.isArray(outcome) && outcome[0] === "token_reuse";

/**
 * Which operations are an alarm on the row as it stood before a commit was lost. Such an alarm may end the session also after
 * the loss, when another refresh has brought the row's numbers back: the theft it saw was one.
 */
const alarmedBefore = async (scene, todo) => {
  if (!todo.some(([name]) => name === "a commit is lost")) return [];
  const alarmed = [];
  for (const operation of todo) {
    await scene.stage.restore(scene.world.row, scene.world.now);
    alarmed.push(operation[0] === "refresh" && isAlarm(await perform(scene, operation)));
  }
  return alarmed;
};

/** Runs the operations at the same time; `choices` says which waiting call goes next. @returns how many there were. */
const atOnce = async (scene, todo, choices) => {
  const { stage, world } = scene;
  await stage.restore(world.row, world.now);
  stage.waiting.length = 0;
  const running = todo.map((operation, index) => stage.operation.run(index, () => perform(scene, operation)));
  const done = Promise.allSettled(running);
  const widths = [];
  for (;;) {
    // Whatever the engine does between two calls is over when the event loop turns.
    await new Promise(setImmediate);
    if (stage.waiting.length === 0) break;
    widths.push(stage.waiting.length);
    const [next] = stage.waiting.splice(choices[widths.length - 1] ?? 0, 1);
    await next();
  }
  const outcomes = (await done).map(({ value, reason }) => (reason === undefined ? value : String(reason)));
  return { outcomes, result: signature(outcomes, await stage.row(world.row.id)), widths };
};

/**
 * Runs some operations in all orders of their calls. Each result has to be one that operations one after another give too.
 * @returns how many orders there were, and those whose result is none of these.
 */
export const runSchedules = async (scene, todo) => {
  const allowed = await oneAfterAnother(scene, todo);
  const alarmed = await alarmedBefore(scene, todo);
  const wrong = [];
  let runs = 0;
  for (let choices = []; choices !== undefined;) {
    const { result, outcomes, widths } = await atOnce(scene, todo, choices);
    runs += 1;
    if (!allowed.has(result) && !outcomes.some((outcome, index) => alarmed[index] && isAlarm(outcome)))
      wrong.push(
        `${todo.map(([name, copy]) => `${name} ${copy?.id ?? ""}`).join(" | ")} [${choices.join(" ")}] gives ${result}`,
      );
    // The next order: the last choice that can still be raised.
    const taken = widths.map((_, index) => choices[index] ?? 0);
    let last = widths.length - 1;
    while (last >= 0 && taken[last] + 1 >= widths[last]) last -= 1;
    choices = last < 0 ? undefined : [...taken.slice(0, last), taken[last] + 1];
  }
  return { runs, wrong };
};

/** The sets of operations to try in a world: two or three, with the copies that somebody holds. */
export const operationSets = (world) => {
  const copies = [
    ...new Map(
      [world.jar, world.thief, ...world.flights.flatMap(({ token, answers }) => [token, ...answers])]
        .filter((copy) => copy !== undefined)
        .map((copy) => [copy.id, copy]),
    ).values(),
  ];
  const refreshes = copies.map((copy) => ["refresh", copy]);
  const others = [
    ["use", copies[0]],
    ["revoke"],
    ["time passes"],
    ...(world.commits.length > 0 ? [["a commit is lost"]] : []),
  ];
  const sets = [];
  for (const [index, first] of refreshes.entries()) {
    for (const second of [...refreshes.slice(index), ...others]) {
      sets.push([first, second]);
      for (const third of others) if (third !== second) sets.push([first, second, third]);
    }
  }
  return sets;
};
