import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { createPawl } from "../src/index.js";
import { backends, benchOf } from "./backends.js";

const HOUR = 3_600_000;

describe.each(backends)("what an operator asks, %s", (_, openBackend) => {
  it("is told how often what happened, and what", async () => {
    const { pawl, clock } = await benchOf(openBackend);
    const { handle } = await pawl.tokens.create({ userId: "alice" });
    await pawl.tokens.create({ userId: "bob", tenantId: "acme" });
    await pawl.sessions.end(handle);
    const range = { from: clock.now() - HOUR, to: clock.now() + 1 };
    const { counts } = await pawl.operation.counts(range);
    const at = Math.floor(clock.now() / HOUR) * HOUR;
    expect(counts).toEqual([
      { at, name: "ended.revoked", count: 1 },
      { at, name: "login", count: 2 },
    ]);
    expect((await pawl.operation.counts({ ...range, tenantId: "acme" })).counts).toMatchObject([{ count: 1 }]);
    const event = { type: "session_ended", userId: "alice", tenantId: "public", handle, reason: "revoked", count: 1 };
    const ofAlice = [{ ...event, key: expect.any(String) as string, at: clock.now() }];
    expect((await pawl.operation.events({ userId: "alice" })).items).toEqual(ofAlice);
    expect((await pawl.operation.events({ handle, type: "session_ended", limit: 1 })).items).toEqual(ofAlice);
    expect((await pawl.operation.events({ userId: "nobody" })).items).toEqual([]);
  });

  it("finds nothing to deliver where no webhook is set", async () => {
    const { pawl } = await benchOf(openBackend);
    const { handle } = await pawl.tokens.create({ userId: "alice" });
    await pawl.sessions.end(handle);
    expect(await pawl.operation.deliveries()).toEqual({ items: [] });
    expect(await pawl.operation.deliveries({ dead: true })).toEqual({ items: [] });
    expect([await pawl.operation.retryDelivery("none"), await pawl.operation.dropDelivery("none")]).toEqual([
      false,
      false,
    ]);
  });
});

describe("webhooks of an application", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  test("are told of the end of a session", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pawl-hooks-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const got: string[] = [];
    const server = createServer((request, response) => {
      got.push(String(request.headers["webhook-id"]));
      request.resume().on("end", () => response.writeHead(got.length > 1 ? 204 : 500).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const pawl = createPawl({
      storage: `sqlite:${join(folder, "sessions.db")}`,
      webhooks: [{ url, secret, allowPrivate: true }],
    });
    onTestFinished(() => pawl.close());
    const { handle } = await pawl.tokens.create({ userId: "alice" });
    await pawl.sessions.end(handle);
    const until = async (isSo: () => unknown): Promise<void> => {
      const deadline = performance.now() + 20_000;
      while (!(await isSo()) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(async () => (await pawl.operation.deliveries()).items[0]?.attempts === 1);
    expect((await pawl.operation.deliveries()).items).toMatchObject([
      { event: { handle, type: "session_ended" }, attempts: 1 },
    ]);
    await until(async () => (await pawl.operation.deliveries()).items.length === 0);
    expect(got).toEqual([`session_ended:${handle}`, `session_ended:${handle}`]);
  });

  test("are refused where they would silently not hold", async () => {
    for (const webhooks of [
      [],
      [{ url: "http://hooks.example.com", secret }],
      [{ url: "https://hooks.example.com" }],
      [
        { url: "https://hooks.example.com", secret },
        { url: "https://hooks.example.com", secret },
      ],
    ]) {
      const options = { storage: "memory:", webhooks } as never;
      if (webhooks.length > 0) expect(() => createPawl(options)).toThrow(/^webhooks must be a list of/);
      else createPawl(options);
    }
    expect(() => createPawl({ core: ["http://localhost:1"], webhooks: [] } as never)).toThrow("config.yaml says it");
  });
});
