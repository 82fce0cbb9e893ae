import { millis, type RevocationCursor, type SessionId, type Storage } from "@pawl/storage";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openStorage } from "../src/index.js";
import { session } from "./child/session.mjs";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

const revoke = async (storage: Storage): Promise<SessionId> => {
  const record = session();
  await storage.createSession(record);
  await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
  return record.id;
};

const cursorOf = async (storage: Storage): Promise<RevocationCursor> => {
  const page = await storage.revocationsSince({ at: millis(0) });
  return page.kind === "page" ? page.cursor : "";
};

it("Yesterday's backup restored: a cursor from after the backup is not known, however far the feed has come again", async () => {
  const path = join(folder, "restored.db");
  const first = await openStorage(`sqlite:${path}`);
  await first.migrate();
  await revoke(first);
  await first.close();
  copyFileSync(path, `${path}.backup`);

  const second = await openStorage(`sqlite:${path}`);
  const atBackup = await cursorOf(second);
  await revoke(second);
  await revoke(second);
  const later = await cursorOf(second);
  await second.close();

  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
  copyFileSync(`${path}.backup`, path);
  const third = await openStorage(`sqlite:${path}`);
  for (let round = 0; round < 4; round += 1) {
    expect(await third.revocationsSince({ cursor: later })).toStrictEqual({ kind: "unknown_cursor" });
    await revoke(third);
  }
  expect(await third.revocationsSince({ cursor: atBackup })).toMatchObject({ kind: "page" });
  await third.close();
});
