import { PUBLIC_TENANT, type SessionId, systemClock, type TenantId, type UserId } from "@pawl/storage";
import { describe, expect, it, onTestFinished } from "vitest";
import { Database, type Query } from "../src/connection/database.js";
import { loadDriver } from "../src/connection/driver.js";
import { applyMigrations } from "../src/migrations.js";
import * as sessions from "../src/sessions/statements.js";
import * as statements from "../src/statements.js";
import { drivers } from "./drivers.js";

const tenantId = "customer-1" as TenantId;
const userId = "alice" as UserId;
const sessionId = "0" as SessionId;
const link = "https://login.example/|42";
const subject = "https://login.example/|alice";
const types = ["token_reuse"] as const;

/** Statements that take a whole table on purpose: in the order of its key and up to a limit, or because it is small. */
const wholeTable: Readonly<Record<string, string>> = {
  "first page of all sessions": sessions.listSessions({}),
  "first page of the public tenant": sessions.listSessions({ tenantId: PUBLIC_TENANT }),
  "end of the public tenant": sessions.endSessionsOfTenant(PUBLIC_TENANT),
  "first page of all events": statements.listEvents({}),
  "events of the public tenant": statements.listEvents({ tenantId: PUBLIC_TENANT }),
  alarms: statements.listEvents({ types }),
  "signing keys": statements.selectSigningKeys,
  "newest signing key": statements.selectNewestSigningKey,
  "schema versions": statements.touchSchema,
  "number of the newest revocation": statements.revocations.selectLast,
  "number of the newest change": statements.changes.selectLast,
  "growth of the feeds": statements.selectFeedGrowth,
};

const searched: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [sessions, statements, statements.revocations, statements.changes]
      .flatMap((texts) => Object.values<unknown>(texts))
      .flatMap((sql) =>
        typeof sql !== "string" || sql.startsWith("PRAGMA") || Object.values(wholeTable).includes(sql)
          ? []
          : [[sql.trim(), sql]],
      ),
  ),
  "next page of all sessions": sessions.listSessions({ after: "x" }),
  "sessions of a user": sessions.listSessions({ userId }),
  "sessions of a user and tenant, next page": sessions.listSessions({ userId, tenantId, after: "x" }),
  "sessions of a user in the public tenant": sessions.listReferences({ userId, tenantId: PUBLIC_TENANT }),
  "sessions of a tenant": sessions.listReferences({ tenantId }),
  "sessions of a tenant, next page": sessions.listSessions({ tenantId, after: "x" }),
  "next page of the public tenant": sessions.listSessions({ tenantId: PUBLIC_TENANT, after: "x" }),
  "sessions of a login": sessions.listSessions({ link }),
  "sessions of a user's logins": sessions.listSessions({ subject }),
  "sessions of a user's logins in a tenant, next page": sessions.listSessions({ subject, tenantId, after: "x" }),
  "sessions of a login, user and tenant, next page": sessions.listReferences({ link, userId, tenantId, after: "x" }),
  "end of a tenant": sessions.endSessionsOfTenant(tenantId),
  "next page of all events": statements.listEvents({ after: "x" }),
  "events of a session": statements.listEvents({ sessionId }),
  "events of a session and tenant": statements.listEvents({ sessionId, tenantId, after: "x" }),
  "events of a user": statements.listEvents({ userId, types: ["session_ended"] }),
  "events of a tenant": statements.listEvents({ tenantId }),
  "alarms, next page": statements.listEvents({ types, after: "x" }),
};

describe.each(drivers)("query plans, %s", async (name) => {
  const driver = await loadDriver(name);
  const explain = (sql: string): readonly string[] => {
    const database = new Database(driver, ":memory:");
    onTestFinished(() => database.close());
    applyMigrations(database, systemClock.now());
    // Unnamed parameters would be taken for missing by node:sqlite; the plan does not depend on them.
    const parameters = Object.fromEntries([...sql.matchAll(/:(\w+)/gu)].map(([, parameter]) => [parameter, null]));
    const query = `EXPLAIN QUERY PLAN ${sql}` as Query<{ readonly detail: string }>;
    return database.all(query, parameters).map(({ detail }) => detail);
  };
  const scans = (plan: readonly string[]): readonly string[] =>
    plan.filter((step) => /^SCAN (?!json_each|CONSTANT)/u.test(step));

  it.each(Object.entries(searched))("%s reads no table from end to end", (_, sql) => {
    expect(scans(explain(sql))).toStrictEqual([]);
  });

  it.each(Object.entries(wholeTable))("%s reads in the order it needs", (_, sql) => {
    const plan = explain(sql);
    expect(plan.filter((step) => step.includes("TEMP B-TREE") && !sql.includes("signing_keys"))).toStrictEqual([]);
    expect(scans(plan).length).toBeLessThanOrEqual(1);
  });

  it("lists sort nothing, and alarms read alarms only", () => {
    for (const [title, sql] of Object.entries(searched))
      if (sql.includes("LIMIT :limit"))
        expect(explain(sql).join("\n"), title).not.toContain("TEMP B-TREE FOR ORDER BY");
    expect(explain(statements.listEvents({ types })).join()).toContain("events_by_alarm");
    expect(explain(sessions.listReferences({ tenantId })).join()).toContain("sessions_by_tenant");
    expect(explain(sessions.listReferences({ userId })).join()).toContain("sessions_by_user");
    expect(explain(sessions.listReferences({ link, userId })).join()).toContain("sessions_by_link");
    expect(explain(sessions.listSessions({ subject, tenantId })).join()).toContain("sessions_by_subject");
  });

  it("the end of a tenant passes over what has ended, and the outbox over what waits behind a head", () => {
    expect(explain(sessions.endSessionsOfTenant(tenantId)).join()).toContain("sessions_by_tenant");
    expect(explain(sessions.endSessionsOfTenant(PUBLIC_TENANT)).join()).toContain("sessions_by_user");
    expect(explain(statements.selectDueOutbox).join()).toContain("outbox_due");
  });
});
