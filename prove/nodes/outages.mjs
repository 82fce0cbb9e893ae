// A database that is away for a while: 503 with Retry-After, cookies kept, and everything goes on when it is back.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createPawl, Error as SessionError } from "@pawl/supertokens";
import { startNodes } from "./core-nodes.mjs";
import { openStore } from "./stores.mjs";

/** An application that refreshes through the SDK; says what it sent. */
const startApplication = async (/** @type {readonly string[]} */ core) => {
  const pawl = createPawl({ core, cookies: { secure: false, sameSite: "lax" }, tryTimeout: "2s", callTimeout: "4s" });
  /** @param {import("node:http").IncomingMessage} req @param {import("node:http").ServerResponse} res */
  const answer = async (req, res) => {
    try {
      if (req.url === "/login") await pawl.createNewSession(res, "alice");
      else await pawl.refreshSession(req, res);
      res.end("{}");
    } catch (error) {
      res.statusCode = SessionError.isErrorFromAuth(error) && error.errType === SessionError.GENERAL_ERROR ? 503 : 500;
      res.end(String(error));
    }
  };
  const server = createServer((req, res) => void answer(req, res));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
      await pawl.close();
    },
  };
};

const cookiesOf = (/** @type {Response} */ response) =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");

/**
 * The size is how many seconds the storage is away.
 * @type {(name: import("./stores.mjs").StoreName) => import("../proofs.mjs").Run}
 */
export const outage = (name) => async (seconds, _seed, progress) => {
  const store = await openStore(name);
  const nodes = await startNodes(store.url, { count: 2, skewed: false });
  const application = await startApplication(nodes.urls());
  /** @type {string[]} */
  const failures = [];
  const expect = (/** @type {string} */ what, /** @type {boolean} */ isSo) => {
    if (!isSo) failures.push(what);
  };
  try {
    const login = await fetch(`${application.url}/login`, { method: "POST" });
    let cookie = cookiesOf(login);
    const refresh = () => fetch(`${application.url}/session/refresh`, { method: "POST", headers: { cookie } });
    const first = await refresh();
    expect("a refresh before", first.status === 200);
    cookie = cookiesOf(first);

    await store.kill();
    const end = performance.now() + seconds * 1000;
    let asked = 0;
    while (performance.now() < end) {
      const [node] = nodes.urls();
      const direct = await fetch(`${node}/v1/sessions/refresh`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ refreshToken: decodeURIComponent(/sRefreshToken=([^;]+)/.exec(cookie)?.[1] ?? "") }),
      });
      expect("503 from the core", direct.status === 503);
      expect("Retry-After", Number(direct.headers.get("retry-after")) > 0);
      const through = await refresh();
      expect("the application answers as for trouble, not as for a session that ended", through.status === 503);
      expect("cookies kept", through.headers.getSetCookie().length === 0);
      asked += 1;
      progress(seconds - (end - performance.now()) / 1000);
      await pause(200);
    }
    await store.start();
    const back = performance.now();
    let last = await refresh();
    while (last.status !== 200 && performance.now() - back < 30_000) {
      await pause(50);
      last = await refresh();
    }
    const recovery = Math.round(performance.now() - back);
    expect("a refresh afterwards", last.status === 200);
    expect("the nodes live", nodes.areAlive());
    return {
      count: asked,
      failures: failures.length,
      note: `${seconds} s without ${name}; the first refresh ${recovery} ms after it was back, no node restarted${failures.length > 0 ? `; FAILED: ${[...new Set(failures)].join(", ")}` : ""}`,
    };
  } finally {
    await application.close();
    await nodes.stop();
    await store.close();
  }
};
