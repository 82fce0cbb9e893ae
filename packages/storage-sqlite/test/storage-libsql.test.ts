import { testStorage } from "@pawl/storage-conformance";
import { join } from "node:path";
import { openStorage } from "../src/index.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder();

testStorage("sqlite through libsql", ({ location, ...options }) =>
  openStorage(`sqlite:${join(folder, `${location}.db`)}?driver=libsql`, options),
);
