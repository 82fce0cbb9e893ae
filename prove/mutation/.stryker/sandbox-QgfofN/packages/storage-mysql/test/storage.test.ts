import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";
import { fleeting, sharedServer } from "./server.js";

const { urlOf } = sharedServer(fleeting);

testStorage("MariaDB", async ({ clock, location }) =>
  openStorage(await urlOf(location, "?durability=relaxed"), { clock }),
);
