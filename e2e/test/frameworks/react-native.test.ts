import { createServer } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createPawl } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import type { WebSession } from "@pawl/web";
import { build } from "esbuild";
import express from "express";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { testClock } from "../../../packages/node/test/clock.js";
import { textOf } from "../guide-page.js";

type Session = WebSession<{ role: string }>;
const items = new Map<string, string>();
/** The shape of `expo-secure-store`, with the keys that it takes. */
const secureStore = {
  getItemAsync: async (key: string) => items.get(checked(key)) ?? null,
  setItemAsync: async (key: string, value: string) => void items.set(checked(key), value),
  deleteItemAsync: async (key: string) => void items.delete(checked(key)),
};
const checked = (key: string): string => {
  expect(key).toMatch(/^[\w.-]+$/);
  return key;
};

const clock = testClock();
const pawl = createPawl({ storage: "memory:", headerMode: true, idleTimeout: "30d", clock });
const refreshes: number[] = [];
const { routes, errors, createSession, requireSession, sessionOf } = forExpress(pawl);
const app = express();
app.use("/session/refresh", (_req, res, next) => (res.on("finish", () => refreshes.push(res.statusCode)), next()));
app.use(routes());
app.post("/login", async (req, res) => {
  await createSession(req, res, { userId: "alice", payload: { role: "admin" } });
  res.json({});
});
app.get("/me", requireSession(), (req, res) => void res.json({ userId: sessionOf(req).userId }));
app.use(errors());
const server = createServer(app);
const folder = mkdtempSync(join(tmpdir(), "pawl-native-"));
const program = join(folder, "session.mjs");
let origin = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(globalThis, { secureStore });
  const contents = textOf("react-native.md", "ts session.ts").replace("https://api.example.com", origin);
  writeFileSync(
    join(folder, "expo-secure-store.mjs"),
    `
    export const { getItemAsync, setItemAsync, deleteItemAsync } = globalThis.secureStore;`,
  );
  await build({
    stdin: { contents, loader: "ts", resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    alias: { "expo-secure-store": join(folder, "expo-secure-store.mjs") },
    bundle: true,
    format: "esm",
    outfile: program,
    logLevel: "silent",
  });
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await pawl.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  items.clear();
  refreshes.length = 0;
});

let launches = 0;
const running: Session[] = [];
afterEach(() => running.splice(0).forEach((session) => session.close()));
/** The application as the device starts it. */
const launch = async (): Promise<Session> => {
  const { session } = (await import(`${pathToFileURL(program).href}?${++launches}`)) as { session: Session };
  running.push(session);
  return session;
};
const call = async ({ fetch }: Session, path = "/me", init: RequestInit = {}) =>
  (await fetch(origin + path, init)).status;
const logIn = (session: Session) => call(session, "/login", { method: "POST" });

test("a session outlives the application, is refreshed once however many calls wait, and nothing global is touched", async () => {
  const names = Object.getOwnPropertyNames(globalThis);
  const { fetch } = globalThis;
  const session = await launch();
  expect(await session.doesSessionExist()).toBe(false);
  expect([await call(session), await logIn(session), await call(session)]).toEqual([401, 200, 200]);
  expect(session.getSnapshot()).toMatchObject({ status: "valid", userId: "alice", payload: { role: "admin" } });
  expect([...items.keys()]).toEqual(["pawl"]);
  expect(items.get("pawl")!.length).toBeLessThan(2048);

  clock.advance(2 * 3_600_000);
  const again = await launch();
  expect(await again.getUserId()).toBe("alice");
  expect(await Promise.all([1, 2, 3].map(() => call(again)))).toEqual([200, 200, 200]);
  expect(refreshes).toEqual([200]);
  expect(globalThis.fetch).toBe(fetch);
  expect(Object.getOwnPropertyNames(globalThis)).toEqual(names);
});

test("a session that has ended is told with its reason, and leaves nothing on the device", async () => {
  const session = await launch();
  await logIn(session);
  const events: unknown[] = [];
  session.onEvent((event) => events.push(event));
  clock.advance(31 * 86_400_000);
  expect(await call(session)).toBe(401);
  expect(events).toEqual([{ type: "ended", reason: "idle" }]);
  expect([session.getSnapshot(), items.size]).toEqual([{ status: "ended", reason: "idle" }, 0]);
  await logIn(session);
  expect(await session.signOut()).toBe("ended");
  expect(items.size).toBe(0);
});

test("where the store fails, the session lasts as long as the application", async () => {
  const { setItemAsync } = secureStore;
  secureStore.setItemAsync = async () => Promise.reject(new Error("the device is locked"));
  try {
    const session = await launch();
    expect([await logIn(session), await call(session)]).toEqual([200, 200]);
  } finally {
    secureStore.setItemAsync = setItemAsync;
  }
});
