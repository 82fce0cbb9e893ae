import { type FeedCursor, type FeedPage, type FeedStart, millis, type Storage } from "@pawl/storage";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openStorage } from "../src/index.js";
import { session } from "./child/session.mjs";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

interface Feed {
  readonly append: (storage: Storage) => Promise<unknown>;
  readonly since: (storage: Storage, from: FeedStart) => Promise<FeedPage<unknown>>;
}

const changed = session();

const feeds: Readonly<Record<string, Feed>> = {
  revocations: {
    append: async (storage) => {
      const record = session();
      await storage.createSession(record);
      await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
    },
    since: (storage, from) => storage.revocationsSince(from),
  },
  "changes, always of one session": {
    append: async (storage) => {
      await storage.importSessions([changed]);
      await storage.changeSession(changed.id, { announced: true });
    },
    since: (storage, from) => storage.changesSince(from),
  },
};

it.each(Object.entries(feeds))(
  "Yesterday's backup restored: a cursor from after the backup is not known, however far the feed has come again: %s",
  async (name, { append, since }) => {
    const cursorOf = async (storage: Storage): Promise<FeedCursor> => {
      const page = await since(storage, { at: millis(0) });
      return page.kind === "page" ? page.cursor : "";
    };
    const path = join(folder, `${name}.db`);
    const first = await openStorage(`sqlite:${path}`);
    await first.migrate();
    await append(first);
    await first.close();
    copyFileSync(path, `${path}.backup`);

    const second = await openStorage(`sqlite:${path}`);
    const atBackup = await cursorOf(second);
    await append(second);
    await append(second);
    const later = await cursorOf(second);
    await second.close();

    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
    copyFileSync(`${path}.backup`, path);
    const third = await openStorage(`sqlite:${path}`);
    for (let round = 0; round < 4; round += 1) {
      expect(await since(third, { cursor: later })).toStrictEqual({ kind: "unknown_cursor" });
      await append(third);
    }
    expect(await since(third, { cursor: atBackup })).toMatchObject({ kind: "page" });
    await third.close();
  },
);
