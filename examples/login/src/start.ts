import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createApplication } from "./application.js";
import { openBegun } from "./begun.js";
import { openDatabase } from "./database.js";
import { openPasskeys } from "./passkeys.js";
import { openPasswords } from "./passwords.js";
import { startProvider } from "./provider.js";
import { openSessions } from "./sessions.js";
import { openUsers } from "./users.js";

const { PORT = "3000", PROVIDER_PORT = "3001", DATA = ".", ISSUER, CLIENT_ID = "", CLIENT_SECRET = "" } = process.env;

const server = createServer().listen(Number(PORT), "localhost");
await once(server, "listening");
const { ORIGIN: origin = `http://localhost:${(server.address() as AddressInfo).port}` } = process.env;

const started = ISSUER === undefined ? await startProvider(Number(PROVIDER_PORT), origin) : undefined;
const provider = started ?? { issuer: String(ISSUER), clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };

const database = openDatabase(join(DATA, "users.db"));
const users = openUsers(database);
const sessions = openSessions(join(DATA, "sessions.db"), users, provider);
const application = createApplication({
  origin,
  provider,
  users,
  passwords: await openPasswords(users),
  passkeys: openPasskeys(database),
  begun: openBegun(database, origin.startsWith("https:")),
  sessions,
});
server.on("request", application);
console.log(`Open ${origin}\nOpenID provider ${provider.issuer}`);

const stop = (): void => {
  server.close(() => void sessions.pawl.close().then(() => database.close()));
  server.closeIdleConnections();
  started?.close();
};
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
