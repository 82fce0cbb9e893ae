import { existsSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import {
  freePort,
  startMariaDb,
  startPgBouncer,
  startPostgres,
  startRedis,
  startRedisCluster,
} from "@pawl/test-servers";

it("runs a PostgreSQL that comes back after a kill with what was committed", async () => {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  server.sql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
  await server.kill();
  expect(() => server.sql("SELECT 1")).toThrow();
  await server.start();
  expect(server.sql("SELECT n FROM kept")).toBe("7");
  await server.stop();
  expect(existsSync(server.folder)).toBe(false);
});

it("runs a standby that follows and can be promoted", async () => {
  const primary = await startPostgres();
  onTestFinished(() => primary.stop());
  const standby = await primary.startStandby();
  onTestFinished(() => standby.stop());
  primary.sql("CREATE TABLE kept (n int)");
  await expect.poll(() => standby.sql("SELECT count(*) FROM pg_class WHERE relname = 'kept'")).toBe("1");
  await primary.kill();
  await standby.promote();
  standby.sql("INSERT INTO kept VALUES (8)");
  expect(standby.sql("SELECT n FROM kept")).toBe("8");
});

it("runs a PgBouncer", async () => {
  const postgres = await startPostgres();
  onTestFinished(() => postgres.stop());
  const server = await startPgBouncer(postgres);
  onTestFinished(() => server.stop());
  expect(new URL(server.url).port).toBe(String(server.port));
});

it("runs a MariaDB", async () => {
  const server = await startMariaDb();
  onTestFinished(() => server.stop());
  expect(server.sql("SHOW DATABASES LIKE 'pawl'")).toBe("pawl");
  await server.kill();
  await server.start();
  expect(server.sql("SELECT 1")).toBe("1");
});

it("runs a Redis and a cluster that takes a further master", async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  expect(server.command("set", "a", "1")).toBe("OK");
  await server.kill();
  await server.start();
  expect(server.command("get", "a")).toBe("1");
  const cluster = await startRedisCluster({ masters: 3, replicas: 1 });
  onTestFinished(() => cluster.stop());
  await cluster.addMaster();
  expect(cluster.nodes[0]!.command("cluster", "info")).toContain("cluster_known_nodes:7");
});

it("gives out no port twice, and none that an outgoing connection may take before the server has it", async () => {
  const ports = await Promise.all(Array.from({ length: 500 }, freePort));
  expect(new Set(ports).size).toBe(500);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});
