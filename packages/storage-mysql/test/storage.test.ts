import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";
import { sharedServer } from "./server.js";

// Nothing here ends the server, so nothing needs to be on its disk.
const { urlOf } = sharedServer({
  "innodb-flush-log-at-trx-commit": "0",
  "innodb-flush-method": "nosync",
  "innodb-file-per-table": "0",
  "sync-frm": "0",
});

testStorage("MariaDB", ({ clock, location }) => openStorage(urlOf(location, "?durability=relaxed"), { clock }));
