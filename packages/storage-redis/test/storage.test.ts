import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";
import { sharedServer } from "./server.js";

// Nothing here ends the server, so nothing needs to be on its disk.
const { urlOf } = sharedServer({ appendonly: "no" });

testStorage("Redis", ({ location, ...options }) => openStorage(urlOf(location, "&durability=none"), options));
