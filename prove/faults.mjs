// A fault of every kind at every place at which an operation waits for something outside: storage, revocation log, core.
import { routes } from "@pawl/protocol";
import { awaitPoints } from "./faults/await-points.mjs";
import { answerLost, faultKinds, refused } from "./faults/faulty-line.mjs";
import { exchangeFaults } from "./faults/faulty-proxy.mjs";
import { watchStatements } from "./faults/faulty-statements.mjs";
import { operations } from "./faults/operations.mjs";
import { openApplication } from "./faults/application.mjs";
import { documentedApi } from "./faults/documented-requests.mjs";
import { ownApi } from "./faults/own-requests.mjs";
import { openStage } from "./faults/stage.mjs";

/**
 * @typedef {import("./faults/stage.mjs").StoreKind} StoreKind
 * @typedef {import("./faults/operations.mjs").Operation & { name: string }} Operation
 * @typedef {import("./faults/faulty-line.mjs").Fault} Fault
 * @typedef {import("./faults/application.mjs").Outcome} Outcome
 * @typedef {import("./faults/application.mjs").Api<any>} Api
 * @typedef {import("./faults/application.mjs").Application<any>} Application
 * @typedef {Api["requests"][number]} Request
 */

/** @type {readonly StoreKind[]} */
const kinds = ["memory", "sqlite"];

/** What an operation does where nothing fails: the points it passes, and the state before, and after each of them. */
const rehearse = async (/** @type {StoreKind} */ kind, /** @type {Operation} */ operation) => {
  const stage = await openStage(kind, operation);
  const held = await operation.prepare(stage);
  const states = [await stage.state()];
  const run = await stage.line.watch(() => operation.act(stage, held), {
    onDone: async () => states.push(await stage.state()),
  });
  await stage.close();
  /** @type {string[]} */
  const wrong = [];
  if (run.kind === "failed") wrong.push(`fails where nothing went wrong: ${run.error?.stack}`);
  const commits = new Set(states).size - 1;
  const { commits: most = 1, answers } = operation;
  if (commits > most) wrong.push(`is seen in ${commits} steps, not ${most}`);
  if (answers !== undefined && !answers.includes(run.value?.kind)) wrong.push(`is answered ${run.value?.kind}`);
  return { points: run.points, states, wrong };
};

/** @param {string[]} wrong */
const blameIn =
  (wrong) =>
  (prefix = "") =>
  (/** @type {Error} */ error) =>
    void wrong.push(prefix + error.message);

/**
 * An operation with one fault.
 * @param {StoreKind} kind
 * @param {Operation} operation
 * @param {{ fault: Fault, at: number, states: readonly string[] }} struck
 * @returns what was wrong, in words
 */
const suffer = async (kind, operation, { fault, at, states }) => {
  const stage = await openStage(kind, operation);
  /** @type {string[]} */
  const wrong = [];
  const blame = blameIn(wrong);
  const held = await operation.prepare(stage);
  const run = await stage.line.watch(() => operation.act(stage, held), { fault, at });
  if (run.kind === "answered") wrong.push("is answered although it failed");
  if (run.underWay > (fault.dies === true ? 1 : 0)) wrong.push("leaves calls under way");
  if ((await stage.state()) !== states[fault.work === "yes" ? at : at - 1])
    wrong.push("leaves a state that is neither that before nor that after");
  if (fault.dies === true) await stage.restart();
  // What comes of a call that nobody waits for is nobody's failure.
  const land = () => run.landing?.().catch(() => undefined);
  if (fault.lands === "after the retry") await operation.act(stage, held).catch(blame("tried again: "));
  await land();
  await operation.after(stage, held, fault.lands === undefined ? 1 : 2).catch(blame());
  if (operation.hasLog === true) {
    // What one process could not write, it writes with the next line, or the next process does.
    await stage.restart();
    const lacking = await stage.unlogged();
    if (lacking > 0) wrong.push(`leaves ${lacking} ends out of the log`);
  }
  const alarms = await stage.events("token_reuse", "forged_token");
  if (alarms.length > 0 && operation.isTheft !== true) wrong.push("raises a false alarm");
  await stage.close();
  return wrong;
};

/** Collects what is wrong, and tells the first few stories. */
const createVerdict = () => {
  let failures = 0;
  const onRejection = (/** @type {unknown} */ error) =>
    verdict.add("a promise that nobody waits for fails", [error instanceof Error ? `${error.stack}` : String(error)]);
  process.on("unhandledRejection", onRejection);
  const verdict = {
    add(/** @type {string} */ story, /** @type {readonly string[]} */ wrong) {
      for (const what of wrong) if ((failures += 1) <= 10) console.error(`${story}: ${what}`);
    },
    /** The number of failures. Whatever was left to reject has done so when the event loop turns. */
    async end() {
      await new Promise(setImmediate);
      process.off("unhandledRejection", onRejection);
      return failures;
    },
  };
  return verdict;
};

/**
 * Ways to be wrong that have to be noticed, or nothing is shown by what is not.
 * @type {Record<string, (act: Operation["act"]) => Operation["act"]>}
 */
const dishonest = {
  "an end that is told although it failed": (act) => (stage, held) => act(stage, held).catch(() => []),
  "a failure told as an answer": (act) => (stage, held) => act(stage, held).catch(() => ({ kind: "unauthorised" })),
  "work that is done twice": (act) => async (stage, held) => {
    await act(stage, held).catch(() => undefined);
    return act(stage, held);
  },
};

const isNoticed = async (/** @type {(typeof dishonest)[string]} */ dishonesty) => {
  for (const operation of operations.filter(({ name }) => ["create", "refresh", "revoke one"].includes(name))) {
    const { states } = await rehearse("memory", operation);
    const broken = { ...operation, act: dishonesty(operation.act) };
    for (const fault of [refused, answerLost]) {
      if ((await suffer("memory", broken, { fault, at: 1, states })).length > 0) return true;
    }
  }
  return false;
};

/**
 * The engine's operations. `delays`: at how many moments a client of those that are tried again later comes back.
 * @type {(kind: StoreKind) => import("./proofs.mjs").Run}
 */
/** @type {(kind: StoreKind) => import("./proofs.mjs").Run} */
const engineFaults = (kind) => async (delays, _seed, progress) => {
  const verdict = createVerdict();
  // In short only what comes to a new place, but for memory, which takes no time.
  const isFull = delays > 1 || kind === "memory";
  // A store always answers: to give up is what its adapter does.
  const kinds = Object.entries(faultKinds).filter(([, { hangs }]) => hangs !== true);
  /** @type {Map<string, Set<string>>} */
  const visits = new Map();
  let [count, tried] = [0, 0];
  const chosen = operations.filter(({ later = 0 }) => delays > 1 || later === 0);
  for (const [done, operation] of chosen.entries()) {
    const { points, states, wrong } = await rehearse(kind, operation);
    verdict.add(operation.name, wrong);
    if (!isFull && points.every((point) => visits.has(point))) continue;
    tried += 1;
    for (const [index, point] of points.entries())
      for (const [name, fault] of kinds) {
        const found = await suffer(kind, operation, { fault, at: index + 1, states });
        verdict.add(`${operation.name}; ${point}; ${name}`, found);
        visits.set(point, (visits.get(point) ?? new Set()).add(name));
        count += 1;
      }
    progress((delays * done) / chosen.length);
  }
  const { points, unused } = awaitPoints();
  const isVisited = (/** @type {string} */ point) => visits.get(point)?.size === kinds.length;
  const places = new Set([...points, ...visits.keys()]);
  verdict.add(
    "not visited with every kind of fault",
    [...places].filter((point) => !isVisited(point)),
  );
  verdict.add(
    "visited, and not found in the engine's code",
    [...visits.keys()].filter((point) => !points.includes(point)),
  );
  verdict.add("said to be elsewhere, and not there", unused);
  for (const [what, dishonesty] of Object.entries(dishonest))
    if (!(await isNoticed(dishonesty))) verdict.add("not noticed", [what]);
  return {
    count,
    failures: await verdict.end(),
    note: `${tried} operations; ${points.length} await points in the engine's code, ${points.filter(isVisited).length} visited with each of ${kinds.length} kinds of fault`,
  };
};

/**
 * The same inside the storage's step: each statement fails, and the transaction is whole or was never there.
 * @type {import("./proofs.mjs").Run}
 */
const statementFaults = async (delays, _seed, progress) => {
  const verdict = createVerdict();
  const hand = watchStatements();
  const chosen = operations.filter(({ later = 0 }) => delays > 1 || later === 0);
  /** @type {Set<string>} */
  const seen = new Set();
  let [count, tried] = [0, 0];
  for (const [done, operation] of chosen.entries()) {
    const { states } = await rehearse("sqlite", operation);
    const attempt = async (fault = {}) => {
      const stage = await openStage("sqlite", operation);
      const held = await operation.prepare(stage);
      const { outcome, statements } = await hand.watch(() => operation.act(stage, held), fault);
      /** @type {string[]} */
      const wrong = [];
      const state = await stage.state();
      if (!states.includes(state)) wrong.push("leaves a state that is neither that before nor that after");
      if (outcome === "answered" && state !== states.at(-1)) wrong.push("is answered and was not done");
      await operation.after(stage, held, outcome === "answered" ? 2 : 1).catch(blameIn(wrong)());
      const alarms = await stage.events("token_reuse", "forged_token");
      if (alarms.length > 0 && operation.isTheft !== true) wrong.push("raises a false alarm");
      await stage.close();
      return { wrong, statements };
    };
    const { wrong, statements } = await attempt();
    verdict.add(operation.name, wrong);
    if (delays === 1 && statements.every((sql) => seen.has(sql))) continue;
    tried += 1;
    for (const [index, sql] of statements.entries()) {
      seen.add(sql);
      // A transaction that could not be begun was not begun: SQLite takes the lock before it says so.
      for (const isAfter of sql.startsWith("BEGIN") ? [false] : [false, true]) {
        const found = await attempt({ at: index + 1, isAfter });
        verdict.add(`${operation.name}; ${sql.slice(0, 60)}; ${isAfter ? "after" : "before"}`, found.wrong);
        count += 1;
      }
    }
    progress((delays * done) / chosen.length);
  }
  hand.stop();
  return {
    count,
    failures: await verdict.end(),
    note: `${tried} operations; ${seen.size} statements, each failed before and, but for BEGIN, after it was done`,
  };
};

/** What a failed request may not have touched. */
const SESSION_HEADERS = ["set-cookie", "id-refresh-token", "front-token", "anti-csrf"];

/**
 * What is wrong with the answer to a request that met with a fault.
 * @param {Outcome} answer
 * @param {Request} request
 * @param {{ unknown: string, mustFail: boolean, mustSayWhen?: boolean }} expected
 */
const judged = ({ error, headers }, { ends, refreshesFirst }, { unknown, mustFail, mustSayWhen }) => {
  if (!mustFail && ends.includes(error?.code)) return [];
  if (error?.code !== unknown) return [`is answered ${error?.code ?? error?.stack ?? "well"}`];
  const isCleared = [headers.get("set-cookie") ?? []].flat().some((line) => /^[^=]+=;/.test(String(line)));
  const touched = refreshesFirst === true && !isCleared ? [] : SESSION_HEADERS.filter((name) => headers.has(name));
  const wrong = touched.length > 0 ? [`touches ${touched.join(", ")}`] : [];
  if (mustSayWhen && !(error.retryAfter > 0)) wrong.push("does not say when to try again");
  return wrong;
};

/**
 * Does a request with a fault, and what an honest browser does then. `strike` gives the answer, and what is still to land;
 * `pawl` is who serves the request that is struck.
 * @typedef {{ land: () => Promise<unknown>, first: boolean }} Landing
 * @typedef {(act: () => Promise<Outcome>) => Promise<{ answer: Outcome, landing?: Landing | undefined }>} Strike
 * @param {Application} application
 * @param {Request} request
 * @param {{ strike: Strike, views: readonly string[], pawl?: unknown, unknown: string, mustFail: boolean, mustSayWhen?: boolean }} how
 */
const endure = async (application, request, { strike, views, pawl = application.pawl, ...expected }) => {
  const browser = await request.prepare(application);
  const before = browser.copy();
  const { answer, landing } = await strike(() => request.act({ ...application, pawl }, browser));
  const wrong = judged(answer, request, expected);
  if (!views.includes(await application.view(browser.user)))
    wrong.push("leaves a state that is neither that before nor that after");
  const honest = async () => {
    await request.after(application, browser, before);
    await request.holds(application, browser);
  };
  const blame = blameIn(wrong);
  if (landing?.first === true) await landing.land().catch(() => undefined);
  await honest().catch(blame());
  if (landing?.first === false) {
    await landing.land().catch(() => undefined);
    await honest().catch(blame("once it has landed: "));
  }
  if (request.isTheft !== true && (await application.alarms(browser.user)) > 0) wrong.push("raises a false alarm");
  return wrong;
};

/** What is told and kept up in the background, whatever a request does. */
const BESIDES = [
  "reportUses",
  "claimMeta",
  "replaceMeta",
  "listMeta",
  "addCounts",
  "getSigningKeys",
  "addSigningKey",
  "deleteSigningKeys",
];

/** A request where nothing fails. */
const rehearseRequest = async (/** @type {Application} */ application, /** @type {Request} */ request) => {
  const browser = await request.prepare(application);
  const before = await application.view(browser.user);
  const views = [before];
  const onDone = async () => {
    if (request.refreshesFirst === true) views.push(await application.view(browser.user));
  };
  const act = () => application.line.watch(() => request.act(application, browser), { besides: BESIDES, onDone });
  const { value: run, exchanges } = (await application.proxy?.watch(act)) ?? { value: await act(), exchanges: [] };
  const wrong = request.ends.includes(run.value.error?.code)
    ? []
    : [`is answered ${run.value.error?.stack} where nothing went wrong`];
  return { wrong, exchanges, points: run.points, views: [...views, await application.view(browser.user)] };
};

/** Routes that no operation of a session asks for, and why. */
const elsewhere = {
  reportUses: "told in the background, until it is taken",
  listEvents: "an operator's",
  listNodes: "an operator's",
  configuration: "an operator's",
  createDashboardLink: "an operator's",
  watchRevocations: "followed in the background",
  keySet: "at the start",
  settings: "at the start",
  listSigningKeys: "an operator's",
  rotateSigningKey: "an operator's",
  listCounts: "an operator's",
  listWebhooks: "an operator's",
  listDeliveries: "an operator's",
  retryDelivery: "an operator's",
  dropDelivery: "an operator's",
  testWebhooks: "an operator's",
  openApi: "a document",
};

/**
 * The operations as requests of browsers to an application; `size` counts the storages behind it.
 * @type {(api: Api) => import("./proofs.mjs").Run}
 */
const requestFaults =
  ({ open, unknown, requests, unasked }) =>
  async (size, _seed, progress) => {
    const verdict = createVerdict();
    const stages = kinds.slice(0, size).flatMap((kind) => [false, true].map((hasCore) => ({ kind, hasCore })));
    const told = { points: 0, exchanges: 0 };
    /** @type {Set<string>} */
    const asked = new Set();
    let count = 0;
    for (const [done, { kind, hasCore }] of stages.entries()) {
      const application = await openApplication(kind, { hasCore, open });
      const where = `${hasCore ? "a core" : "in process"} on ${kind}`;
      // A process that ends is what the proofs with kill -9 are about.
      const kinds = Object.entries(faultKinds).filter(
        ([, { dies, hangs }]) => dies !== true && (hasCore || hangs !== true),
      );
      for (const request of requests) {
        const { points, exchanges, views, wrong } = await rehearseRequest(application, request);
        verdict.add(`${where}; ${request.name}`, wrong);
        for (const [index, point] of points.entries())
          for (const [name, fault] of kinds) {
            /** @type {Strike} */
            const strike = async (act) => {
              const watched = { fault, at: index + 1, besides: BESIDES };
              const { value, landing } = await application.line.watch(act, watched);
              return { answer: value, landing: landing && { land: landing, first: fault.lands === undefined } };
            };
            const mustSayWhen = hasCore && fault.work !== "late" && fault.lasts === true;
            const pawl = fault.hangs === true ? application.hasty?.core : undefined;
            const found = await endure(application, request, {
              strike,
              views,
              pawl,
              unknown,
              mustFail: true,
              mustSayWhen,
            });
            verdict.add(`${where}; ${request.name}; ${point}; ${name}`, found);
            count += 1;
          }
        told.points += points.length;
        const { proxy } = application;
        if (proxy !== undefined && exchanges.length > 0) {
          for (const [index, exchange] of exchanges.entries())
            for (const [name, fault] of Object.entries(exchangeFaults))
              // Nobody asks again a core that did not answer in time.
              for (const lasts of fault.isSilent === true ? [true] : [false, true]) {
                const at = index + 1;
                /** @type {Strike} */
                const strike = async (act) => ({ answer: (await proxy.watch(act, { fault, at, lasts })).value });
                const pawl = fault.isSilent === true ? application.hasty?.application : undefined;
                const found = await endure(application, request, { strike, views, pawl, unknown, mustFail: lasts });
                verdict.add(`${where}; ${request.name}; ${exchange}; ${name}${lasts ? ", lastingly" : ""}`, found);
                count += 1;
              }
          /** @type {Strike} */
          const strike = async (act) => ({ answer: await proxy.without(act) });
          const found = await endure(application, request, { strike, views, unknown, mustFail: true });
          verdict.add(`${where}; ${request.name}; nobody listens`, found);
          count += 1;
        }
        told.exchanges += exchanges.length;
        for (const exchange of exchanges) asked.add(exchange.replace(/[0-9a-f]{4,}(-[0-9a-f]+){4}/, "{handle}"));
      }
      await application.close();
      progress((size * (done + 1)) / stages.length);
    }
    const known = Object.entries(routes).map(([name, { method, path }]) => ({ name, exchange: `${method} ${path}` }));
    verdict.add(
      "a route that no request asked for",
      known
        .filter(({ name, exchange }) => !asked.has(exchange) && !(name in elsewhere) && !(name in unasked))
        .map(({ name }) => name),
    );
    return {
      count,
      failures: await verdict.end(),
      note: `${requests.length} calls of the SDK, in process and with a core; ${told.points} calls of the storage, ${told.exchanges} exchanges with the core`,
    };
  };

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const faults = [
  ...kinds.map((kind) => ({
    name: `faults-${kind}`,
    run: engineFaults(kind),
    size: 3,
    short: 1,
    what: "a failure is half an operation, a dishonest answer, or a point not visited",
  })),
  { name: "faults-statements", run: statementFaults, size: 3, short: 1, what: "a failure is half a transaction" },
  {
    name: "faults-requests",
    run: requestFaults(documentedApi),
    size: 2,
    short: 1,
    what: "a failure is a cookie touched, or a dishonest answer",
  },
  {
    name: "faults-requests-in-place",
    run: requestFaults(ownApi),
    size: 2,
    short: 1,
    what: "the same through createPawl, which refreshes in place",
  },
];
