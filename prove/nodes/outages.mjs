// A database that is away for a while: 503 with Retry-After, cookies kept, and everything goes on when it is back.
import { createServer } from "node:http";
import { createPawl } from "@pawl/node";
import { startNodes } from "./core-nodes.mjs";
import { openStore } from "./stores.mjs";

const GENERAL_ERROR = 1000;

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** An application that refreshes through the SDK; says what it sent. */
const startApplication = async (core) => {
  const pawl = createPawl({ core, cookies: { secure: false, sameSite: "lax" }, tryTimeout: "2s", callTimeout: "4s" });
  const answer = async (req, res) => {
    try {
      if (req.url === "/login") await pawl.createNewSession(res, "alice");
      else await pawl.refreshSession(req, res);
      res.end("{}");
    } catch (error) {
      res.statusCode = error.errType === GENERAL_ERROR ? 503 : 500;
      res.end(String(error.code));
    }
  };
  const server = createServer((req, res) => void answer(req, res));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
      await pawl.close();
    },
  };
};

const cookiesOf = (response) =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");

/** @param {string} name a storage with a server. The size is how many seconds it is away. */
export const outage = (name) => async (seconds, _seed, progress) => {
  const store = await openStore(name);
  const nodes = await startNodes(store.url, { count: 2, skewed: false });
  const application = await startApplication(nodes.urls());
  const failures = [];
  const expect = (what, isSo) => {
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
        body: JSON.stringify({ refreshToken: decodeURIComponent(/sRefreshToken=([^;]+)/.exec(cookie)[1]) }),
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
    let last;
    do {
      last = await refresh();
      if (last.status !== 200) await pause(50);
    } while (last.status !== 200 && performance.now() - back < 30_000);
    const recovery = Math.round(performance.now() - back);
    expect("a refresh afterwards", last.status === 200);
    expect("the nodes live", nodes.isAlive(0) && nodes.isAlive(1));
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
