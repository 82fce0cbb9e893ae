import { testStorage } from "@pawl/storage-conformance";
import { startPgBouncer } from "@pawl/test-servers";
import { afterAll } from "vitest";
import { openStorage } from "../src/index.js";
import { startServer, urlOf } from "./server.js";

const pooler = await startPgBouncer(await startServer());
afterAll(() => pooler.stop());

testStorage("PostgreSQL partitioned, behind a pooler in transaction mode", ({ clock, location }) =>
  openStorage(urlOf(pooler, location, "&prepare=false&partitions=3"), { clock }),
);
