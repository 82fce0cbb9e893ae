// Failovers that lose commits: an asynchronous standby of PostgreSQL, a replica of Redis Cluster. Nobody may be taken for a thief.
import { setTimeout as pause } from "node:timers/promises";
import { startPostgres, startRedisCluster } from "@pawl/test-servers";
import { createRandom } from "../random.mjs";
import { startNodes } from "./core-nodes.mjs";
import { openSwitchboard } from "./switchboard.mjs";
import { post, startVisitors } from "./visitors.mjs";

const until = async (/** @type {string} */ what, /** @type {() => boolean} */ isSo) => {
  const end = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`${what} within 60 s`);
    await pause(50);
  }
};

/**
 * Each round: the standby stops receiving, clients get 0 to 3 more refreshes acknowledged, the primary dies, the standby
 * is promoted. Each client goes on with the token it has.
 * @type {import("../proofs.mjs").Run}
 */
export const postgresFailovers = async (count, seed, progress) => {
  const random = createRandom(seed);
  let primary = await startPostgres();
  const switchboard = await openSwitchboard(primary.port);
  const url = primary.url.replace(`:${primary.port}/`, `:${switchboard.port}/`);
  const nodes = await startNodes(url);
  const lost = [0, 0, 0, 0];
  const failures = { alarm: 0, loggedOut: 0 };
  const ask = async (/** @type {string} */ path, /** @type {object} */ body) => {
    for (;;) {
      const heard = await post(random.pick(nodes.urls()) + path, body);
      if (heard !== undefined) return heard;
      await pause(50);
    }
  };
  const refresh = async (/** @type {{ token: string }} */ client) => {
    const { status, answer } = await ask("/v1/sessions/refresh", { refreshToken: client.token });
    if (status === 200) client.token = answer.refreshToken.token;
    else failures[answer.code === "token_theft_detected" ? "alarm" : "loggedOut"] += 1;
  };
  try {
    const clients = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const { answer } = await ask("/v1/sessions", { userId: `client-${index}` });
        return { token: answer.refreshToken.token };
      }),
    );
    for (let round = 0; round < count; round += 1) {
      const standby = await primary.startStandby();
      for (const client of clients) await refresh(client);
      const position = primary.sql("SELECT pg_current_wal_flush_lsn()");
      await until("the standby is not level", () => {
        const behind = standby.sql(`SELECT pg_last_wal_replay_lsn() >= '${position}'::pg_lsn`);
        return behind === "t";
      });
      standby.freeze();
      for (const client of clients) {
        const losses = random.below(4);
        lost[losses] = (lost[losses] ?? 0) + 1;
        for (let turn = 0; turn < losses; turn += 1) await refresh(client);
      }
      await primary.kill();
      standby.thaw();
      await standby.promote();
      await primary.stop();
      switchboard.lead(standby.port);
      primary = standby;
      // Twice: the first one meets the row that has lost commits, the second one its repair.
      for (let turn = 0; turn < 2; turn += 1) for (const client of clients) await refresh(client);
      progress(round);
    }
    const spread = lost.map((clientsOf, losses) => `${losses}: ${clientsOf}`).join(", ");
    return {
      count,
      failures: failures.alarm + failures.loggedOut,
      note: `clients by commits lost: ${spread}; ${failures.alarm} false alarms, ${failures.loggedOut} logged out`,
    };
  } finally {
    await nodes.stop();
    await switchboard.close();
    await primary.stop();
  }
};

/**
 * Each round: a master dies under load, its replica takes over, the dead one comes back as a replica. Losses are counted.
 * @type {import("../proofs.mjs").Run}
 */
export const redisFailovers = async (count, seed, progress) => {
  const random = createRandom(seed);
  const cluster = await startRedisCluster({ masters: 3, replicas: 1 });
  /** @type {import("./core-nodes.mjs").Nodes | undefined} */
  let nodes;
  try {
    const isReplica = (/** @type {(typeof cluster.nodes)[number]} */ node) => node.command("role").startsWith("slave");
    nodes = await startNodes(cluster.url);
    const visitors = startVisitors(nodes, { random });
    for (let round = 0; round < count; round += 1) {
      await visitors.acknowledged(100);
      const masters = cluster.nodes.filter((node) => !isReplica(node));
      const victim = random.pick(masters);
      await victim.kill();
      const others = cluster.nodes.filter((node) => node !== victim);
      await until("no replica takes over", () => others.filter((node) => !isReplica(node)).length === masters.length);
      await visitors.acknowledged(50);
      await victim.start();
      await until(
        "the dead node does not follow",
        () => isReplica(victim) && victim.command("info", "replication").includes("master_link_status:up"),
      );
      progress(round);
    }
    await visitors.finish();
    const { alarms, loggedOut, acknowledged } = visitors.count;
    const { lost, revived, checked } = await visitors.check();
    return {
      count,
      // What a replica had not received yet is gone: that is Redis's bound, and is told. An alarm never is.
      failures: alarms,
      note:
        `${acknowledged} writes acknowledged, ${checked} sessions checked: ${alarms} false alarms; ` +
        `lost with masters before they were replicated: ${lost + loggedOut} sessions, ${revived} ends`,
    };
  } finally {
    await nodes?.stop();
    await cluster.stop();
  }
};
