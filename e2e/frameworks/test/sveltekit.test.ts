import { createServer } from "node:http";
import { type KitPayload, testAdapter, TestClock, Visitor } from "@pawl/adapter-conformance";
import { createPawl } from "@pawl/node";
import { MemoryStorage } from "@pawl/storage";
import { afterEach, describe, expect, it } from "vitest";
import { shareKit } from "./kit-of-this-process.js";
import { served } from "./served.js";

// The adapter takes every request for one over TLS, unless a header says something else.
process.env["PROTOCOL_HEADER"] = "x-kit-protocol";
const run = shareKit();
const { handler } = (await import(new URL("../sveltekit/build/handler.js", import.meta.url).href)) as {
  handler: Parameters<typeof createServer>[1] & {};
};

const serve = async (...[pawl, hooks]: Parameters<Parameters<typeof testAdapter>[1]>) => {
  run(pawl, hooks);
  return served(
    createServer((req, res) => {
      req.headers["x-kit-protocol"] = "http";
      // Without it SvelteKit takes every unsafe request for a form, and asks for an `Origin`.
      req.headers["content-type"] ??= "application/json";
      handler(req, res);
    }),
  );
};

testAdapter("SvelteKit 3", serve, { refusesForms: "it refuses every form without an Origin" });

describe("SvelteKit 3, pages and actions", () => {
  let close = async (): Promise<void> => undefined;
  afterEach(() => close());

  const start = async () => {
    const clock = new TestClock();
    let onWait = (): void => undefined;
    let thefts = 0;
    const pawl = createPawl<KitPayload>({
      storage: new MemoryStorage({ clock }),
      clock,
      onTokenTheft: () => void (thefts += 1),
    });
    const { origin, close: stop } = await serve(pawl, { wait: async () => onWait() });
    close = async () => {
      await stop();
      await pawl.close();
    };
    const visitor = new Visitor(origin);
    /** As a browser without a script. */
    const submit = (path: string) =>
      visitor.ask(path, {
        method: "POST",
        headers: { origin, accept: "text/html", "content-type": "application/x-www-form-urlencoded" },
      });
    const visit = (path: string) => visitor.ask(path, { headers: { accept: "text/html" } });
    return {
      clock,
      pawl,
      visitor,
      submit,
      visit,
      whileRendering: (work: () => void) => (onWait = work),
      thefts: () => thefts,
    };
  };

  it("log in and out by actions, and lead strangers to the login", async () => {
    const { pawl, submit, visit } = await start();
    expect((await visit("/account")).headers["location"]).toBe("/sign-in");
    const entered = await submit("/sign-in");
    expect([entered.status, entered.headers["location"], entered.setCookies.length]).toEqual([303, "/account", 2]);
    expect((await visit("/account")).text).toContain("Hello alice");
    const left = await submit("/account");
    expect([left.status, left.headers["location"], left.setCookies.length]).toEqual([303, "/sign-in", 2]);
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
  });

  it("refresh in a load function, for a page and for its script", async () => {
    const { clock, submit, visit } = await start();
    await submit("/sign-in");
    for (const path of ["/account", "/account/__data.json"]) {
      clock.advance(7_200_000);
      const answer = await visit(path);
      expect([path, answer.status, answer.setCookies.length]).toEqual([path, 200, 2]);
      expect(answer.text).toContain("alice");
    }
  });

  it("write what a load function asked of an own route with the page, and not with a late one", async () => {
    const { clock, submit, visit, whileRendering, thefts } = await start();
    await submit("/sign-in");
    for (const [taken, lines] of [
      [4000, 2],
      [6000, 0],
      [10_800_000, 0],
    ] as const) {
      clock.advance(7_200_000);
      whileRendering(() => clock.advance(taken));
      const { status, text, setCookies } = await visit("/nested");
      expect([taken, status, text.includes("Hello alice"), setCookies.length]).toEqual([taken, 200, true, lines]);
      expect((await visit("/account")).status).toBe(200);
    }
    expect(thefts()).toBe(0);
  });

  it("show SvelteKit's error page with our status, and a script what it asks for", async () => {
    const { submit, visit, visitor } = await start();
    const stranger = await visit("/admin");
    expect([stranger.status, stranger.headers["content-type"]]).toEqual([401, "text/html"]);
    await submit("/sign-in");
    expect((await visit("/admin")).status).toBe(403);
    const data = await visit("/admin/__data.json");
    expect([data.status, data.text.includes('"status":403')]).toEqual([200, true]);
    const script = await visitor.ask("/admin");
    expect([script.status, script.json]).toEqual([403, { message: "forbidden", code: "FORBIDDEN" }]);
  });
});
