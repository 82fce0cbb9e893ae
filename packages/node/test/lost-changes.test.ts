import { parseHandle } from "@pawl/engine";
import { NEVER, type SessionRecord, type Storage } from "@pawl/storage";
import { describe, expect, it, vi } from "vitest";
import { backends, benchOf } from "./backends.js";

/** Puts rows back as they were, as a failover to a replica that lags behind does. */
const loseSince = async (storage: Storage, rows: readonly SessionRecord[]): Promise<void> => {
  await storage.deleteExpired(NEVER, rows.length);
  await storage.importSessions(rows);
};

describe.each(backends)("changes that the store has lost, %s", (_, openBackend) => {
  it("are told by a process warning, once a minute at most, with how many there were", async () => {
    const { backend, pawl, clock } = await benchOf<{ readonly role: string }>(openBackend);
    const { storage } = backend;
    const warned: string[] = [];
    const spy = vi.spyOn(process, "emitWarning").mockImplementation((message, how) => {
      if ((how as { readonly code?: string }).code === "PAWL_CHANGES_LOST") warned.push(String(message));
    });
    const login = (userId: string) => pawl.tokens.create({ userId, payload: { role: "admin" } });
    const logins = await Promise.all(["alice", "bob", "carol", "dave"].map(login));
    const rowOf = async ({ handle }: { readonly handle: string }): Promise<SessionRecord> =>
      (await storage.getSession(parseHandle(handle)!.id))!;
    const before = await Promise.all(logins.map(rowOf));
    for (const { handle } of logins) expect(await pawl.sessions.updatePayload(handle, { role: "user" })).toBe(true);
    expect(warned).toEqual([]);

    await loseSince(storage, before);
    clock.advance(45_000);
    const [first, ...others] = logins.map(({ refreshToken }) => async () => {
      const { accessToken } = await pawl.tokens.refresh(refreshToken);
      expect((await pawl.tokens.verify(accessToken)).payload).toEqual({ role: "admin" });
    });
    await first?.();
    expect(warned).toEqual([expect.stringContaining("the store has lost changes of sessions (1)")]);
    await others[0]?.();
    await others[1]?.();
    expect(warned).toHaveLength(1);
    clock.advance(60_000);
    await others[2]?.();
    expect(warned.slice(1)).toEqual([expect.stringContaining("the store has lost changes of sessions (3)")]);
    spy.mockRestore();
  });
});
