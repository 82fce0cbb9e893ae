import { testStorage } from "@pawl/storage-conformance";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openStorage } from "../src/index.js";
import { hasNodeSqlite } from "./drivers.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

if (hasNodeSqlite)
  testStorage("sqlite through node:sqlite", ({ location, ...options }) =>
    openStorage(`sqlite:${join(folder, `${location}.db`)}?driver=node`, options),
  );
else
  it("says which Node has node:sqlite", async () => {
    await expect(openStorage("sqlite::memory:?driver=node")).rejects.toMatchObject({
      code: "adapter_missing",
      message: expect.stringContaining("22.13") as string,
    });
  });
