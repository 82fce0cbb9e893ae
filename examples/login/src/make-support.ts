// node dist/make-support.js NAME: from their next login on that user may act for others.
import { join } from "node:path";
import { openDatabase } from "./database.js";
import { openUsers } from "./users.js";

const [, , name = ""] = process.argv;
const database = openDatabase(join(process.env["DATA"] ?? ".", "users.db"));
const users = openUsers(database);
console.log(users.setRole(name, "support") ? `${name} is support staff now.` : `There is no user ${name}.`);
database.close();
