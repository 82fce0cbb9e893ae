import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KitPayload, testAdapter, Visitor } from "@pawl/adapter-conformance";
import { createPawl } from "@pawl/node";
import { afterAll, describe, expect, it } from "vitest";
import { fetchApplication } from "../../../packages/node/test/adapters/fetch-application.js";
import { honoApplication } from "../../../packages/node/test/adapters/hono-application.js";
import { startTestCore } from "../../test/core.js";
import { elysiaApplication } from "./elysia-application.js";

type Fetch = (request: Request) => Response | Promise<Response>;

/** What Bun and Deno offer besides what Node.js has. */
interface Runtime {
  readonly Bun?: {
    serve(options: { hostname: string; port: number; fetch: Fetch }): {
      readonly port: number;
      stop(now: true): unknown;
    };
  };
  readonly Deno?: {
    serve(
      options: { hostname: string; port: number; onListen(): void },
      fetch: Fetch,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
  };
}
const { Bun, Deno } = globalThis as Runtime;
const name = Bun === undefined ? "Deno" : "Bun";

/** Serves as the runtime's own documentation says. */
const serve = async (fetch: Fetch) => {
  const place = { hostname: "127.0.0.1", port: 0 };
  if (Bun !== undefined) {
    const server = Bun.serve({ ...place, fetch });
    return { origin: `http://127.0.0.1:${server.port}`, close: async () => void (await server.stop(true)) };
  }
  if (Deno === undefined) throw new Error("this is for Bun and Deno");
  const server = Deno.serve({ ...place, onListen: () => undefined }, fetch);
  return { origin: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
};

testAdapter(`Hono 4 on ${name}`, async (pawl, hooks) => serve(honoApplication(pawl, hooks).fetch));
testAdapter(`fetch on ${name}`, async (pawl, hooks) => serve(fetchApplication(pawl, hooks)), {
  losesCookiesOfErrors: "the server answers what a handler throws",
});
testAdapter(`Elysia 1 on ${name}`, async (pawl, hooks) => serve(elysiaApplication(pawl, hooks)));

const folder = mkdtempSync(join(tmpdir(), "pawl-runtime-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`sessions on ${name}`, () => {
  const lifeOf = async (pawl: ReturnType<typeof createPawl<KitPayload>>) => {
    const { origin, close } = await serve(honoApplication(pawl, { wait: async () => undefined }).fetch);
    const visitor = new Visitor(origin);
    const ask = async (method: string, path: string) => (await visitor.ask(path, { method })).status;
    const statuses = [
      await ask("POST", "/login"),
      await ask("GET", "/me"),
      await ask("POST", "/session/refresh"),
      await ask("GET", "/me"),
      await ask("POST", "/signout"),
      await ask("GET", "/me"),
    ];
    await close();
    await pawl.close();
    return statuses;
  };
  const statuses = [200, 200, 200, 200, 200, 401];

  it("are kept in SQLite", async () => {
    const storage = `sqlite:${join(folder, "sessions.db")}`;
    for (const round of ["made anew", "opened again"])
      expect([round, await lifeOf(createPawl<KitPayload>({ storage }))]).toEqual([round, statuses]);
  });

  it("are kept by a core", async () => {
    const core = await startTestCore();
    expect(await lifeOf(createPawl<KitPayload>({ core: [core.url] }))).toEqual(statuses);
    await core.close();
  });
});
