import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";
import { sharedCluster } from "./server.js";

// Nothing here ends a server, so nothing needs to be on its disk.
const { urlOf } = sharedCluster({ appendonly: "no" });

testStorage("Redis Cluster", ({ location, ...options }) => openStorage(urlOf(location, "&durability=none"), options));
