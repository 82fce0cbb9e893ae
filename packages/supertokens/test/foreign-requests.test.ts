import { afterEach, describe, expect, test } from "vitest";
import { Browser } from "./browser.js";
import { modes, type Running } from "./modes.js";
import { startWebApp, type WebApp } from "./web-app.js";

const open: (Running | WebApp)[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

const ALLOWED = "https://app.example.com";
const site = (mode: string, more: Readonly<Record<string, string>> = {}) => ({
  "sec-fetch-site": "cross-site",
  "sec-fetch-mode": mode,
  ...more,
});

/** What a browser says of who had a request sent; whether it may refresh, and what an end may clear. */
const senders = [
  { sender: "no browser", headers: {}, refreshes: true, clears: true },
  {
    sender: "an own page",
    headers: { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
    refreshes: true,
    clears: true,
  },
  {
    sender: "a page that is read with CORS",
    headers: site("cors", { origin: "https://other.example" }),
    refreshes: true,
    clears: true,
  },
  {
    sender: "a form of an allowed origin",
    headers: site("navigate", { origin: ALLOWED }),
    refreshes: true,
    clears: true,
  },
  {
    sender: "another site's fetch without CORS",
    headers: site("no-cors", { origin: "https://evil.example" }),
    refreshes: false,
    clears: false,
  },
  {
    sender: "another site's picture",
    headers: site("no-cors", { "sec-fetch-dest": "image" }),
    refreshes: false,
    clears: false,
  },
  {
    sender: "another site's form",
    headers: site("navigate", { "sec-fetch-dest": "document", origin: "null" }),
    refreshes: false,
    clears: false,
  },
  {
    sender: "a sibling host's beacon",
    headers: { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" },
    refreshes: false,
    clears: false,
  },
];

describe.each(modes)("$name, cookies of SameSite=None, the documented functions", ({ start }) => {
  const login = async () => {
    const running = await start({ origins: [ALLOWED] });
    const app = await startWebApp(running.pawl);
    open.push(running, app);
    const browser = new Browser(app);
    const { handle } = (await browser.login()).body as { handle: string };
    return { ...running, browser, handle };
  };

  test.each(senders)("$sender: refreshes $refreshes", async ({ headers, refreshes }) => {
    const { browser } = await login();
    const before = browser.cookieHeader;
    const answer = await browser.send("/session/refresh", { method: "POST", headers });
    expect(answer.status).toBe(refreshes ? 200 : 401);
    expect(browser.cookieHeader !== before).toBe(refreshes);
    if (!refreshes)
      expect(answer.body).toMatchObject({ errType: 3000, message: "this request came from another site" });
  });

  test.each(senders)(
    "$sender: clears the cookies of a session that has ended: $clears",
    async ({ headers, clears }) => {
      const { browser, pawl, handle } = await login();
      await pawl.revokeSessionUsingSessionHandle(handle);
      const cookie = browser.cookieHeader;
      for (const path of ["/me", "/session/refresh"]) {
        const method = path === "/me" ? "GET" : "POST";
        const isVisit = method === "GET" && headers["sec-fetch-mode" as never] === "navigate";
        const answer = await browser.send(path, { method, headers, cookie });
        expect([path, answer.status, answer.setCookie.length > 0]).toEqual([path, 401, clears || isVisit]);
      }
    },
  );

  test.each(senders)(
    "$sender: clears what is incomplete, where the session may live on: $clears",
    async ({ headers, clears }) => {
      const { browser } = await login();
      const cookieOf = (name: string): string => `${name}=${browser.cookies.get(name) ?? ""}`;
      const [access, id] = [cookieOf("sAccessToken"), cookieOf("sIdRefreshToken")];
      const unproven = await browser.send("/me", { headers, cookie: access });
      expect([unproven.body, unproven.setCookie.length > 0]).toEqual([
        expect.objectContaining({ errType: 2000 }),
        clears,
      ]);
      const refresh = await browser.send("/session/refresh", { method: "POST", headers, cookie: id });
      expect([refresh.status, refresh.setCookie.length > 0]).toEqual([401, clears]);
    },
  );

  test.each(senders)("$sender: nothing is cleared that was not shown", async ({ headers }) => {
    const { browser } = await login();
    for (const [method, path] of [
      ["GET", "/me"],
      ["POST", "/me"],
      ["POST", "/session/refresh"],
    ] as const)
      expect((await browser.send(path, { method, headers, cookie: "theme=dark" })).setCookie).toEqual([]);
  });
});
