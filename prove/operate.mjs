// What happened reaches webhooks, and is counted, although nodes are killed and targets fail in every way.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startNodes } from "./nodes/core-nodes.mjs";
import { createRandom } from "./random.mjs";

/** @typedef {{ id: string, body: string, type: string, session: string | undefined, taken: boolean }} Arrival */

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/** One session in so many meets each of these at its first attempt. */
const MISHAPS = /** @type {const} */ (["error", "redirect", "cut", "hang"]);

/** @param {import("node:http").Server} server */
const listening = async (server) => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
};

/** A receiver that lets every so many first attempts fail, in each way; one that always fails, and one that nobody may be led to. */
const openReceiver = async (/** @type {number} */ seed, /** @type {boolean} */ mayHang) => {
  const random = createRandom(seed);
  /** @type {Arrival[]} */
  const arrivals = [];
  const state = { isOpen: false, lured: 0, hung: !mayHang };
  const trap = createServer((_, response) => {
    state.lured += 1;
    response.end();
  });
  const trapPort = await listening(trap);
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const id = String(request.headers["webhook-id"]);
      const { type, data } = JSON.parse(body);
      const isFirst = !arrivals.some((arrival) => arrival.id === id);
      let mishap = isFirst && random.below(8) === 0 ? MISHAPS[random.below(MISHAPS.length)] : undefined;
      // A target that hangs costs ten seconds, and whatever else is due then waits: once is enough.
      if (mishap === "hang" && state.hung) mishap = "cut";
      if (mishap === "hang") state.hung = true;
      const taken = state.isOpen && mishap === undefined;
      arrivals.push({ id, body, type, session: data.handle, taken });
      if (!state.isOpen || mishap === "cut") request.socket.destroy();
      else if (mishap === "error") response.writeHead(400).end();
      else if (mishap === "redirect") response.writeHead(307, { location: `http://127.0.0.1:${trapPort}/` }).end();
      else if (mishap === undefined) response.writeHead(204).end();
    });
  });
  const port = await listening(server);
  // What it does not take must not hold up the other.
  const stubborn = createServer((_, response) => void response.writeHead(500).end());
  const stubbornPort = await listening(stubborn);
  return {
    stubbornUrl: `http://127.0.0.1:${stubbornPort}/`,
    url: `http://127.0.0.1:${port}/`,
    arrivals,
    state,
    close() {
      for (const each of [server, stubborn, trap]) {
        each.closeAllConnections();
        each.close();
      }
    },
  };
};

/** @returns {Promise<any>} */
const call = async (/** @type {string} */ url, /** @type {string} */ path, /** @type {object | undefined} */ body) => {
  const answer = await fetch(url + path, {
    ...(body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
};

/** Logs in, acts for a user, is ended: three kinds of events of one session, in this order. */
const live = async (/** @type {string} */ url, /** @type {string} */ userId) => {
  const { session, accessToken } = await call(url, "/v1/sessions", { userId });
  const act = { accessToken: accessToken.token, userId: `${userId}-other`, payload: {}, reason: "proof" };
  const { accessToken: acting } = await call(url, "/v1/sessions/act-as", act);
  await call(url, "/v1/sessions/act-as-self", { accessToken: acting.token });
  await call(url, "/v1/sessions/revoke", { handles: [session.handle], reason: "revoked_by_admin" });
};

const ORDER = ["acting_started", "acting_ended", "session_ended"];

/** What a receiver must not have seen. @returns {{ lost: number, disordered: number, changed: number }} */
const judge = (/** @type {readonly any[]} */ events, /** @type {readonly Arrival[]} */ arrivals) => {
  const taken = arrivals.filter((arrival) => arrival.taken);
  const ids = new Set(taken.map(({ id }) => id));
  /** @type {Map<string, string>} */
  const bodies = new Map();
  /** @type {Map<string, number>} */
  const reached = new Map();
  let [disordered, changed] = [0, 0];
  for (const { id, body } of arrivals) {
    if ((bodies.get(id) ?? body) !== body) changed += 1;
    bodies.set(id, body);
  }
  const seen = new Set();
  for (const { id, type, session } of taken) {
    // A repetition may come at any time.
    if (seen.has(id) || session === undefined) continue;
    seen.add(id);
    const place = ORDER.indexOf(type);
    if (place < (reached.get(session) ?? 0)) disordered += 1;
    reached.set(session, Math.max(place, reached.get(session) ?? 0));
  }
  return { lost: events.filter(({ key }) => !ids.has(key)).length, disordered, changed };
};

const eventsOf = async (/** @type {string} */ url) => {
  const events = [];
  /** @type {string} */
  let after = "";
  do {
    const page = await call(url, `/v1/events?limit=500${after}`, undefined);
    events.push(...page.events);
    after = page.next === undefined ? "" : `&after=${encodeURIComponent(page.next)}`;
  } while (after !== "");
  return events.filter(({ type }) => [...ORDER, "admin"].includes(type));
};

/**
 * Two nodes on one store; in each round sessions live while no target answers, both nodes are killed, and start again.
 * @type {import("./proofs.mjs").Run}
 */
const webhooks = async (rounds, seed, progress) => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-operate-"));
  const receiver = await openReceiver(seed, rounds > 2);
  const urls = [receiver.url, receiver.stubbornUrl];
  const hooks = JSON.stringify(urls.map((url) => ({ url, secret: SECRET, allow_private: true })));
  const nodes = await startNodes(`sqlite:${join(folder, "sessions.db")}`, {
    count: 2,
    skewed: false,
    environment: { PAWL_WEBHOOKS: hooks },
  });
  let [failures, logins, unflushed] = [0, 0, 0];
  const urlOf = (/** @type {number} */ index) => nodes.urls()[index % 2] ?? "";
  const countLogins = async (/** @type {number} */ index) => {
    const now = Date.now();
    const { counts } = await call(urlOf(index), `/v1/counts?from=${now - 7_200_000}&to=${now + 1}`, undefined);
    return counts
      .filter((/** @type {any} */ { name }) => name === "login")
      .reduce((/** @type {number} */ sum, /** @type {any} */ { count }) => sum + count, 0);
  };
  try {
    let least = 0;
    for (let round = 0; round < rounds; round += 1) {
      receiver.state.isOpen = round % 2 === 1;
      await Promise.all(Array.from({ length: 8 }, (_, lane) => live(urlOf(lane), `user-${round}-${lane}`)));
      logins += 8;
      // A node that is asked has written all that it counted.
      for (const index of [0, 1]) await countLogins(index);
      if ((await countLogins(0)) < least + 8) failures += 1;
      least = await countLogins(0);
      await live(urlOf(round), `unflushed-${round}`);
      logins += 1;
      unflushed += 1;
      const restarted = Promise.all([nodes.restart(0), nodes.restart(1)]);
      // Both are dead: what they had not delivered is in the store alone.
      receiver.state.isOpen = true;
      await restarted;
      const counted = await countLogins(0);
      if (counted < least || counted > logins) failures += 1;
      least = counted;
      progress(round);
    }
    receiver.state.isOpen = true;
    const events = await eventsOf(urlOf(0));
    let verdict = judge(events, receiver.arrivals);
    for (const end = Date.now() + 120_000; verdict.lost > 0 && Date.now() < end; await pause(200))
      verdict = judge(events, receiver.arrivals);
    const { lost, disordered, changed } = verdict;
    failures += lost + disordered + changed + receiver.state.lured;
    const repeated =
      receiver.arrivals.filter(({ taken }) => taken).length -
      new Set(receiver.arrivals.filter(({ taken }) => taken).map(({ id }) => id)).size;
    return {
      count: events.length,
      failures,
      note: `${rounds * 2} kills, ${receiver.arrivals.length} attempts, ${repeated} taken more than once, logins counted within ${unflushed} of ${logins}`,
    };
  } finally {
    await nodes.stop();
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const operateProofs = [
  {
    name: "operate",
    run: webhooks,
    size: 12,
    short: 2,
    what: "kill -9 of both nodes, targets that fail, one of them always; a failure is an event lost, out of order or changed, a redirect followed, a count out of its bound",
  },
];
