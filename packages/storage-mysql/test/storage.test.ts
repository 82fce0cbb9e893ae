import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";
import { fleeting, sharedServer } from "./server.js";

const { urlOf } = sharedServer(fleeting);

testStorage("MariaDB", async ({ location, ...options }) =>
  openStorage(await urlOf(location, "?durability=relaxed"), options),
);
