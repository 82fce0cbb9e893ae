import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import { startRedis } from "@pawl/test-servers";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { UserId } from "@pawl/storage";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { liveADay, startWorld, type World } from "./world.js";

const artifacts = new URL("../../../artifacts/dashboard/", import.meta.url).pathname;
/** By the heading of each page. */
const pages = [
  ["Overview", ""],
  ["Sessions", "sessions"],
  ["User", "user?id=alice"],
  ["Thefts", "thefts"],
  ["Events", "events"],
  ["Keys", "keys"],
  ["Nodes", "nodes"],
  ["Webhooks", "webhooks"],
  ["Settings", "settings"],
] as const;

let browser: Browser;
let world: World;
beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  [browser, world] = await Promise.all([launchChromium(), startWorld()]);
  await liveADay(world);
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** What the browser complained of: a violation of the policy, a script that threw. */
const complaints = (page: Page): string[] => {
  const said: string[] = [];
  page.on("console", (message) => message.type() === "error" && said.push(message.text()));
  page.on("pageerror", (error) => said.push(error.message));
  return said;
};
const inContext = async (options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> => {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  return context;
};
const go = async (page: Page, hash: string): Promise<void> => {
  await page.evaluate((to) => (location.hash = to), hash);
};
const login = (user: string, device?: string) => world.engine.createSession({ userId: user as UserId, device });
const isLive = async (handle: string): Promise<boolean> => (await world.engine.getSession(handle)) !== undefined;

test("the page takes 60 kB at most, compressed, and nothing from elsewhere", () => {
  const folder = new URL("../dist/public/", import.meta.url).pathname;
  const files = readdirSync(folder);
  const sizes = files.map((name) => gzipSync(readFileSync(folder + name)).length);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(60_000);
  expect(files.filter((name) => !/\.(html|js|css|svg|txt)$/.test(name))).toEqual([]);
});

test("it is small enough to be read: 2,000 lines, blank ones apart", () => {
  const source = new URL("../src/", import.meta.url).pathname;
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(tsx?|css|html)$/.test(name),
  );
  expect(files.length).toBeGreaterThan(20);
  const lines = files.map((name) => readFileSync(source + name, "utf8").match(/^.*\S.*$/gm)?.length ?? 0);
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(2000);
});

describe.each(["light", "dark"] as const)("%s", (colorScheme) => {
  test.each([400, 1280])(
    "every page at %i px: read by axe-core, nothing beside the window, kept as a picture",
    async (width) => {
      const context = await inContext({ colorScheme, viewport: { width, height: 800 } });
      const page = await world.open(context);
      const said = complaints(page);
      const { items } = await world.engine.listEvents({ types: ["token_reuse"] }, { limit: 1 });
      const { items: sessions } = await world.engine.listSessions({ userId: "alice" as UserId }, { limit: 20 });
      const acting = sessions.find(({ acting }) => acting !== undefined);
      const stories = [
        ["Session", `session?handle=${acting?.handle}`, "acting"],
        ["Session", `session?handle=${items[0]?.sessionId}`, "stolen"],
      ] as const;
      for (const [heading, hash, name = heading.toLowerCase()] of [...pages, ...stories]) {
        await page.evaluate((to) => (location.hash = `#/${to}`), hash);
        await page.getByRole("heading", { name: heading, exact: true, level: 1 }).waitFor();
        await expect.poll(() => page.getByText("Loading …").count()).toBe(0);
        const file = `${name}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: artifacts + file, fullPage: width === 400 });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect([name, overflow]).toEqual([name, 0]);
        // Each page once in each scheme, and once in each width: it takes a second.
        if ((width === 400) !== (colorScheme === "light")) continue;
        const found = (await page.evaluate(`${axe.source}; axe.run()`)) as axe.AxeResults;
        const violations = found.violations.map(({ id, nodes }) => [id, nodes[0]?.html, nodes[0]?.failureSummary]);
        expect([name, violations]).toEqual([name, []]);
      }
      expect(said).toEqual([]);
    },
    120_000,
  );
});

describe("a link", () => {
  const closed = (page: Page) => page.getByRole("alert").textContent();

  test("opens the dashboard, leaves the address, and works in this browser until it is closed", async () => {
    const context = await inContext();
    const page = await world.open(context);
    expect(page.url()).toBe(`${world.origin}/dashboard`);
    expect(await context.cookies()).toMatchObject([{ path: "/dashboard", httpOnly: true, sameSite: "Strict" }]);
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("button", { name: "Close session" }).click();
    expect(await closed(page)).toBe("The session of the dashboard was closed.");
    await page.goto(`${world.origin}/dashboard`);
    expect(await closed(page)).toBe("The dashboard is not open in this browser.");
    expect(await context.cookies()).toEqual([]);
  });

  test("is refused where it was used, is guessed, or is over; another one in the same tab opens", async () => {
    const link = await world.link();
    const first = await (await inContext()).newPage();
    await first.goto(link);
    await first.getByRole("heading", { name: "Overview" }).waitFor();
    const page = await (await inContext()).newPage();
    for (const bad of [link, `${world.origin}/dashboard#link=${"A".repeat(43)}`]) {
      await page.goto("about:blank");
      await page.goto(bad);
      expect(await closed(page)).toBe("This link was used already, or it is too old.");
      expect(await page.getByRole("navigation").count()).toBe(0);
    }
    const old = await world.link();
    world.clock.offset += 5 * 60_000;
    await page.goto(old);
    expect(await closed(page)).toBe("This link was used already, or it is too old.");
    await page.goto(await world.link());
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    world.clock.offset = 0;
  });

  test("once eight hours are over, an open page says so", async () => {
    const page = await world.open(await inContext());
    world.clock.offset += 8 * 3_600_000;
    // By its address: what the page follows may have been refused meanwhile, and then it has no links any more.
    await go(page, "#/keys");
    expect(await closed(page)).toBe("The dashboard is not open in this browser.");
    world.clock.offset = 0;
  });
});

describe("what an administrator does", () => {
  const cards = (page: Page) => page.locator(".cards > li");
  const confirm = async (page: Page, name: string): Promise<void> =>
    page.getByRole("dialog").getByRole("button", { name }).click();

  test("ends one session of a user, all but one, all; says how many, and what was done is an event", async () => {
    const { session: phone } = await login("frank", "Phone");
    const { session: tablet } = await login("frank", "Tablet");
    const { session: laptop } = await login("frank", "Laptop");
    const page = await world.open(await inContext());
    await page.getByRole("link", { name: "Sessions", exact: true }).click();
    await page.getByLabel("User id").fill("frank");
    await page.keyboard.press("Enter");
    await cards(page).filter({ hasText: "Tablet" }).getByRole("button", { name: "End …" }).click();
    await page.getByRole("dialog").getByText("End the session of frank on Tablet?").waitFor();
    // Nothing happens without a yes.
    await confirm(page, "Cancel");
    expect(await isLive(tablet.handle)).toBe(true);
    await cards(page).filter({ hasText: "Tablet" }).getByRole("button", { name: "End …" }).click();
    await confirm(page, "End this session");
    await page.getByText("1 session was ended.").waitFor();
    await expect.poll(() => cards(page).count()).toBe(2);
    expect(await Promise.all([phone, tablet, laptop].map(({ handle }) => isLive(handle)))).toEqual([true, false, true]);

    await login("frank", "Television");
    await page.reload();
    await cards(page).filter({ hasText: "Laptop" }).getByRole("button", { name: "End all others …" }).click();
    await confirm(page, "End all others");
    await page.getByText("2 sessions were ended.").waitFor();
    await expect.poll(() => cards(page).count()).toBe(1);
    expect(await isLive(laptop.handle)).toBe(true);

    await page.getByRole("button", { name: "End all sessions …" }).click();
    await confirm(page, "End all sessions");
    await page.getByText("Not logged in anywhere.").waitFor();
    expect(await isLive(laptop.handle)).toBe(false);
    await expect.poll(() => page.getByText("revoked by an administrator").count()).toBe(4);

    const { items } = await world.engine.listEvents({ types: ["admin"] }, { limit: 3 });
    const acts = items.map(({ userId, detail = "" }) => ({
      userId,
      ...(JSON.parse(detail) as Record<string, unknown>),
    }));
    const by = { client: "dashboard", address: "127.0.0.1" };
    expect(acts).toMatchObject([
      { act: "sessions_ended", by, userId: "frank", ended: 1 },
      { act: "sessions_ended", by, userId: "frank", ended: 2, except: laptop.handle },
      { act: "sessions_ended", by, handles: [tablet.handle] },
    ]);
    await go(page, "#/events?type=admin");
    await expect.poll(() => cards(page).first().textContent()).toContain("dashboard");
  });

  test("tells the story of a session, and ends it there; one that somebody else ended is said to be over", async () => {
    const { session } = await login("grace", "Phone");
    const page = await world.open(await inContext());
    await go(page, "#/sessions");
    await page.getByLabel("or session handle").fill(session.handle);
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByText(/^Live since/).waitFor();
    await page.getByRole("button", { name: "End this session …" }).click();
    await world.engine.revokeSessions([session.handle], { reason: "logout" });
    await confirm(page, "End this session");
    await page.getByText("It was over already.").waitFor();
    await page.getByText(/^Ended .* by logout/).waitFor();
    await page.locator(".moments").getByText("Ended: logout").waitFor();
  });

  test("sees what was done about a theft", async () => {
    const page = await world.open(await inContext());
    await go(page, "#/thefts");
    const theft = cards(page).first();
    await theft.getByText("Refresh token no. 0 was used again").waitFor();
    await theft.getByText("The session has ended").waitFor();
    await theft.getByText("What was done").click();
    await theft.getByText("Ended: token reuse: theft").waitFor();
  });

  test("adds a signing key of an algorithm", async () => {
    const page = await world.open(await inContext());
    await page.getByRole("link", { name: "Keys" }).click();
    await page.getByLabel("Algorithm").selectOption("RS256");
    await page.getByRole("button", { name: "Add a signing key …" }).click();
    await confirm(page, "Add a key");
    await page.getByText(/New RS256 key d-\d+: published now/).waitFor();
    expect(world.engine.listSigningKeys().some(({ algorithm }) => algorithm === "RS256")).toBe(true);
  });

  test("does everything by keyboard", async () => {
    const { session } = await login("heidi", "Phone");
    const page = await world.open(await inContext());
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    const tabTo = async (text: string): Promise<void> => {
      for (let count = 0; count < 40; count += 1) {
        await page.keyboard.press("Tab");
        if ((await focused()) === text) return;
      }
      throw new Error(`the tab key does not lead to ${text}`);
    };
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await tabTo("Sessions");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sessions" }).waitFor();
    // The focus went along, so that the next tab is in the page.
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).name)).toBe("user");
    await page.keyboard.type("heidi");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "User" }).waitFor();
    await page.getByText("End all sessions …").waitFor();
    await tabTo("End …");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect([await focused(), await isLive(session.handle)]).toEqual(["End …", true]);
    await page.keyboard.press("Enter");
    await tabTo("End this session");
    await page.keyboard.press("Enter");
    await page.getByText("1 session was ended.").waitFor();
    expect(await isLive(session.handle)).toBe(false);
  });
});

test("what could not be delivered is delivered, or dropped, when an administrator says so", async () => {
  const got: string[] = [];
  let isUp = false;
  const target = createServer((request, response) => {
    request.resume();
    if (isUp) got.push(String(request.headers["webhook-id"]));
    response.writeHead(isUp ? 204 : 500).end();
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void target.close());
  const { port } = target.address() as AddressInfo;
  const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
  const webhook = {
    url: `http://127.0.0.1:${port}/secret-path`,
    secret,
    events: ["session_ended"],
    allow_private: true,
  };
  const other = await startWorld({ PAWL_WEBHOOKS: JSON.stringify([webhook]) });
  onTestFinished(() => other.close());
  const { storage } = other.engine;
  for (const userId of ["kim", "lee"]) {
    const { session } = await other.engine.createSession({ userId: userId as UserId });
    await other.engine.revokeSessions([session.handle]);
  }
  const waiting = async () => (await storage.listOutbox({ dead: false }, { limit: 10 })).items;
  await expect.poll(async () => (await waiting()).filter(({ state }) => state.includes("500")).length).toBe(2);
  for (const { event, destination, state } of await waiting())
    await storage.settleOutbox({ key: event.key, destination }, { kind: "dead", state });

  const page = await other.open(await inContext());
  await page.getByRole("link", { name: "Webhooks" }).click();
  await page.getByText(`http://127.0.0.1:${port}`, { exact: true }).waitFor();
  const cards = page.locator(".card", { hasText: "Attempts" });
  await expect.poll(() => cards.count()).toBe(2);
  await cards
    .first()
    .getByText(new RegExp(`^[0-9a-f]{8}, http://127.0.0.1:${port}$`))
    .waitFor();
  expect(await page.content()).not.toContain("secret-path");
  await cards.first().getByRole("button", { name: "Drop …" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drop" }).click();
  await page.getByText("It is delivered no more.").waitFor();
  await expect.poll(() => cards.count()).toBe(1);
  isUp = true;
  await cards.first().getByRole("button", { name: "Deliver now …" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Deliver now" }).click();
  await page.getByText("It is being delivered.").waitFor();
  await page.getByText("There is none.").waitFor();
  await expect.poll(() => got.length, { timeout: 20_000 }).toBe(1);
  const { items } = await other.engine.listEvents({ types: ["admin"] }, { limit: 2 });
  expect(items.map(({ detail = "" }) => (JSON.parse(detail) as { readonly act: string }).act)).toEqual([
    "delivery_retried",
    "delivery_dropped",
  ]);
});

test("text from elsewhere stays text: user, device, address, payload, data, methods, tenant, reasons", async () => {
  const canary = (name: string) => `${name}<img src=x onerror="canary()"><script>canary()</script>\u202e"'\`{{}}`;
  const page = await world.open(await inContext());
  const said = complaints(page);
  const called: string[] = [];
  await page.exposeFunction("canary", () => called.push(page.url()));
  const userId = canary("user") as UserId;
  const { session, accessToken } = await world.engine.createSession({
    userId,
    device: canary("device"),
    address: canary("address"),
    payload: { [canary("name")]: canary("payload") },
    data: { text: canary("data") },
    auth: { methods: ["method<img/src=x/onerror=canary()>"] },
    form: "pawl",
  });
  await world.engine.actAs(accessToken.token, {
    userId: canary("other") as UserId,
    payload: {},
    reason: canary("why"),
  });
  const visit = async (hash: string, ...seen: readonly string[]): Promise<void> => {
    await page.evaluate((to) => (location.hash = to), hash);
    for (const text of seen) await page.getByText(`${text}<img src=x`).first().waitFor();
    expect(await page.locator("img, script:not([src])").count()).toBe(0);
  };
  await visit("#/sessions?tenant=public");
  await visit(`#/user?${new URLSearchParams({ id: userId })}`, "user", "device", "address", "other");
  await page.getByText("method<img/src=x").waitFor();
  await visit(`#/session?handle=${session.handle}`, "user", "device", "address", "other");
  await page.getByText("Payload and data").click();
  await page.getByText("payload<img").waitFor();
  await world.engine.revokeSessions([session.handle], { detail: canary("detail") });
  await visit(`#/user?${new URLSearchParams({ id: userId })}`, "user");
  await visit("#/events", "user", "detail", "why");
  await visit(`#/events?${new URLSearchParams({ user: userId, tenant: "public" })}`, "user");
  await visit(`#/session?handle=${encodeURIComponent(canary("handle"))}`, "handle");
  await visit(`#/session?handle=${session.handle}`, "detail", "why");
  // What turns the direction of writing is written out.
  expect(await page.content()).not.toContain("\u202e");
  expect([called, said]).toEqual([[], []]);
});

test("ten thousand sessions that end while a page shows them: it goes on, and shows what is left", async () => {
  const { session: kept } = await login("ivan", "The one that stays");
  for (let count = 0; count < 10_000; count += 1) await login("ivan", `Device ${count}`);
  const page = await world.open(await inContext());
  const said = complaints(page);
  await page.evaluate(() => (location.hash = "#/user?id=ivan"));
  const cards = page.locator(".cards > li");
  await expect.poll(() => cards.count()).toBe(25);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("Page 2").waitFor();
  await page.getByRole("button", { name: "Previous" }).click();
  await page.getByText("Page 1").waitFor();
  const revoked = await world.engine.revokeAllForUser(
    { userId: "ivan" as UserId, except: kept.handle },
    { reason: "revoked" },
  );
  expect(revoked).toHaveLength(10_000);
  // The administrator comes back to it; otherwise it would ask within 15 s.
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect.poll(() => cards.count(), { timeout: 20_000 }).toBe(1);
  expect(await cards.textContent()).toContain("The one that stays");
  expect(said).toEqual([]);
}, 90_000);

describe("another site", () => {
  test("reads nothing, frames nothing, and does nothing, though its browser has the cookie", async () => {
    const context = await inContext();
    const page = await world.open(context);
    const { session } = await login("judy");
    const elsewhere = createServer((_, response) =>
      response.setHeader("content-type", "text/html").end("<!doctype html><title>evil</title><iframe></iframe>"),
    );
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void elsewhere.close());
    const { port } = elsewhere.address() as AddressInfo;
    // Another port of the same host gets the cookie sent; another host does not.
    for (const host of ["localhost", "127.0.0.1"]) {
      const evil = await context.newPage();
      await evil.goto(`http://${host}:${port}/`);
      const statuses: number[] = [];
      evil.on("response", (response) => response.url().startsWith(world.origin) && statuses.push(response.status()));
      const answers = await evil.evaluate(
        async ({ origin, handle }) => {
          const body = JSON.stringify({ handles: [handle] });
          const tried = [
            fetch(`${origin}/dashboard/v1/sessions`, { credentials: "include" }),
            fetch(`${origin}/dashboard/v1/sessions`, { credentials: "include", mode: "no-cors" }),
            fetch(`${origin}/dashboard/v1/sessions/revoke`, {
              method: "POST",
              credentials: "include",
              mode: "no-cors",
              body,
            }),
            fetch(`${origin}/dashboard/session`, { method: "DELETE", credentials: "include" }),
          ];
          const script = document.createElement("script");
          script.src = `${origin}/dashboard/v1/keys`;
          document.head.append(script);
          const answers = await Promise.allSettled(tried);
          const frame = document.querySelector("iframe") as HTMLIFrameElement;
          await new Promise((resolve) => {
            frame.addEventListener("load", resolve);
            frame.src = `${origin}/dashboard`;
          });
          return answers.map((it) => (it.status === "fulfilled" ? it.value.type : it.status));
        },
        { origin: world.origin, handle: session.handle },
      );
      expect(answers.filter((type) => type !== "rejected" && type !== "opaque")).toEqual([]);
      // What the browser keeps even from its own developers is not among these.
      expect(new Set(statuses)).toEqual(new Set([403]));
      // A link to it.
      await evil.evaluate((origin) => location.assign(`${origin}/dashboard`), world.origin);
      await evil.waitForURL(`${world.origin}/dashboard`);
      expect(await evil.textContent("body")).toContain("browser_refused");
      await evil.close();
    }
    expect(await isLive(session.handle)).toBe(true);
    await page.getByRole("link", { name: "Keys" }).click();
    await page.getByText("Signs", { exact: true }).first().waitFor();
  });
});

test("a store that is down is said to be down, what was known stays, and it goes on by itself", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const other = await startWorld({
    PAWL_STORAGE: redis.url,
    PAWL_MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
  });
  onTestFinished(() => other.close());
  await other.engine.createSession({ userId: "kim" as UserId, device: "Kim's phone" });
  const page = await other.open(await inContext());
  await page.evaluate(() => (location.hash = "#/user?id=kim"));
  await page.getByText("Kim's phone").waitFor();
  await redis.kill();
  await page.getByRole("button", { name: "End …" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End this session" }).click();
  await page.getByText(/The storage does not answer.*Nothing is known of what was done/).waitFor();
  await page
    .getByText(/The store does not answer\. It is asked again\. Shown below is what was known/)
    .first()
    .waitFor();
  expect(await page.getByText("Kim's phone").count()).toBe(1);
  await redis.start();
  await expect.poll(() => page.getByText("The store does not answer").count(), { timeout: 20_000 }).toBe(0);
  await page.getByText("Kim's phone").waitFor();
}, 90_000);
