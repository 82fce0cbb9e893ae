import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPawl, type Pawl } from "../src/index.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-fake-timers-"));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

/** A session from its login to its end. */
const live = async (pawl: Pawl): Promise<void> => {
  const made = await pawl.tokens.createNewSession("u1", { role: "admin" }, { cart: [] });
  const { accessToken, antiCsrfToken, idRefreshToken } = made;
  const found = await pawl.tokens.getSession(accessToken.token, antiCsrfToken, true, idRefreshToken.token);
  await pawl.updateSessionData(found.session.handle, { cart: ["a"] });
  expect((await pawl.tokens.refreshSession(made.refreshToken.token)).session.userId).toBe("u1");
  expect(await pawl.sessions.listForUser("u1")).toHaveLength(1);
  expect(await pawl.revokeAllSessionsForUser("u1")).toBe(1);
  await expect(pawl.tokens.refreshSession(made.refreshToken.token)).rejects.toMatchObject({ errType: 2000 });
  await pawl.close();
};

const storages = () => ["memory:", `sqlite:${join(folder, "sessions.db")}`];

test("all goes on while a test has faked the timers, before or after the instance was made", async () => {
  for (const storage of storages()) {
    const before = createPawl({ storage });
    vi.useFakeTimers({ toFake: [...fakeable] });
    await live(before);
    await live(createPawl({ storage }));
    vi.useRealTimers();
  }
});

const fakeable = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "performance",
  "hrtime",
  "Date",
] as const;

test("the fake date is the time of sessions", async () => {
  vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) });
  const pawl = createPawl({ storage: `sqlite:${join(folder, "sessions.db")}` });
  const { accessToken, idRefreshToken } = await pawl.tokens.createNewSession("u1");
  expect(accessToken.createdTime).toBe(Date.UTC(2030, 0, 1));
  vi.setSystemTime(Date.UTC(2030, 0, 1, 2));
  const late = pawl.tokens.getSession(accessToken.token, undefined, false, idRefreshToken.token);
  await expect(late).rejects.toMatchObject({ errType: 3000 });
  await pawl.close();
});

/** As jest leaves the globals, but nothing ever comes due, and in the module of Node too. */
const frozen = `
import timers from "node:timers";
import { createPawl } from "@pawl/supertokens";
const never = () => ({ unref() {}, ref() {} });
for (const name of ["setTimeout", "setInterval", "setImmediate"]) globalThis[name] = timers[name] = never;
globalThis.queueMicrotask = process.nextTick = () => undefined;
globalThis.performance = { now: () => 0 };
for (const storage of ["memory:", process.argv[1]]) {
  const pawl = createPawl({ storage });
  const { refreshToken, session, accessToken } = await pawl.tokens.createNewSession("u1");
  await pawl.tokens.getSession(accessToken.token, undefined, false, "id");
  await pawl.tokens.refreshSession(refreshToken.token);
  await pawl.revokeSessionUsingSessionHandle(session.handle);
  await pawl.close();
}
process._rawDebug("settled");
`;

test("nothing waits for a global timer, a microtask or a tick of the process", () => {
  const storage = `sqlite:${join(folder, "sessions.db")}`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", frozen, storage], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  expect(stderr).toContain("settled");
});
