import { testStorage } from "@pawl/storage-conformance";
import { openStorage } from "../src/index.js";
import { startServer, urlOf } from "./server.js";

const server = await startServer();

testStorage("PostgreSQL", ({ location, ...options }) => openStorage(urlOf(server, location), options));
