// Operations that run at the same time, stopped at every call of the storage and let go in every order.
import { AsyncLocalStorage } from "node:async_hooks";
import { afterMint, decideRotation } from "@pawl/storage";
import { UNIT } from "./honest-client.mjs";
import { openStage } from "./stage.mjs";
import { copiesIn } from "./world.mjs";

/**
 * @typedef {import("./stage.mjs").Row} Row
 * @typedef {import("./stage.mjs").Copy} Copy
 * @typedef {import("./stage.mjs").Storage} Storage
 * @typedef {() => Promise<any>} Call
 * @typedef {{ storage: Storage, gate: (call: Call) => Promise<any>, restore: (row: Row) => Promise<void> }} Line
 * @typedef {(method: string, call: Call, args: any[], line: Line) => Promise<any>} BrokenLine
 * @typedef {Awaited<ReturnType<typeof openGatedStage>>} GatedStage
 * @typedef {{ stage: GatedStage, world: import("./world.mjs").World, handle: import("@pawl/engine").SessionHandle }} Scene
 * @typedef {"refresh" | "use" | "revoke" | "time passes" | "a commit is lost"} Name
 * @typedef {{ name: Name, copy?: Copy | undefined }} Operation
 */

/** Calls that wait for their turn while a schedule runs. */
export const createGate = () => {
  const operation = new AsyncLocalStorage();
  /** @type {Call[]} */
  const waiting = [];
  return {
    gate: (/** @type {Call} */ call) =>
      operation.getStore() === undefined
        ? call()
        : new Promise((resolve, reject) => waiting.push(() => call().then(resolve, reject))),
    /**
     * Runs operations at the same time; `choices` says which waiting call goes next. @returns how many there were.
     * @param {readonly Call[]} todo
     * @param {readonly number[]} choices
     */
    async run(todo, choices) {
      waiting.length = 0;
      const done = Promise.allSettled(todo.map((perform, index) => operation.run(index, perform)));
      const widths = [];
      for (;;) {
        // Whatever the engine does between two calls is over when the event loop turns.
        await new Promise(setImmediate);
        if (waiting.length === 0) break;
        widths.push(waiting.length);
        const [next] = waiting.splice(choices[widths.length - 1] ?? 0, 1);
        await next?.();
      }
      const outcomes = (await done).map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)));
      return { outcomes, widths };
    },
  };
};

/**
 * Runs something in every order of the calls that wait. @returns how many there were.
 * @param {(choices: readonly number[]) => Promise<readonly number[]>} run tells how many waited at each turn
 */
export const inEveryOrder = async (run) => {
  let runs = 0;
  /** @type {number[] | undefined} */
  let choices = [];
  while (choices !== undefined) {
    /** @type {readonly number[]} */
    const order = choices;
    const widths = await run(order);
    runs += 1;
    // The next order: the last choice that can still be raised.
    const taken = widths.map((_, index) => order[index] ?? 0);
    let last = widths.length - 1;
    while (last >= 0 && (taken[last] ?? 0) + 1 >= (widths[last] ?? 0)) last -= 1;
    choices = last < 0 ? undefined : [...taken.slice(0, last), (taken[last] ?? 0) + 1];
  }
  return runs;
};

/** A stage on which each call of the storage waits for its turn while a schedule runs. */
/** @param {import("../faults/stage.mjs").StoreKind} kind @param {BrokenLine} broken */
export const openGatedStage = async (kind, broken = (_method, call) => call()) => {
  const { gate, run } = createGate();
  /** @type {import("./stage.mjs").Around} */
  const around = (method, call, args, storage) => broken(method, () => gate(call), args, { storage, gate, restore });
  const restore = (/** @type {Row} */ row) => stage.restore(row, stage.clock.time);
  /** @type {import("./stage.mjs").Stage} */
  const stage = await openStage(kind, { around });
  return { ...stage, gate, run };
};

/**
 * Stores that break the contract: what is one step there takes two, or compares nothing.
 * @type {Record<string, BrokenLine>}
 */
export const brokenLines = {
  "the store reads, then mints": async (method, call, [attempt], { storage, gate, restore }) => {
    if (method !== "rotate") return call();
    const record = await gate(() => storage.getSession(attempt.id));
    const now = storage.now();
    const decision = decideRotation(record, attempt, now);
    if (decision.kind !== "mint") return { minted: false, record, now };
    const minted = afterMint(record, { ...attempt, now });
    await gate(() => restore(minted));
    return { minted: true, record: minted, now };
  },
  "the store ends sessions without comparing": async (method, call, [expected, change], { storage, gate }) => {
    if (method !== "applyRotation") return call();
    return gate(async () => storage.applyRotation((await storage.getSession(expected.id)) ?? expected, change));
  },
};

const signature = (/** @type {readonly unknown[]} */ outcomes, /** @type {Row} */ row) =>
  JSON.stringify([outcomes, [row.current, row.next, row.issuedAt, row.endReason ?? "live"]]);

/**
 * What can be done to a session, by name; each is one call of the engine, or one event beside it.
 * @type {Record<Name, (scene: Scene, copy: Copy) => Promise<unknown>>}
 */
const operations = {
  refresh: async ({ stage }, copy) => {
    const { kind, copy: got } = await stage.refresh(copy);
    return [kind, got?.id];
  },
  use: ({ stage, handle }, copy) => stage.use(copy, handle),
  revoke: async ({ stage, handle }) => (await stage.engine.revokeSessions([handle], { reason: "logout" })).length,
  // The engine makes no answer of it; it only has to stand between any two calls.
  "time passes": ({ stage }) => stage.gate(async () => void (stage.clock.time += 5 * UNIT)),
  "a commit is lost": ({ stage, world }) =>
    stage.gate(async () => {
      const [before] = world.commits;
      if (before !== undefined) await stage.restore(before, stage.clock.time);
    }),
};

/** @param {Scene} scene @param {Operation} operation */
const perform = (scene, { name, copy = scene.world.jar }) => operations[name](scene, copy);

/** @type {(list: readonly number[]) => (readonly number[])[]} */
const permutations = (list) =>
  list.length < 2
    ? [list]
    : list.flatMap((item, index) => permutations(list.filter((_, at) => at !== index)).map((rest) => [item, ...rest]));

/** What comes out when one operation ends before the next begins, for every order. */
/** @param {Scene} scene @param {readonly Operation[]} todo */
const oneAfterAnother = async (scene, todo) => {
  const results = new Set();
  for (const order of permutations(todo.map((_, index) => index))) {
    await scene.stage.restore(scene.world.row, scene.world.now);
    /** @type {unknown[]} */
    const outcomes = [];
    for (const index of order) outcomes[index] = await perform(scene, /** @type {Operation} */ (todo[index]));
    results.add(signature(outcomes, await scene.stage.row(scene.world.row.id)));
  }
  return results;
};

const isAlarm = (/** @type {unknown} */ outcome) => Array.isArray(outcome) && outcome[0] === "token_reuse";

/**
 * Which operations are an alarm on the row as it stood before a commit was lost. Such an alarm may end the session also after
 * the loss, when another refresh has brought the row's numbers back: the theft it saw was one.
 * @param {Scene} scene
 * @param {readonly Operation[]} todo
 */
const alarmedBefore = async (scene, todo) => {
  if (!todo.some(({ name }) => name === "a commit is lost")) return [];
  const alarmed = [];
  for (const operation of todo) {
    await scene.stage.restore(scene.world.row, scene.world.now);
    alarmed.push(operation.name === "refresh" && isAlarm(await perform(scene, operation)));
  }
  return alarmed;
};

/**
 * Runs some operations in all orders of their calls. Each result has to be one that operations one after another give too.
 * @param {Scene} scene
 * @param {readonly Operation[]} todo
 * @returns how many orders there were, and those whose result is none of these.
 */
export const runSchedules = async (scene, todo) => {
  const { stage, world } = scene;
  const allowed = await oneAfterAnother(scene, todo);
  const alarmed = await alarmedBefore(scene, todo);
  /** @type {string[]} */
  const wrong = [];
  const runs = await inEveryOrder(async (order) => {
    await stage.restore(world.row, world.now);
    const { outcomes, widths } = await stage.run(
      todo.map((operation) => () => perform(scene, operation)),
      order,
    );
    const result = signature(outcomes, await stage.row(world.row.id));
    if (!allowed.has(result) && !outcomes.some((outcome, index) => alarmed[index] && isAlarm(outcome)))
      wrong.push(
        `${todo.map(({ name, copy }) => `${name} ${copy?.id ?? ""}`).join(" | ")} [${order.join(" ")}] gives ${result}`,
      );
    return widths;
  });
  return { runs, wrong };
};

/** The sets of operations to try in a world: two or three, with the copies that somebody holds. */
export const operationSets = (/** @type {import("./world.mjs").World} */ world) => {
  const copies = new Map(copiesIn(world).map((copy) => [copy.id, copy]));
  /** @type {Operation[]} */
  const refreshes = [...copies.values()].map((copy) => ({ name: "refresh", copy }));
  /** @type {Operation[]} */
  const others = [{ name: "use", copy: world.jar }, { name: "revoke" }, { name: "time passes" }];
  if (world.commits.length > 0) others.push({ name: "a commit is lost" });
  /** @type {Operation[][]} */
  const sets = [];
  for (const [index, first] of refreshes.entries()) {
    for (const second of [...refreshes.slice(index), ...others]) {
      sets.push([first, second]);
      for (const third of others) if (third !== second) sets.push([first, second, third]);
    }
  }
  return sets;
};
