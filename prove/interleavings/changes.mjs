// Changes of a session's payload at the same time as everything else that happens to it, in every order of the calls of the
// storage, on two nodes: whoever has heard of a change takes no older token, nobody is logged out by one, and nobody goes on
// to act for another user after one.
import { millis } from "@pawl/storage";
import { userId } from "../identifiers.mjs";
import { createGate, inEveryOrder } from "./schedules.mjs";
import { engineModule as whole, openStage } from "./stage.mjs";

/**
 * @typedef {import("@pawl/engine").SessionEngine} Engine
 * @typedef {import("./stage.mjs").EngineModule} EngineModule
 * @typedef {Awaited<ReturnType<typeof openChangesStage>>} ChangesStage
 * @typedef {{ token: string, text: number, isSlow: boolean }} Token an access token, the number that its payload holds, and
 * whether it is dated so long before its row was read that it may pass for an older one
 * @typedef {Awaited<ReturnType<typeof begin>>} Scene
 * @typedef {keyof typeof operations} Operation
 */

const HOUR = 3_600_000;
/** How far the clocks may differ by which changes and tokens are dated. */
const SKEW = 30_000;
const FAR = SKEW + 5_000;
const FORM = "pawl";

/** Two nodes over one storage, each call of which waits for its turn while a schedule runs. */
/** @param {EngineModule} [engineModule] */
export const openChangesStage = async (engineModule = whole) => {
  const { gate, run } = createGate();
  const policy = { accessTokenValidity: millis(HOUR) };
  /** Nobody is revoked here. @type {import("./stage.mjs").Around} */
  const around = (method, call) => (method === "revocationsSince" ? call() : gate(call));
  const stage = await openStage("memory", { engineModule, policy, around });
  const other = await engineModule.createEngine({
    storage: stage.storage,
    masterKeys: engineModule.parseMasterKeys(stage.masterKey),
    policy: stage.engine.policy,
  });
  const close = async () => {
    await other.close();
    await stage.close();
  };
  return { ...stage, gate, run, nodes: { here: stage.engine, there: other }, close };
};

/** A session that has just logged in, on a storage of its own. @param {ChangesStage} stage */
const begin = async (stage) => {
  // What was heard in the run before is forgotten.
  stage.clock.time += 3 * HOUR;
  const { here, there } = stage.nodes;
  const login = await here.createSession({ userId: userId("user"), payload: { text: 0 }, form: FORM });
  const { handle } = login.session;
  const row = await stage.row(/** @type {any} */ (handle));
  await stage.restore(row, stage.clock.time);
  const scene = {
    stage,
    handle,
    row,
    refreshToken: login.refreshToken.token,
    /** @type {Token[]} */
    tokens: [],
    texts: 0,
    /** Which version each acknowledged payload became. */
    versions: new Map([[0, 0]]),
    acknowledged: 0,
    heard: new Map([
      [here, 0],
      [there, 0],
    ]),
    isLost: false,
    hasActed: false,
    /** @type {string[]} */
    wrong: [],
  };
  take(scene, login.accessToken.token);
  return scene;
};

/** @param {Engine} node @param {string} token */
const judge = (node, token) => {
  const outcome = node.verifier.verify({ accessToken: token });
  return outcome.kind === "try_refresh" ? outcome.why : outcome.kind;
};

/** What a token may not be taken for by those who have heard. @param {Scene} scene */
const check = ({ tokens, versions, heard, acknowledged, isLost, wrong }) => {
  if (isLost) return;
  for (const [node, version] of heard)
    for (const { token, text, isSlow } of tokens) {
      const own = versions.get(text) ?? Number.POSITIVE_INFINITY;
      const judged = judge(node, token);
      if (own < version && judged !== "outdated") wrong.push(`payload ${text} is ${judged} after version ${version}`);
      if (own >= acknowledged && judged !== "valid" && !isSlow) wrong.push(`payload ${text}, the newest, is ${judged}`);
    }
};

/** @param {Scene} scene @param {string} token @param {number} [asked] when the request came that it answers */
const take = (scene, token, asked = scene.stage.clock.time) => {
  const [, body = ""] = token.split(".");
  const { text } = JSON.parse(Buffer.from(body, "base64url").toString());
  scene.tokens.push({ token, text, isSlow: scene.stage.clock.time - asked > SKEW });
  check(scene);
};

/** @param {Scene} scene @param {Engine} node */
const refresh = async (scene, node) => {
  const outcome = await node.refreshSession({ refreshToken: scene.refreshToken, form: FORM });
  if (outcome.kind !== "refreshed") return void scene.wrong.push(`a refresh is ${outcome.kind}`);
  take(scene, outcome.accessToken.token);
  return outcome.refreshToken.token;
};

/** @param {Scene} scene @param {Engine} node */
const change = async (scene, node) => {
  const text = (scene.texts += 1);
  const changed = await node.updatePayload(scene.handle, { text }, { form: FORM });
  if (changed === undefined) return void scene.wrong.push("the session is gone");
  acknowledge(scene, node, { text, version: changed.payloadVersion });
};

/** @param {Scene} scene @param {Engine} node @param {{ text: number, version: number }} changed */
const acknowledge = (scene, node, { text, version }) => {
  scene.versions.set(text, version);
  scene.acknowledged = Math.max(scene.acknowledged, version);
  scene.heard.set(node, Math.max(scene.heard.get(node) ?? 0, version));
  check(scene);
};

/** By the first token, as somebody does whose right to it a change takes away. @param {Scene} scene @param {Engine} node */
const actForAnother = async (scene, node) => {
  const text = (scene.texts += 1);
  const another = { userId: userId("another"), payload: { text }, reason: "ticket" };
  const outcome = await node.actAs(scene.tokens[0]?.token ?? "", another);
  // Of two that begin at once, or after a change, one is too late.
  if (outcome.kind === "outdated" || outcome.kind === "refused") return;
  if (outcome.kind !== "regenerated" || outcome.accessToken === undefined)
    return void scene.wrong.push(`to act is ${outcome.kind}`);
  scene.hasActed = true;
  acknowledge(scene, node, { text, version: outcome.session.payloadVersion });
  take(scene, outcome.accessToken.token);
};

/** @param {Scene} scene @param {Engine} node */
const hear = async (scene, node) => {
  const { acknowledged } = scene;
  await node.changes.catchUp();
  scene.heard.set(node, Math.max(scene.heard.get(node) ?? 0, acknowledged));
  check(scene);
};

/** @param {number} duration */
const wait =
  (duration) =>
  (/** @type {Scene} */ { stage }) =>
    stage.gate(async () => void (stage.clock.time += duration));

/** What happens at the same time, by name. */
const operations = {
  "refresh here": (/** @type {Scene} */ scene) => refresh(scene, scene.stage.nodes.here),
  "refresh there": (/** @type {Scene} */ scene) => refresh(scene, scene.stage.nodes.there),
  "change here": (/** @type {Scene} */ scene) => change(scene, scene.stage.nodes.here),
  "change there": (/** @type {Scene} */ scene) => change(scene, scene.stage.nodes.there),
  "act for another": (/** @type {Scene} */ scene) => actForAnother(scene, scene.stage.nodes.here),
  "hear here": (/** @type {Scene} */ scene) => hear(scene, scene.stage.nodes.here),
  "hear there": (/** @type {Scene} */ scene) => hear(scene, scene.stage.nodes.there),
  regenerate: async (/** @type {Scene} */ scene) => {
    const asked = scene.stage.clock.time;
    const outcome = await scene.stage.nodes.there.regenerateAccessToken(scene.tokens[0]?.token ?? "");
    if (outcome.kind === "outdated" && scene.hasActed) return;
    if (outcome.kind !== "regenerated" || outcome.accessToken === undefined)
      return void scene.wrong.push(`a regeneration is ${outcome.kind}`);
    take(scene, outcome.accessToken.token, asked);
  },
  "ten seconds pass": wait(10_000),
  "forty seconds pass": wait(40_000),
  "commits are lost": async (/** @type {Scene} */ scene) => {
    const { stage, row } = scene;
    await stage.gate(() => stage.restore(row, stage.clock.time));
    scene.isLost = true;
  },
};

/** The calls that no other operation of the run waits for. @param {Scene} scene */
const settle = async (scene) => {
  const { stage, wrong } = scene;
  const { here, there } = stage.nodes;
  await hear(scene, here);
  await hear(scene, there);

  stage.clock.time += FAR;
  const renewed = await refresh(scene, there);
  const newest = scene.tokens.at(-1);
  const stored = await here.getSession(scene.handle);
  if (stored === undefined || renewed === undefined) return void wrong.push("the session is gone");
  if (stored.acting !== undefined && !scene.isLost) wrong.push("it acts for another user after a change");
  const { payload } = stored.acting
    ? ((await here.getSession(scene.handle, { as: stored.acting.userId })) ?? stored)
    : stored;
  if (newest === undefined || newest.text !== payload["text"]) wrong.push("a refresh brings an older payload");
  for (const node of [here, there])
    if (newest === undefined || judge(node, newest.token) !== "valid") wrong.push("a refresh does not help");

  await change(scene, here);
  await hear(scene, there);
  for (const node of [here, there])
    for (const { token, text } of scene.tokens)
      if (judge(node, token) !== "outdated") wrong.push(`payload ${text} is ${judge(node, token)} at last`);
  scene.refreshToken = renewed;
  await refresh(scene, here);
  const last = scene.tokens.at(-1)?.token ?? "";
  for (const node of [here, there]) if (judge(node, last) !== "valid") wrong.push("the last refresh does not help");
};

const names = /** @type {Operation[]} */ (Object.keys(operations));
const isChange = (/** @type {Operation} */ name) => name.startsWith("change");

/** Sets of two or three operations with a change among them. */
export const changeSets = () => {
  /** @type {Operation[][]} */
  const sets = [];
  for (const [index, first] of names.entries())
    for (const [offset, second] of names.slice(index).entries()) {
      sets.push([first, second]);
      for (const third of names.slice(index + offset)) sets.push([first, second, third]);
    }
  return sets.filter((set) => set.some(isChange));
};

/**
 * Runs a set of operations in all orders of their calls, after nothing, or after a change of which both nodes have heard.
 * @param {ChangesStage} stage
 * @param {readonly Operation[]} todo
 * @returns how many orders there were, and what went wrong.
 */
export const runChanges = async (stage, todo) => {
  /** @type {string[]} */
  const wrong = [];
  let runs = 0;
  for (const isChanged of [false, true])
    runs += await inEveryOrder(async (order) => {
      const scene = await begin(stage);
      if (isChanged) {
        await change(scene, stage.nodes.here);
        await hear(scene, stage.nodes.there);
        scene.row = await stage.row(scene.row.id);
      }
      const { widths, outcomes } = await stage.run(
        todo.map((name) => () => operations[name](scene)),
        order,
      );
      await settle(scene);
      const thrown = outcomes.filter((outcome) => typeof outcome === "string" && outcome.includes("Error"));
      for (const what of [...scene.wrong, ...thrown])
        wrong.push(`${isChanged ? "after a change: " : ""}${todo.join(" | ")} [${order.join(" ")}]: ${what}`);
      return widths;
    });
  return { runs, wrong };
};
